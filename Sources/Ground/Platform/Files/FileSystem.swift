// SPDX-License-Identifier: Apache-2.0

/// The disk as everything above it sees it: the one seam at which tests inject faults.
package protocol FileSystem: Sendable {
    func open(_ path: String, _ mode: OpenMode) throws(FileError) -> any OpenFile
    /// The whole file, read-only, in memory that the kernel fills on demand.
    func map(_ path: String) throws(FileError) -> MappedFile
    /// The entries of a directory, sorted by name bytewise, without `.` and `..`.
    func entries(of directory: String) throws(FileError) -> [DirectoryEntry]
    /// Size and kind, or nil where nothing has this path.
    func status(of path: String) throws(FileError) -> FileStatus?
    /// Replaces what stands at `new`.
    func rename(_ old: String, to new: String) throws(FileError)
    /// A second name for a file (hard link).
    func link(_ existing: String, as new: String) throws(FileError)
    /// Removes a file, or a directory with all that is in it; a missing path is no error.
    func remove(_ path: String) throws(FileError)
    /// Creates a directory and the missing ones above it.
    func createDirectory(_ path: String) throws(FileError)
    /// Makes renames, creations and removals in a directory survive a power cut.
    func syncDirectory(_ path: String) throws(FileError)
    /// Exclusive use of a folder by a lock on a file in it, which is created where it is missing.
    func lock(_ path: String) throws(FileLockError) -> FileLock
}

extension FileSystem {
    /// The lock of the machine's own files, for file systems that stand on them.
    package func lock(_ path: String) throws(FileLockError) -> FileLock { try FileLock(path) }
}

package enum OpenMode: Sendable, Hashable {
    case read
    /// Reading and writing; created where missing.
    case readWrite
    /// Reading and writing; must not exist.
    case create
    /// Reading and writing; emptied or created.
    case replace
    /// Writing only; created where missing. What is written goes to the end, whatever offset is
    /// given, so that others may cut the file meanwhile.
    case append
}

package struct DirectoryEntry: Sendable, Hashable {
    package var name: String
    package var isDirectory: Bool

    package init(name: String, isDirectory: Bool) {
        self.name = name
        self.isDirectory = isDirectory
    }
}

package struct FileStatus: Sendable, Hashable {
    package var size: Int
    /// What the file occupies on the device.
    package var allocated: Int
    package var isDirectory: Bool
    package var modified: Int64

    package init(size: Int, allocated: Int, isDirectory: Bool, modified: Int64) {
        self.size = size
        self.allocated = allocated
        self.isDirectory = isDirectory
        self.modified = modified
    }
}

/// An open file. Positions are explicit, so several threads may use it; closed when released.
package protocol OpenFile: AnyObject, Sendable {
    var path: String { get }
    func size() throws(FileError) -> Int
    /// Fills `buffer` from `offset`; fewer bytes only at the end of the file. Returns how many.
    func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int) throws(FileError) -> Int
    /// Writes all bytes at `offset`.
    func write(_ bytes: RawSpan, at offset: Int) throws(FileError)
    func truncate(to size: Int) throws(FileError)
    /// Returns when the contents are on the device.
    func sync() throws(FileError)
}

/// What the operating system refused, in Go's wording: `open /x/y: no such file or directory`.
package struct FileError: Error, Sendable, Hashable, CustomStringConvertible {
    package var operation: String
    package var path: String
    package var code: Int32

    package init(operation: String, path: String, code: Int32) {
        self.operation = operation
        self.path = path
        self.code = code
    }

    package var description: String { "\(operation) \(path): \(systemErrorText(code))" }
}
