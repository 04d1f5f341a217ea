// SPDX-License-Identifier: Apache-2.0

import Model
import TSDB
import Testing

private func meta(
    _ start: Int64, _ end: Int64, hasFailed: Bool = false, hint: String? = nil, seed: UInt64 = 1
) -> BlockMeta {
    var generator = SplitMix(state: UInt64(bitPattern: start &* 31 &+ end) &+ seed)
    var meta = BlockMeta(
        id: ULID(milliseconds: 1, using: &generator), range: TimeRange(start: start, end: end))
    meta.compaction.hasFailed = hasFailed
    if let hint { meta.compaction.hints = [hint] }
    return meta
}

private func plan(_ metas: [BlockMeta], _ ranges: [Int64] = [20, 60, 180]) -> [[Int64]] {
    CompactionPlan.next(metas, ranges: ranges).map { [$0.range.start, $0.range.end] }
}

@Test("Blocks are merged by aligned ranges, the newest left alone")
func plansFillRanges() {
    let cases: [(blocks: [(Int64, Int64)], expected: [[Int64]])] = [
        ([], []),
        ([(0, 20)], []),
        ([(0, 20), (20, 40), (40, 60)], []),
        // The fourth is the newest; the first three fill 0...60.
        ([(0, 20), (20, 40), (40, 60), (60, 80)], [[0, 20], [20, 40], [40, 60]]),
        // A gap in a range that is past.
        ([(0, 20), (40, 60), (60, 80), (80, 100)], [[0, 20], [40, 60]]),
        // Not past yet, and not full.
        ([(20, 40), (40, 60), (60, 80)], []),
        ([(0, 60), (60, 120), (120, 180), (180, 200)], [[0, 60], [60, 120], [120, 180]]),
        // Before the epoch.
        ([(-60, -40), (-40, -20), (-20, 0), (0, 20)], [[-60, -40], [-40, -20], [-20, 0]]),
    ]
    for (blocks, expected) in cases {
        #expect(plan(blocks.map { meta($0.0, $0.1) }) == expected, "\(blocks)")
    }
}

@Test("Blocks that overlap are merged before all others")
func plansResolveOverlaps() {
    #expect(
        plan([(0, 20), (20, 40), (40, 60), (60, 80), (70, 90)].map { meta($0.0, $0.1) })
            == [[60, 80], [70, 90]])
    #expect(plan([(0, 100), (10, 20), (30, 40)].map { meta($0.0, $0.1) }).count == 3)
    #expect(
        plan([meta(0, 20), meta(0, 20, hint: BlockMeta.Hint.staleSeries)]).isEmpty)
}

@Test("A range with a block whose merge failed is left alone")
func plansSkipFailures() {
    let blocks = [meta(0, 20), meta(20, 40, hasFailed: true), meta(40, 60), meta(60, 80)]
    #expect(plan(blocks).isEmpty)
    #expect(plan([meta(0, 20, hasFailed: true), meta(10, 30), meta(40, 60)]).isEmpty)
}

@Test("Ranges grow by threes up to the largest")
func rangesGrow() {
    let hour: Int64 = 3_600_000
    #expect(
        CompactionPlan.ranges(smallest: 2 * hour, largest: 36 * hour)
            == [2 * hour, 6 * hour, 18 * hour])
    #expect(
        CompactionPlan.largestRange(retention: 15 * 24 * hour, smallest: 2 * hour) == 36 * hour)
    #expect(
        CompactionPlan.largestRange(retention: 3650 * 24 * hour, smallest: 2 * hour)
            == 31 * 24 * hour)
    #expect(CompactionPlan.largestRange(retention: hour, smallest: 2 * hour) == 2 * hour)
    #expect(CompactionPlan.alignedStart(-1, 10) == -10)
    #expect(CompactionPlan.alignedStart(19, 10) == 10)
}

@Test("Retention counts from the newest block and removes the oldest")
func retentionCountsFromTheNewest() {
    let metas = (0..<5).map { meta(Int64($0) * 20, Int64($0) * 20 + 20) }
    func starts(time: Int64, bytes: Int, other: Int = 0) -> [Int64] {
        let outlived = Retention(
            metas.map { ($0, 100) }, time: time, bytes: bytes, otherBytes: other
        ).outlived
        return metas.filter { outlived.contains($0.id) }.map(\.range.start)
    }
    #expect(starts(time: 0, bytes: 0) == [])
    #expect(starts(time: 60, bytes: 0) == [0, 20])
    #expect(starts(time: 1, bytes: 0) == [0, 20, 40, 60])
    #expect(starts(time: 0, bytes: 350) == [0, 20])
    #expect(starts(time: 0, bytes: 350, other: 60) == [0, 20, 40])
}
