// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

@Suite struct LayerTests {
    private let manifest = Manifest()

    /// What the system and the compiler bring.
    private let platform: Set<String> = ["Glibc", "Synchronization", "Swift"]
    /// Each foreign package enters by one gate.
    private let gates: [String: Set<String>] = [
        "HTTP": ["NIOCore", "NIOPosix", "NIOHTTP1"]
    ]

    private var importLine: Regex<(Substring, Substring)> {
        #/^\s*(?:\w+ )?import (?:(?:func|struct|class|enum) )?(\w+)/#
    }

    @Test("The table of layers can be read")
    func table() {
        #expect(manifest.modules.count > 25)
        #expect(manifest.modules.first { $0.name == "Model" }?.uses == ["Bytes", "LinearRegex"])
    }

    @Test("A module imports only what the table of layers says it uses")
    func imports() {
        for module in manifest.modules where module.layer != "Shims" {
            let allowed = module.uses.union(platform).union(gates[module.name] ?? [])
            for file in Repository.files(below: module.folder, ".swift") {
                for line in Repository.code(file) {
                    guard let match = line.firstMatch(of: importLine) else { continue }
                    let imported = String(match.output.1)
                    #expect(allowed.contains(imported), "\(file) imports \(imported)")
                }
            }
        }
    }

    /// A build that follows another one finds modules that a fresh one does not.
    @Test("Tests import only what the table of tests says they use")
    func importsOfTests() {
        let text = Repository.text("Package.swift")
        let targets = text.matches(of: #/"(\w+Tests)": \[([^\]]*)\]/#)
        #expect(targets.count > 25)
        for target in targets {
            let uses = target.output.2.matches(of: #/"(\w+)"/#).map { String($0.output.1) }
            let allowed = platform.union(uses).union(["Foundation", "Testing"])
            for file in Repository.files(below: "Tests/\(target.output.1)", ".swift") {
                for line in Repository.code(file) {
                    guard let match = line.firstMatch(of: importLine) else { continue }
                    let imported = String(match.output.1)
                    #expect(allowed.contains(imported), "\(file) imports \(imported)")
                }
            }
        }
    }

    @Test("Every module in the table has sources, and every folder of sources is in the table")
    func folders() throws {
        let listed = Set(manifest.modules.map(\.folder))
        for module in manifest.modules {
            let files = Repository.files(below: module.folder, ".swift", ".c", ".cpp")
            #expect(!files.isEmpty, "\(module.folder) has no sources")
        }
        let layers = try FileManager.default.contentsOfDirectory(
            atPath: Repository.root.appendingPathComponent("Sources").path)
        for layer in layers {
            let folder = Repository.root.appendingPathComponent("Sources/\(layer)").path
            for module in try FileManager.default.contentsOfDirectory(atPath: folder) {
                #expect(listed.contains("Sources/\(layer)/\(module)"), "\(layer)/\(module)")
            }
        }
    }

    @Test("ARCHITECTURE.md describes exactly the modules of the table")
    func map() {
        let lines = Repository.text("ARCHITECTURE.md").split(separator: "\n")
        let described = lines.compactMap { $0.firstMatch(of: #/^- \*\*(\w+)\*\*/#)?.output.1 }
        #expect(Set(described.map(String.init)) == Set(manifest.modules.map(\.name)))
        #expect(lines.count <= 300)
    }
}
