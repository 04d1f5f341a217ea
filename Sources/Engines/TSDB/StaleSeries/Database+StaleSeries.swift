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
        var written: [Block] = []
        do throws(StorageError) {
            var start = CompactionPlan.alignedStart(cut.range.start, options.blockRange)
            while start <= cut.range.end {
                let end = start + options.blockRange
                if let block = try writeStale(cut, TimeRange(start: start, end: end)) {
                    written.append(block)
                }
                start = end
            }
        } catch {
            for block in written {
                try BlockDirectories.remove(block.meta.id, in: directory, environment.fileSystem)
            }
            throw error
        }
        publish(sorted(blocks + written))
        return try cut.release()
    }

    /// A block of the half-open range; nil where there is nothing in it.
    private func writeStale(
        _ cut: any SeriesCut, _ range: TimeRange
    ) throws(StorageError) -> Block? {
        let id = environment.newID()
        var meta = BlockMeta(id: id, range: range)
        meta.compaction.sources = [id]
        meta.compaction.hints = [BlockMeta.Hint.staleSeries]
        let source = cut.source(TimeRange(start: range.start, end: range.end - 1))
        guard try writeBlock(source, meta) != nil else { return nil }
        return try Block("\(directory)/\(id)", environment.fileSystem)
    }
}
