// SPDX-License-Identifier: Apache-2.0

import Platform
import Testing

@Suite struct LocalFileSystemTests {
    let folder = TemporaryFolder()
    let disk = LocalFileSystem()

    private func write(_ text: String, to path: String) throws {
        let file = try disk.open(path, .replace)
        try write(Array(text.utf8), to: file, at: 0)
        try file.sync()
    }

    private func write(_ bytes: [UInt8], to file: any OpenFile, at offset: Int) throws {
        try file.write(bytes.span.bytes, at: offset)
    }

    private func text(_ path: String) throws -> String {
        String(decoding: try disk.contents(of: path), as: UTF8.self)
    }

    @Test func whatIsWrittenIsReadBackAtItsOffset() throws {
        let path = folder.path + "/a"
        let file = try disk.open(path, .create)
        try write([1, 2, 3, 4], to: file, at: 0)
        try write([9], to: file, at: 2)
        #expect(try file.size() == 4)
        #expect(try disk.contents(of: path) == [1, 2, 9, 4])
        var buffer = [UInt8](repeating: 0, count: 8)
        let count = try buffer.withUnsafeMutableBytes { try file.read(into: $0, at: 3) }
        #expect(count == 1)
        try file.truncate(to: 1)
        #expect(try disk.contents(of: path) == [1])
    }

    @Test func modesDecideAboutFilesThatExistOrDoNot() throws {
        let path = folder.path + "/a"
        #expect(throws: FileError.self) { try disk.open(path, .read) }
        try write("old", to: path)
        #expect(throws: FileError.self) { try disk.open(path, .create) }
        #expect(try disk.open(path, .readWrite).size() == 3)
        #expect(try disk.open(path, .replace).size() == 0)
    }

    @Test func errorsReadAsGoWritesThem() throws {
        let missing = folder.path + "/missing"
        let error = #expect(throws: FileError.self) { try disk.open(missing, .read) }
        #expect(error?.description == "open \(missing): no such file or directory")
        let moved = #expect(throws: FileError.self) { try disk.rename(missing, to: missing + "2") }
        #expect(moved?.description == "rename \(missing) \(missing)2: no such file or directory")
        let listed = #expect(throws: FileError.self) { try disk.entries(of: missing) }
        #expect(listed?.description == "open \(missing): no such file or directory")
    }

    @Test func entriesAreSortedBytewiseWithTheirKinds() throws {
        for name in ["b", "B", "é", "a"] { try write("", to: folder.path + "/" + name) }
        try disk.createDirectory(folder.path + "/c/d/e")
        let entries = try disk.entries(of: folder.path)
        #expect(entries.map(\.name) == ["B", "a", "b", "c", "é"])
        #expect(entries.filter(\.isDirectory).map(\.name) == ["c"])
    }

    @Test func removingTakesWholeTreesAndForgivesWhatIsMissing() throws {
        try disk.createDirectory(folder.path + "/c/d/e")
        try write("x", to: folder.path + "/c/d/file")
        try disk.remove(folder.path + "/c")
        try disk.remove(folder.path + "/c")
        #expect(try disk.status(of: folder.path + "/c") == nil)
    }

    @Test func renameReplacesAndLinkSharesTheContents() throws {
        let (a, b, c) = (folder.path + "/a", folder.path + "/b", folder.path + "/c")
        try write("new", to: a)
        try write("old", to: b)
        try disk.rename(a, to: b)
        try disk.link(b, as: c)
        try disk.syncDirectory(folder.path)
        #expect(try text(b) == "new")
        #expect(try text(c) == "new")
        #expect(try disk.status(of: a) == nil)
        let status = try #require(try disk.status(of: b))
        #expect(status.size == 3 && !status.isDirectory && status.modified > 1_600_000_000_000)
    }

    @Test func filesOfUnknownSizeAreReadWholeAndLimitsHold() throws {
        #expect(try text("/proc/self/stat").contains(") "))
        let path = folder.path + "/a"
        try write(String(repeating: "x", count: 100_000), to: path)
        #expect(try disk.contents(of: path, limit: 100_000).count == 100_000)
        #expect(throws: FileError.self) { _ = try disk.contents(of: path, limit: 99_999) }
    }

    @Test func aMappedFileShowsItsBytes() throws {
        let path = folder.path + "/a"
        try write("mapped", to: path)
        let file = try disk.map(path)
        #expect(file.count == 6)
        let last = file.bytes.unsafeLoad(fromByteOffset: 5, as: UInt8.self)
        #expect(last == UInt8(ascii: "d"))
        try write("", to: path)
        let empty = try disk.map(path)
        #expect(empty.count == 0)
    }

    @Test func aLockIsHeldOnceAndGivenBack() throws {
        let path = folder.path + "/lock"
        var first: FileLock? = try FileLock(path)
        let error = #expect(throws: FileLockError.self) { try FileLock(path) }
        #expect(error == .held(path: path))
        #expect(error?.description.hasPrefix("lock \(path): resource temporarily") == true)
        #expect(first != nil)
        first = nil
        _ = try FileLock(path)
        #expect(throws: FileLockError.self) { try FileLock(folder.path + "/no/lock") }
    }

    @Test func theDiskHasRoom() throws {
        let disk = try DiskStatistics(at: folder.path)
        #expect(disk.total >= disk.available && disk.available > 0)
        #expect(throws: FileError.self) { try DiskStatistics(at: folder.path + "/missing") }
    }
}
