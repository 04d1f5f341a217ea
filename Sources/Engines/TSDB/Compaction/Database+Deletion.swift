// SPDX-License-Identifier: Apache-2.0

internal import Instrumentation
package import Model
internal import Platform
package import Storage
internal import Synchronization

extension Database {
    /// Deletes the samples in a closed range of the series that fulfil the matchers, in blocks and
    /// head. They stay on disk until a compaction or `cleanTombstones`. Each block, and the head,
    /// changes as a whole or not at all.
    package func delete(_ range: TimeRange, _ matchers: [Matcher]) throws(StorageError) {
        try changeBlocks { () throws(StorageError) in
            for block in blocks where block.overlaps(range) {
                let changed = try block.deleting(range, matchers, environment.fileSystem)
                guard let changed else { continue }
                replace([block], with: changed)
                do throws(FileError) {
                    try environment.fileSystem.syncDirectory(changed.directory)
                } catch {
                    throw StorageError(error)
                }
            }
            let held = [head.timeRange, head.outOfOrderRange]
            if held.contains(where: { $0?.touches(range) ?? false }) {
                try head.delete(range, matchers)
            }
        }
    }

    /// Writes every block that has deletions anew without what is deleted.
    package func cleanTombstones() throws(StorageError) {
        try changeBlocks { () throws(StorageError) in
            let began = monotonicNanoseconds()
            defer {
                metrics.tombstoneCleaningSeconds.observe(
                    Double(monotonicNanoseconds() - began) / 1e9)
            }
            for block in blocks where !block.tombstones.isEmpty {
                do throws(StorageError) { try clean(block) } catch {
                    throw StorageError(
                        error.code, "clean tombstones: \(block.directory): \(error.message)")
                }
            }
        }
    }

    /// Runs `body` while nobody else changes the set of blocks, and none that is discarded is left.
    private func changeBlocks(_ body: () throws(StorageError) -> Void) throws(StorageError) {
        try requireWritable()
        var failure: StorageError?
        maintenance.withLock { _ in
            do throws(StorageError) {
                guard !state.withLock({ $0.isClosed }) else {
                    throw StorageError(.unavailable, "the database is closed")
                }
                try removeDiscarded()
                try body()
            } catch {
                failure = error
            }
        }
        if let failure { throw failure }
    }

    /// The block as a new one without its deleted samples, or gone where nothing is left. The
    /// caller holds `maintenance`.
    func clean(_ block: Block) throws(StorageError) {
        let began = monotonicNanoseconds()
        let id = environment.newID()
        let base = block.meta
        var meta = BlockMeta(id: id, range: base.range)
        meta.compaction.sources = [id]
        meta.compaction.parents = [BlockMeta.Parent(id: base.id, range: base.range)]
        meta.compaction.hints = base.compaction.hints
        meta.encoding = base.encoding
        let written = try writeBlock(BlockMerge([block]), meta)
        replace([block], with: try written.map(open))
        try discard([base.id])
        environment.log.info(
            written == nil ? "write block resulted in empty block" : "write block completed",
            [
                "mint": "\(base.range.start)", "maxt": "\(base.range.end)", "ulid": "\(id)",
                "parent": "\(base.id)", "duration": durationText(since: began),
            ])
    }
}
