// SPDX-License-Identifier: Apache-2.0

internal import Instrumentation
internal import Model
internal import Platform
internal import Storage
internal import Synchronization

extension Database {
    /// How long a round may write blocks anew because of their series: what is left waits for the
    /// next one, hidden.
    private static let rewritingNanoseconds: UInt64 = 20_000_000_000

    /// Removes the blocks that have outlived their time or their place. The caller holds
    /// `maintenance`.
    func removeOutlived() throws(StorageError) {
        let loaded = blocks
        let settings = state.withLock { $0.settings.retention }
        // Where series have times of their own, some may stay when the time of the rest is over.
        let retention = Retention(
            loaded.map { ($0.meta, $0.byteCount) },
            time: settings.series.isEmpty ? settings.time : 0, bytes: limit(settings),
            otherBytes: head.byteCount)
        let outlived = retention.outlived
        guard !outlived.isEmpty else { return }
        publish(loaded.filter { !outlived.contains($0.meta.id) })
        try removeObsolete(outlived.sorted())
        if !retention.beyondTime.isEmpty { metrics.timeRetentions.increment() }
        if !retention.beyondSize.isEmpty { metrics.sizeRetentions.increment() }
    }

    private func removeObsolete(_ ids: [ULID]) throws(StorageError) {
        for id in ids { environment.log.info("Deleting obsolete block", ["block": "\(id)"]) }
        try discard(ids)
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

    // MARK: Series with times of their own

    /// What is hidden of some blocks, by their names. `all` are the blocks whose newest end counts.
    func expiries(
        of blocks: [Block], among all: [Block], _ settings: RetentionSettings
    ) -> [ULID: SeriesExpiry] {
        guard !settings.series.isEmpty, let newest = all.map(\.meta.range.end).max() else {
            return [:]
        }
        var expiries: [ULID: SeriesExpiry] = [:]
        for block in blocks {
            expiries[block.meta.id] = SeriesExpiry(block.meta, settings, newest: newest)
        }
        return expiries
    }

    /// The blocks that hold only series with longer times than the rest. They no longer go as a
    /// whole, so they may be merged to larger ones than others.
    func beyondRetention(_ metas: [BlockMeta]) -> [BlockMeta] {
        let settings = state.withLock { $0.settings.retention }
        guard !settings.series.isEmpty, settings.time > 0,
            let newest = metas.map(\.range.end).max()
        else { return [] }
        return metas.filter { newest &- $0.range.end >= settings.time }
    }

    /// Writes blocks anew without the series whose time is over; removes those in which no others
    /// are left. The oldest come first. The caller holds `maintenance`.
    func removeOutlivedSeries() throws(StorageError) {
        let settings = state.withLock { $0.settings.retention }
        guard !settings.series.isEmpty else { return }
        let began = monotonicNanoseconds()
        let all = blocks
        let expiries = expiries(of: all, among: all, settings)
        var examined = state.withLock { $0.examined }.filter { expiries[$0.key] != nil }
        defer { state.withLock { $0.examined = examined } }
        for block in all {
            guard let expiry = expiries[block.meta.id], !block.meta.compaction.hasFailed,
                expiry.hiddenClasses.contains(true),
                examined[block.meta.id] != expiry.hiddenClasses
            else { continue }
            if isHeadDue || monotonicNanoseconds() - began > Self.rewritingNanoseconds { return }
            let refs = try block.index.series(matching: [])
            let shown = try expiry.shown(refs, in: block).count
            if shown == refs.count {
                examined[block.meta.id] = expiry.hiddenClasses
            } else {
                try write(block, without: expiry, hidden: refs.count - shown)
                metrics.outlivedSeries.increment(by: Double(refs.count - shown))
                if expiry.hidesRest { metrics.timeRetentions.increment() }
            }
        }
    }

    private func write(
        _ block: Block, without expiry: SeriesExpiry, hidden: Int
    ) throws(StorageError) {
        let began = monotonicNanoseconds()
        let id = environment.newID()
        let source = BlockMerge([block], [block.meta.id: expiry])
        var meta = source.meta(id: id)
        meta.compaction.level = block.meta.compaction.level
        meta.encoding = block.meta.encoding
        let written: BlockMeta?
        do throws(StorageError) {
            written = try writeBlock(source, meta)
        } catch {
            if error.code == .damaged { try markFailed([block]) }
            throw error
        }
        replace([block], with: try written.map(open))
        try removeObsolete([block.meta.id])
        metrics.outlivedRewrites.increment()
        environment.log.info(
            "series left a block because their retention time is over",
            [
                "parent": "\(block.meta.id)", "ulid": written == nil ? "none" : "\(id)",
                "dropped": "\(hidden)", "kept": "\(written?.statistics.series ?? 0)",
                "duration": durationText(since: began),
            ])
    }
}
