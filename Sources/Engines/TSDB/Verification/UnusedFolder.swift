// SPDX-License-Identifier: Apache-2.0

internal import Platform
internal import Storage

/// A data folder that no server uses, locked against one that would begin to.
struct UnusedFolder {
    private let lock: FileLock
    private let isNew: Bool
    private let fileSystem: any FileSystem

    init(_ directory: String, _ fileSystem: any FileSystem) throws(StorageError) {
        self.fileSystem = fileSystem
        let path = "\(directory)/lock"
        isNew = (try? fileSystem.status(of: path)) == nil
        do { lock = try fileSystem.lock(path) } catch {
            throw StorageError(.unavailable, "the folder is in use: \(error)")
        }
    }

    /// Lets go of the folder. The lock of an unclean end stays, for the next start to see.
    func release() {
        if isNew { try? fileSystem.remove(lock.path) }
        withExtendedLifetime(lock) {}
    }
}
