// SPDX-License-Identifier: Apache-2.0

internal import Glibc

extension FileSystem {
    /// All bytes of a file, also of one whose size the kernel does not know (`/proc`). A file with
    /// more than `limit` bytes is refused with EFBIG.
    package func contents(of path: String, limit: Int = 1 << 30) throws(FileError) -> [UInt8] {
        let file = try open(path, .read)
        var bytes: [UInt8] = []
        var capacity = max(4096, try file.size() + 1)
        while true {
            let room = min(capacity - 1, limit - bytes.count) + 1
            let before = bytes.count
            bytes.append(contentsOf: repeatElement(0, count: room))
            let read = unsafe bytes.withUnsafeMutableBytes { all in
                Result { () throws(FileError) in
                    let rest = unsafe UnsafeMutableRawBufferPointer(rebasing: all[before...])
                    return try unsafe file.read(into: rest, at: before)
                }
            }
            let count = try read.get()
            bytes.removeLast(room - count)
            guard bytes.count <= limit else {
                throw FileError(operation: "read", path: path, code: EFBIG)
            }
            if count < room { return bytes }
            capacity = min(capacity * 2, 1 << 24)
        }
    }
}
