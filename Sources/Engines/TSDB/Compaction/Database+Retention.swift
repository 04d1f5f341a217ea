// SPDX-License-Identifier: Apache-2.0

internal import Instrumentation
internal import Model
internal import Platform
internal import Storage
internal import Synchronization

extension Database {
    /// Removes the blocks that have outlived their time or their place. The caller holds
    /// `maintenance`.
    func removeOutlived() throws(StorageError) {
        let loaded = blocks
        let settings = state.withLock { $0.settings.retention }
        let retention = Retention(
            loaded.map { ($0.meta, $0.byteCount) }, time: settings.time,
            bytes: limit(settings), otherBytes: head.byteCount)
        let outlived = retention.outlived
        guard !outlived.isEmpty else { return }
        publish(loaded.filter { !outlived.contains($0.meta.id) })
        for id in outlived.sorted() {
            environment.log.info("Deleting obsolete block", ["block": "\(id)"])
            try BlockDirectories.remove(id, in: directory, environment.fileSystem)
        }
        if !retention.beyondTime.isEmpty { metrics.timeRetentions.increment() }
        if !retention.beyondSize.isEmpty { metrics.sizeRetentions.increment() }
    }

    /// How many bytes may be occupied; zero for any number. A disk may grow, so its size is asked
    /// each time.
    private func limit(_ settings: RetentionSettings) -> Int {
        guard settings.percentage > 0 else { return settings.bytes }
        guard let size = environment.diskSize(directory), size > 0 else {
            environment.log.warn(
                "The size of the disk is unknown: the fixed limit in bytes counts instead of the "
                    + "percentage", ["dir": directory])
            return settings.bytes
        }
        return Int(Double(size) * settings.percentage / 100)
    }
}
