// SPDX-License-Identifier: Apache-2.0

internal import Instrumentation
internal import Model
internal import Platform
internal import Storage
internal import Synchronization

extension Database {
    /// Whether so many series of the head are stale that they shall leave it, and the next cut,
    /// which would take them along, is not near.
    /// Source: https://github.com/prometheus/prometheus/blob/main/tsdb/db.go
    var areStaleSeriesDue: Bool {
        let (threshold, lastCut) = state.withLock { ($0.settings.staleSeriesThreshold, $0.lastCut) }
        let count = head.seriesCount
        guard threshold > 0, count > 0,
            Double(head.staleSeriesCount) / Double(count) >= threshold
        else { return false }
        guard let lastCut else { return true }
        return environment.now() + 600_000 <= lastCut + options.blockRange
    }

    /// Writes the stale series of the head as blocks, one for each aligned range, and lets the head
    /// drop them. The caller holds `maintenance`.
    func cutStaleSeries() throws(StorageError) {
        let began = monotonicNanoseconds()
        metrics.staleCompactions.increment()
        environment.log.info("Starting stale series compaction")
        let dropped: Int
        do throws(StorageError) {
            dropped = try writeStaleSeries()
        } catch {
            metrics.staleCompactionsFailed.increment()
            throw error
        }
        metrics.staleCompactionSeconds.observe(Double(monotonicNanoseconds() - began) / 1e9)
        environment.log.info(
            "Ending stale series compaction",
            ["num_series": "\(dropped)", "duration": durationText(since: began)])
    }

    private func writeStaleSeries() throws(StorageError) -> Int {
        guard let cut = head.staleSeriesCut() else { return 0 }
        let written = try writeBlocks(cut.range, hint: BlockMeta.Hint.staleSeries, cut.source)
        publish(sorted(blocks + written))
        return try cut.release()
    }
}
