// SPDX-License-Identifier: Apache-2.0

extension FileSystem {
    /// Creates a directory and the missing ones above it so that a power cut does not take them: an
    /// entry is on the device only once the directory that holds it was synced.
    package func createSyncedDirectory(_ path: String) throws(FileError) {
        if try status(of: path) != nil { return try createDirectory(path) }
        let above = path.utf8.lastIndex(of: UInt8(ascii: "/")).map { String(path[..<$0]) } ?? "."
        let parent = above.isEmpty ? "/" : above
        try createSyncedDirectory(parent)
        try createDirectory(path)
        try syncDirectory(parent)
    }
}
