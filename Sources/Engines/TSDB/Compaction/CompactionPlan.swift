// SPDX-License-Identifier: Apache-2.0
//
// Which blocks to merge next, from their metas alone: no clock, no disk.
//
// Blocks cut from the head span two hours. Their ranges grow by steps, 2 h × 3^n, aligned to the
// epoch: blocks that fill such a range, or lie in one that is past, become one block. The newest
// block is left alone, so that data may still be added beside it. Blocks that overlap are merged
// before anything else. Blocks with partial data (from stale or selected series) are merged only
// with their like. Source: https://github.com/prometheus/prometheus/blob/main/tsdb/compact.go

package import Model

package enum CompactionPlan {
    /// The ranges of block sizes, from `smallest` by factors of three, none above `largest`.
    package static func ranges(smallest: Milliseconds, largest: Milliseconds) -> [Milliseconds] {
        var ranges = [smallest]
        while let last = ranges.last, ranges.count < 10, last <= largest / 3 {
            ranges.append(last * 3)
        }
        return ranges
    }

    /// The ranges where blocks may grow as large as they ever do.
    static func ranges(smallest: Milliseconds) -> [Milliseconds] {
        ranges(smallest: smallest, largest: largestRange(retention: 0, smallest: smallest))
    }

    /// The largest block for a retention time: a tenth of it, at most 31 days. Zero means without
    /// end.
    package static func largestRange(
        retention: Milliseconds, smallest: Milliseconds
    ) -> Milliseconds {
        let month: Milliseconds = 31 * 86_400_000
        guard retention > 0 else { return month }
        return max(smallest, min(month, retention / 10))
    }

    /// The blocks to merge, in order of time; empty where there is nothing to do. `ranges`
    /// ascending.
    package static func next(_ metas: [BlockMeta], ranges: [Milliseconds]) -> [BlockMeta] {
        func hasHint(_ meta: BlockMeta, _ hint: String) -> Bool {
            meta.compaction.hints.contains(hint)
        }
        let stale = metas.filter { hasHint($0, BlockMeta.Hint.staleSeries) }
        let selected = metas.filter {
            hasHint($0, BlockMeta.Hint.selectedSeries) && !hasHint($0, BlockMeta.Hint.staleSeries)
        }
        let whole = metas.filter {
            !hasHint($0, BlockMeta.Hint.staleSeries)
                && !hasHint($0, BlockMeta.Hint.selectedSeries)
        }
        for kind in [whole, stale, selected] {
            let plan = nextOfOneKind(kind, ranges)
            if !plan.isEmpty { return plan }
        }
        return []
    }

    private static func nextOfOneKind(
        _ metas: [BlockMeta], _ ranges: [Milliseconds]
    ) -> [BlockMeta] {
        var sorted = metas.sorted {
            ($0.range.start, $0.id) < ($1.range.start, $1.id)
        }
        let overlapping = firstOverlap(sorted)
        if !overlapping.isEmpty { return overlapping }
        guard !sorted.isEmpty else { return [] }
        sorted.removeLast()
        let filled = firstFilledRange(sorted, ranges)
        return filled.isEmpty ? newestWithDeletions(sorted, ranges) : filled
    }

    /// The newest of the large blocks in which more than five of a hundred series have deletions; a
    /// small block only where it seems to have nothing left.
    private static func newestWithDeletions(
        _ sorted: [BlockMeta], _ ranges: [Milliseconds]
    ) -> [BlockMeta] {
        for meta in sorted.reversed() {
            let statistics = meta.statistics
            if meta.range.end &- meta.range.start < ranges[ranges.count / 2] {
                let isGone =
                    statistics.tombstones > 0 && statistics.tombstones >= statistics.series
                return isGone && !meta.compaction.hasFailed ? [meta] : []
            }
            let share = Double(statistics.tombstones) / Double(statistics.series &+ 1)
            if share > 0.05, !meta.compaction.hasFailed { return [meta] }
        }
        return []
    }

    /// The first run of blocks that overlap one another. Blocks whose merge failed before are left.
    private static func firstOverlap(_ sorted: [BlockMeta]) -> [BlockMeta] {
        var run: [BlockMeta] = []
        var end = Timestamp.min
        for meta in sorted {
            if !run.isEmpty, meta.range.start < end {
                run.append(meta)
            } else {
                if run.count > 1, !run.contains(where: \.compaction.hasFailed) { return run }
                run = [meta]
            }
            end = max(end, meta.range.end)
        }
        return run.count > 1 && !run.contains(where: \.compaction.hasFailed) ? run : []
    }

    private static func firstFilledRange(
        _ sorted: [BlockMeta], _ ranges: [Milliseconds]
    ) -> [BlockMeta] {
        guard let newest = sorted.last else { return [] }
        for length in ranges.dropFirst() {
            for part in split(sorted, length) where part.count > 1 {
                guard !part.contains(where: \.compaction.hasFailed) else { continue }
                let start = part[0].range.start
                let end = part[part.count - 1].range.end
                if end &- start == length || end <= newest.range.start { return part }
            }
        }
        return []
    }

    /// The blocks by the aligned ranges of a length that they lie in. Blocks that lie in none are
    /// left out.
    private static func split(_ sorted: [BlockMeta], _ length: Milliseconds) -> [[BlockMeta]] {
        var parts: [[BlockMeta]] = []
        var index = 0
        while index < sorted.count {
            let start = alignedStart(sorted[index].range.start, length)
            guard sorted[index].range.end <= start &+ length else {
                index += 1
                continue
            }
            var part: [BlockMeta] = []
            while index < sorted.count, sorted[index].range.end <= start &+ length {
                part.append(sorted[index])
                index += 1
            }
            parts.append(part)
        }
        return parts
    }

    /// The start of the range of a length, counted from the epoch, that a time lies in.
    package static func alignedStart(_ time: Timestamp, _ length: Milliseconds) -> Timestamp {
        let remainder = time % length
        return time &- (remainder < 0 ? remainder + length : remainder)
    }
}
