// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import Instrumentation
internal import Model
internal import Platform
internal import Storage

/// The steps before a database exists: lock, clear leftovers, open blocks.
struct DatabaseOpening {
    let directory: String
    let metrics: DatabaseMetrics
    let lock: FileLock
    private(set) var blocks: [Block] = []
    /// Blocks have all in order before it: the head takes nothing older.
    let startOfHead: Timestamp

    init(
        _ directory: String, _ environment: DatabaseEnvironment
    ) throws(StorageError) {
        let fileSystem = environment.fileSystem
        self.directory = directory
        metrics = DatabaseMetrics(environment.registry)
        let lockPath = "\(directory)/lock"
        let wasClean: Bool
        do {
            try fileSystem.createSyncedDirectory(directory)
            wasClean = try fileSystem.status(of: lockPath) == nil
        } catch {
            throw StorageError(error)
        }
        do { lock = try fileSystem.lock(lockPath) } catch {
            throw StorageError(.unavailable, "\(error)")
        }
        environment.registry.gauge(
            "prometheus_tsdb_clean_start",
            "-1: lockfile is disabled. 0: a lockfile from a previous execution was replaced. 1: "
                + "lockfile creation was clean"
        ).set(wasClean ? 1 : 0)
        if !wasClean {
            environment.log.warn(
                "A lockfile from a previous execution already existed. It was replaced",
                ["file": lockPath])
        }

        try BlockDirectories.removeLeftovers(directory, fileSystem)
        let found = try BlockDirectories(directory, loaded: [:], fileSystem)
        for (id, error) in found.damaged {
            environment.log.error(
                "A damaged block is left out of queries; its files stay as they are",
                ["block": id.description, "err": error.message])
        }
        metrics.corruptBlocks.set(Double(found.damaged.count))
        let replaced = found.replaced
        blocks = found.blocks.filter { !replaced.contains($0.meta.id) }
        for id in replaced { try BlockDirectories.remove(id, in: directory, fileSystem) }
        let end = blocks.filter(\.meta.isInOrder).map(\.meta.range.end).max() ?? .earliest
        // Of what a damaged block had the log may still have a part.
        guard found.damaged.isEmpty else {
            startOfHead = end
            return
        }
        do throws(FileError) {
            startOfHead = max(end, try HeadStart.read(directory, fileSystem))
        } catch {
            throw StorageError(error)
        }
    }
}
