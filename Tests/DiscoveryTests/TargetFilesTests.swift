// SPDX-License-Identifier: Apache-2.0

import Discovery
import Foundation
import Instrumentation
import Model
import Platform
import Testing

/// A folder that goes away with the test.
final class Folder {
    let path: String

    init() throws {
        path = FileManager.default.temporaryDirectory.path + "/discovery-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    func write(_ name: String, _ text: String) throws {
        try text.write(toFile: "\(path)/\(name)", atomically: true, encoding: .utf8)
    }

    func remove(_ name: String) throws {
        try FileManager.default.removeItem(atPath: "\(path)/\(name)")
    }
}

@Suite struct TargetFilesTests {
    private let fileSystem = LocalFileSystem()

    @Test("Groups follow their files: read, damaged, shortened, removed")
    func life() throws {
        let folder = try Folder()
        try folder.write("a.yml", "- targets: ['x:1', 'x:2']\n  labels: {k: v}\n- targets: [w]\n")
        try folder.write("b.json", "[{\"targets\": [\"z:1\"]}]")
        try folder.write("c.txt", "no target file")
        let patterns = ["\(folder.path)/*.yml", "\(folder.path)/b.json"]
        var files = TargetFiles(FileDiscoveryConfiguration(files: patterns))
        #expect(files.hasChanged(fileSystem))

        let first = files.refresh(fileSystem)
        #expect(first.failures.isEmpty)
        #expect(first.groups.map(\.targets.count) == [2, 1, 1])
        #expect(first.groups[0].source == "\(folder.path)/a.yml:0")
        let path = "\(folder.path)/a.yml"
        #expect(first.groups[0].labels == Labels(["__meta_filepath": path, "k": "v"]))
        #expect(!files.hasChanged(fileSystem))

        try folder.write("a.yml", "- targets: [\n")
        #expect(files.hasChanged(fileSystem))
        let damaged = files.refresh(fileSystem)
        #expect(damaged.failures.count == 1)
        #expect(damaged.groups.map(\.source) == ["\(folder.path)/b.json:0"])

        try folder.write("a.yml", "- targets: ['x:3']\n")
        let shortened = files.refresh(fileSystem)
        #expect(shortened.groups.map(\.targets.count) == [1, 1, 0])
        #expect(shortened.groups[2].source == "\(path):1")

        try folder.remove("b.json")
        let removed = files.refresh(fileSystem)
        #expect(removed.groups.map(\.source) == ["\(path):0", "\(folder.path)/b.json:0"])
        #expect(removed.groups[1].targets.isEmpty)
    }

    @Test(
        "Files that hold anything else are refused whole",
        arguments: [
            ("a.yml", "- targets: [x]\n-\n"), ("a.json", "[{\"targets\": [\"x\"]}, null]"),
            ("a.json", ""), ("a.json", "[{\"targets\": [1]}]"), ("a.yml", "- target: [x]\n"),
            ("a.yml", "targets: [x]\n"), ("a.yml", "- labels: {'': x}\n"),
        ])
    func refusals(name: String, text: String) throws {
        let folder = try Folder()
        try folder.write(name, text)
        #expect(throws: (any Error).self) {
            try TargetFiles.read("\(folder.path)/\(name)", fileSystem)
        }
    }

    @Test("An empty YAML file has no groups")
    func empty() throws {
        let folder = try Folder()
        try folder.write("a.yml", "# nothing yet\n")
        #expect(try TargetFiles.read("\(folder.path)/a.yml", fileSystem).isEmpty)
    }
}
