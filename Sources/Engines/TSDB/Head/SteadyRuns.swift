// SPDX-License-Identifier: Apache-2.0
//
// Counting series needs no values: it is enough to know that there was a sample. Most series have
// one every few seconds for as long as they live, so of each the head keeps since when that is so.
//
//      sample   sample   sample            sample   sample   newest
//        |        |        |    a gap        |        |        |
//                                            └─ steady since here
//
// A gap of more than `steadyGap`, a staleness marker and a histogram end a run; the next float
// begins one. What comes from elsewhere (late samples, a snapshot) begins none.

internal import ChunkEncoding
internal import Model
internal import Storage

extension SeriesTable {
    /// Takes note of the next float of a series. `last` is the time of the one before, if any.
    @inline(__always)
    func noteSteadiness(
        _ slot: Int, _ timestamp: Timestamp, _ value: Double, after last: Timestamp
    ) {
        if steadySince[slot] == 0 || timestamp &- last > steadyGap {
            steadySince[slot] = UInt32(exactly: timestamp / 1000 + 1) ?? 0
        }
        if StaleMarker.isStale(value) { steadySince[slot] = 0 }
    }

    func endSteadiness(_ slot: UInt32) { steadySince[slot] = 0 }
}

extension HeadSeriesSet {
    func steadyRun(_ index: Int) -> TimeRange? {
        let member = members[index]
        guard member.steadySince > 0, !hasLate(index) else { return nil }
        // A sample before what the selection shows does not count, only the next one.
        let (firstShown, isOver) = visible.start.addingReportingOverflow(steadyGap)
        if isOver { return nil }
        let start = max(Timestamp(member.steadySince) * 1000, firstShown)
        return start <= member.newest ? TimeRange(start: start, end: member.newest) : nil
    }
}
