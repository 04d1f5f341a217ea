// SPDX-License-Identifier: Apache-2.0

import Platform
import Simulation
import Testing

@Suite struct MemoryDiskTests {
    private let disk = MemoryDisk()

    private func write(_ text: String, _ path: String, at offset: Int = 0) throws {
        let bytes = Array(text.utf8)
        try disk.open(path, .readWrite).write(bytes.span.bytes, at: offset)
    }

    private func text(_ path: String) throws -> String {
        String(decoding: try disk.contents(of: path), as: UTF8.self)
    }

    @Test("A power cut takes contents that were not synced")
    func contents() throws {
        try write("kept", "/file")
        try disk.open("/file", .readWrite).sync()
        try disk.syncDirectory("/")
        try write(" and lost", "/file", at: 4)
        #expect(try text("/file") == "kept and lost")
        disk.cutPower(.nothingElseSurvives)
        #expect(try text("/file") == "kept")
    }

    @Test("A power cut takes files and directories whose directory was not synced")
    func entries() throws {
        try disk.createSyncedDirectory("/a/b")
        try write("x", "/a/b/synced")
        try disk.open("/a/b/synced", .readWrite).sync()
        try disk.syncDirectory("/a/b")
        try write("x", "/a/b/new")
        try disk.open("/a/b/new", .readWrite).sync()
        try disk.rename("/a/b/synced", to: "/a/b/renamed")
        try disk.createDirectory("/a/c")
        disk.cutPower(.nothingElseSurvives)
        #expect(try disk.entries(of: "/a").map(\.name) == ["b"])
        #expect(try disk.entries(of: "/a/b").map(\.name) == ["synced"])
    }

    @Test("A file that takes its name before its contents are synced can be found torn")
    func renames() throws {
        let found = try Set(
            (0..<200 as Range<UInt64>).map { seed in
                let disk = MemoryDisk()
                let bytes = Array("whole".utf8)
                let file = try disk.open("/file.tmp", .create)
                try file.write(bytes.span.bytes, at: 0)
                try disk.rename("/file.tmp", to: "/file")
                try disk.syncDirectory("/")
                disk.reseed(seed)
                disk.cutPower(.mixed)
                return String(decoding: try disk.contents(of: "/file"), as: UTF8.self)
            })
        #expect(found.isSuperset(of: ["", "w", "whol", "whole"]))
    }

    @Test("A kill leaves what was written")
    func kill() throws {
        try write("written", "/file")
        disk.kill()
        #expect(try text("/file") == "written")
    }

    @Test("A full disk takes what fits, and more once room was made")
    func fullDisk() throws {
        try write("old", "/old")
        var faults = DiskFaults()
        faults.room = 2
        disk.faults = faults
        let error = #expect(throws: FileError.self) { try write("12345", "/file") }
        #expect(error?.description == "write /file: no space left on device")
        #expect(try text("/file") == "12")
        #expect(throws: FileError.self) { try write("x", "/other") }
        try disk.remove("/old")
        try write("345", "/file", at: 2)
        #expect(try text("/file") == "12345")
    }

    @Test("Chosen operations fail, the others do not")
    func faults() throws {
        try write("x", "/file")
        var faults = DiskFaults()
        faults.failingOneIn = 1
        faults.operations = [.rename, .sync]
        disk.faults = faults
        #expect(throws: FileError.self) { try disk.rename("/file", to: "/other") }
        #expect(throws: FileError.self) { try disk.open("/file", .readWrite).sync() }
        try write("y", "/file")
        #expect(try text("/file") == "y")
    }

    @Test("A folder is locked once, until it is released or its process ends")
    func locks() throws {
        var lock: FileLock? = try disk.lock("/lock")
        #expect(throws: FileLockError.self) { try disk.lock("/lock") }
        withExtendedLifetime(lock) {}
        lock = nil
        let held = try disk.lock("/lock")
        disk.kill()
        let next = try disk.lock("/lock")
        withExtendedLifetime((held, next)) {}
    }

    @Test("A link keeps the contents of a file that is removed")
    func links() throws {
        try write("x", "/file")
        try disk.link("/file", as: "/link")
        try disk.remove("/file")
        #expect(try text("/link") == "x")
        disk.flip("/link", bit: 0)
        #expect(try text("/link") == "y")
    }
}
