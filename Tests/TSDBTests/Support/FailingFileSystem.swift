// SPDX-License-Identifier: Apache-2.0

import Bytes
import Foundation
import Platform
import Synchronization

/// The local disk, which refuses one change with "no space left on device", or that one and all
/// later ones, as after a crash.
final class FailingFileSystem: FileSystem {
    private let disk = LocalFileSystem()
    private let changes = Mutex(0)
    private let failing: Mutex<(first: Int, isFinal: Bool)>

    init() { failing = Mutex((Int.max, false)) }

    /// Counts from now on and refuses the change with this number, from zero.
    func fail(at change: Int, isFinal: Bool) {
        changes.withLock { $0 = 0 }
        failing.withLock { $0 = (change, isFinal) }
    }

    /// How many changes there were since.
    var count: Int { changes.withLock { $0 } }

    fileprivate func change(_ operation: String, _ path: String) throws(FileError) {
        let number = changes.withLock { count in
            defer { count += 1 }
            return count
        }
        let (first, isFinal) = failing.withLock { $0 }
        if number == first || (isFinal && number > first) {
            throw FileError(operation: operation, path: path, code: ENOSPC)
        }
    }

    func open(_ path: String, _ mode: OpenMode) throws(FileError) -> any OpenFile {
        if mode != .read { try change("open", path) }
        return FailingFile(try disk.open(path, mode), self)
    }
    func map(_ path: String) throws(FileError) -> MappedFile { try disk.map(path) }
    func entries(of directory: String) throws(FileError) -> [DirectoryEntry] {
        try disk.entries(of: directory)
    }
    func status(of path: String) throws(FileError) -> FileStatus? { try disk.status(of: path) }
    func rename(_ old: String, to new: String) throws(FileError) {
        try change("rename", old)
        try disk.rename(old, to: new)
    }
    func link(_ existing: String, as new: String) throws(FileError) {
        try change("link", existing)
        try disk.link(existing, as: new)
    }
    func remove(_ path: String) throws(FileError) {
        try change("remove", path)
        try disk.remove(path)
    }
    func createDirectory(_ path: String) throws(FileError) {
        try change("mkdir", path)
        try disk.createDirectory(path)
    }
    func syncDirectory(_ path: String) throws(FileError) {
        try change("sync", path)
        try disk.syncDirectory(path)
    }
}

private final class FailingFile: OpenFile {
    private let file: any OpenFile
    private let system: FailingFileSystem

    init(_ file: any OpenFile, _ system: FailingFileSystem) {
        self.file = file
        self.system = system
    }

    var path: String { file.path }
    func size() throws(FileError) -> Int { try file.size() }
    func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int) throws(FileError) -> Int {
        try file.read(into: buffer, at: offset)
    }
    func write(_ bytes: RawSpan, at offset: Int) throws(FileError) {
        try system.change("write", path)
        try file.write(bytes, at: offset)
    }
    func truncate(to size: Int) throws(FileError) {
        try system.change("truncate", path)
        try file.truncate(to: size)
    }
    func sync() throws(FileError) {
        try system.change("sync", path)
        try file.sync()
    }
}
