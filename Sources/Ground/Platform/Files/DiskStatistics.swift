// SPDX-License-Identifier: Apache-2.0

internal import Glibc

/// The room on the device that holds a path, in bytes.
package struct DiskStatistics: Sendable, Hashable {
    package var total: Int
    /// What an ordinary user may still write.
    package var available: Int

    package init(at path: String) throws(FileError) {
        var found = statvfs()
        guard unsafe statvfs(path, &found) == 0 else {
            throw FileError(operation: "statvfs", path: path, code: errno)
        }
        let unit = Int(found.f_frsize)
        total = Int(found.f_blocks) * unit
        available = Int(found.f_bavail) * unit
    }
}
