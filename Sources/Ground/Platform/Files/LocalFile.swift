// SPDX-License-Identifier: Apache-2.0

internal import Glibc

/// An open file of the machine: a descriptor, closed when the last reference goes.
final class LocalFile: OpenFile {
    let path: String
    private let descriptor: Int32

    init(_ path: String, _ mode: OpenMode) throws(FileError) {
        let flags =
            switch mode {
            case .read: O_RDONLY
            case .readWrite: O_RDWR | O_CREAT
            case .create: O_RDWR | O_CREAT | O_EXCL
            case .replace: O_RDWR | O_CREAT | O_TRUNC
            case .append: O_WRONLY | O_CREAT | O_APPEND
            }
        descriptor = unsafe Glibc.open(path, flags | O_CLOEXEC, 0o666)
        self.path = path
        guard descriptor >= 0 else { throw FileError(operation: "open", path: path, code: errno) }
    }

    deinit {
        if descriptor >= 0 { close(descriptor) }
    }

    private func failure(_ operation: String) -> FileError {
        FileError(operation: operation, path: path, code: errno)
    }

    func size() throws(FileError) -> Int {
        var found = stat()
        guard unsafe fstat(descriptor, &found) == 0 else { throw failure("stat") }
        return Int(found.st_size)
    }

    func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int) throws(FileError) -> Int {
        var done = 0
        while done < buffer.count {
            let rest = unsafe UnsafeMutableRawBufferPointer(rebasing: buffer[done...])
            let count = unsafe pread(descriptor, rest.baseAddress, rest.count, offset + done)
            if count < 0 {
                if errno == EINTR { continue }
                throw failure("read")
            }
            if count == 0 { break }
            done += count
        }
        return done
    }

    func write(_ bytes: RawSpan, at offset: Int) throws(FileError) {
        let code = unsafe bytes.withUnsafeBytes { unsafe writeAll($0, at: offset) }
        guard code == 0 else { throw FileError(operation: "write", path: path, code: code) }
    }

    /// Zero, or the errno that stopped the writing.
    private func writeAll(_ bytes: UnsafeRawBufferPointer, at offset: Int) -> Int32 {
        var done = 0
        while done < bytes.count {
            let rest = unsafe UnsafeRawBufferPointer(rebasing: bytes[done...])
            let count = unsafe pwrite(descriptor, rest.baseAddress, rest.count, offset + done)
            if count < 0 {
                if errno == EINTR { continue }
                return errno
            }
            done += count
        }
        return 0
    }

    func truncate(to size: Int) throws(FileError) {
        guard ftruncate(descriptor, size) == 0 else { throw failure("truncate") }
    }

    func sync() throws(FileError) {
        guard fdatasync(descriptor) == 0 else { throw failure("sync") }
    }
}
