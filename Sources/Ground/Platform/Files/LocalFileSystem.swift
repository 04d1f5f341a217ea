// SPDX-License-Identifier: Apache-2.0

internal import Glibc

/// The machine's own file system. Errors carry Go's name of the operation, so that messages read as
/// upstream's do.
package struct LocalFileSystem: FileSystem {
    package init() {}

    package func open(_ path: String, _ mode: OpenMode) throws(FileError) -> any OpenFile {
        try LocalFile(path, mode)
    }

    package func map(_ path: String) throws(FileError) -> MappedFile { try MappedFile(path) }

    package func entries(of directory: String) throws(FileError) -> [DirectoryEntry] {
        guard let stream = unsafe opendir(directory) else {
            throw FileError(operation: "open", path: directory, code: errno)
        }
        defer { unsafe _ = closedir(stream) }
        var entries: [DirectoryEntry] = []
        while true {
            errno = 0
            guard let entry = unsafe readdir(stream) else { break }
            let name = unsafe name(of: entry)
            if name == "." || name == ".." { continue }
            let kind = unsafe Int(entry.pointee.d_type)
            var isDirectory = kind == Int(DT_DIR)
            if kind == Int(DT_UNKNOWN) || kind == Int(DT_LNK) {
                isDirectory = try status(of: "\(directory)/\(name)")?.isDirectory ?? false
            }
            entries.append(DirectoryEntry(name: name, isDirectory: isDirectory))
        }
        guard errno == 0 else {
            throw FileError(operation: "readdirent", path: directory, code: errno)
        }
        return entries.sorted { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }
    }

    /// The record may end right behind its name, so the name is read through the record's address
    /// and never through a copy of the declared structure.
    private func name(of entry: UnsafeMutablePointer<dirent>) -> String {
        let offset = MemoryLayout<dirent>.offset(of: \dirent.d_name)!
        let start = unsafe UnsafeRawPointer(entry) + offset
        return unsafe String(cString: start.assumingMemoryBound(to: CChar.self))
    }

    package func status(of path: String) throws(FileError) -> FileStatus? {
        var found = stat()
        guard unsafe stat(path, &found) == 0 else {
            if errno == ENOENT || errno == ENOTDIR { return nil }
            throw FileError(operation: "stat", path: path, code: errno)
        }
        return FileStatus(
            size: Int(found.st_size), allocated: Int(found.st_blocks) * 512,
            isDirectory: found.st_mode & S_IFMT == S_IFDIR,
            modified: Int64(found.st_mtim.tv_sec) * 1000
                + Int64(found.st_mtim.tv_nsec) / 1_000_000)
    }

    package func rename(_ old: String, to new: String) throws(FileError) {
        guard unsafe Glibc.rename(old, new) == 0 else {
            throw FileError(operation: "rename", path: "\(old) \(new)", code: errno)
        }
    }

    package func link(_ existing: String, as new: String) throws(FileError) {
        guard unsafe Glibc.link(existing, new) == 0 else {
            throw FileError(operation: "link", path: "\(existing) \(new)", code: errno)
        }
    }

    package func remove(_ path: String) throws(FileError) {
        if unsafe unlink(path) == 0 || errno == ENOENT { return }
        // Linux answers EISDIR for a directory; POSIX allows EPERM.
        guard errno == EISDIR || errno == EPERM else {
            throw FileError(operation: "unlinkat", path: path, code: errno)
        }
        for entry in try entries(of: path) { try remove("\(path)/\(entry.name)") }
        guard unsafe rmdir(path) == 0 || errno == ENOENT else {
            throw FileError(operation: "unlinkat", path: path, code: errno)
        }
    }

    package func createDirectory(_ path: String) throws(FileError) {
        if unsafe mkdir(path, 0o777) == 0 { return }
        switch errno {
        case EEXIST:
            if try status(of: path)?.isDirectory == true { return }
            throw FileError(operation: "mkdir", path: path, code: ENOTDIR)
        case ENOENT:
            guard let slash = path.utf8.dropLast().lastIndex(of: UInt8(ascii: "/")),
                slash > path.startIndex
            else { throw FileError(operation: "mkdir", path: path, code: ENOENT) }
            try createDirectory(String(path[..<slash]))
            guard unsafe mkdir(path, 0o777) == 0 || errno == EEXIST else {
                throw FileError(operation: "mkdir", path: path, code: errno)
            }
        default:
            throw FileError(operation: "mkdir", path: path, code: errno)
        }
    }

    package func syncDirectory(_ path: String) throws(FileError) {
        let descriptor = unsafe Glibc.open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw FileError(operation: "open", path: path, code: errno) }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 else {
            throw FileError(operation: "sync", path: path, code: errno)
        }
    }
}
