// SPDX-License-Identifier: Apache-2.0

internal import Glibc

/// Exclusive use of a folder, by an advisory lock (`flock`) on a file in it: the same lock that
/// upstream takes, so the two programs exclude each other too. Given up by `release`, when this
/// object goes, and by the kernel when the process ends however it ends. The file stays.
package final class FileLock: Sendable {
    package let path: String
    private let descriptor: Int32
    private let release: @Sendable () -> Void

    /// A lock that another file system gave; `release` runs when this object goes.
    package init(_ path: String, release: @escaping @Sendable () -> Void) {
        self.path = path
        self.release = release
        descriptor = -1
    }

    package init(_ path: String) throws(FileLockError) {
        self.path = path
        release = {}
        descriptor = unsafe Glibc.open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o666)
        guard descriptor >= 0 else {
            throw .file(FileError(operation: "open", path: path, code: errno))
        }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            if errno == EWOULDBLOCK { throw .held(path: path) }
            throw .file(FileError(operation: "lock", path: path, code: errno))
        }
    }

    deinit {
        if descriptor >= 0 { close(descriptor) }
        release()
    }
}

package enum FileLockError: Error, Sendable, Hashable, CustomStringConvertible {
    /// Another process, or another lock of this one, has it.
    case held(path: String)
    case file(FileError)

    package var description: String {
        switch self {
        case .held(let path):
            "lock \(path): resource temporarily unavailable (another process uses this folder)"
        case .file(let error): error.description
        }
    }
}
