// SPDX-License-Identifier: Apache-2.0
//
// rate, increase and delta: the difference between the last and the first sample of a window, with
// what was lost in counter resets added, scaled up to the whole range.
//
//      rangeStart              first           last          rangeEnd
//          |------ toStart ------|---- sampled ----|--- toEnd ---|
//
// The first and last samples are hardly ever at the borders of the range. Where a gap is no longer
// than 1.1 times the mean distance between samples, the slope is taken to go on up to the border;
// else only for half that distance, since the series seems to begin or end there. A counter never
// extrapolates below zero. Upstream defines the order of all operations; keep it.
//
// Everything that depends on times only is computed once for all series with equal timestamps.

internal import Model
internal import Storage

struct ExtrapolatedRate {
    /// What depends on times only. Of each step: the time between first and last sample, and the
    /// gaps that are bridged, in seconds; and the factor they give.
    private struct Factors {
        var generation = 0
        var sampled: [Double]
        var toStart: [Double]
        var toEnd: [Double]
        var factors: [Double]

        init(_ width: Int) {
            sampled = [Double](repeating: 0, count: width)
            toStart = sampled
            toEnd = sampled
            factors = sampled
        }
    }

    let call: RangeCall
    /// By the slot of the window index.
    private var known: [Factors] = []
    /// The positions in the column where a value is less than the one before.
    private var resets: [Int] = []
    private let seconds: Double

    init(_ call: RangeCall) {
        self.call = call
        seconds = call.rangeSeconds
    }

    mutating func fill(_ columns: SampleColumns, _ index: WindowIndex, _ row: inout Row) {
        while known.count <= index.slot { known.append(Factors(call.steps.count)) }
        if known[index.slot].generation != index.generation {
            prepare(columns.timestamps, index)
        }
        let factors = known[index.slot]
        let values = columns.values.span
        let isCounter = call.function.isOfCounters
        if isCounter { findResets(values) } else { resets.removeAll(keepingCapacity: true) }
        if resets.isEmpty {
            fill(values, index, factors, &row, isCounter) { _, _, _ in }
        } else {
            var next = 0
            let resets = resets
            fill(values, index, factors, &row, isCounter) { start, end, increase in
                while next < resets.count, resets[next] <= start { next += 1 }
                var reset = next
                while reset < resets.count, resets[reset] < end {
                    increase += values[resets[reset] - 1]
                    reset += 1
                }
            }
        }
    }

    @inline(__always)
    private func fill(
        _ values: Span<Double>, _ index: WindowIndex, _ known: Factors, _ row: inout Row,
        _ isCounter: Bool,
        addingResets: (_ start: Int, _ end: Int, _ increase: inout Double) -> Void
    ) {
        let starts = index.starts.span
        let ends = index.ends.span
        let sampled = known.sampled.span
        let toStart = known.toStart.span
        let toEnd = known.toEnd.span
        let factors = known.factors.span
        let isRate = call.function == .rate
        row.fill { step in
            let start = Int(unsafe starts[unchecked: step])
            let end = Int(unsafe ends[unchecked: step])
            guard end &- start >= 2 else { return nil }
            let first = unsafe values[unchecked: start]
            var increase = unsafe values[unchecked: end &- 1] - first
            addingResets(start, end, &increase)
            if isCounter, increase > 0, first >= 0 {
                let interval = unsafe sampled[unchecked: step]
                let toZero = interval * (first / increase)
                let gapBefore = unsafe toStart[unchecked: step]
                if toZero < gapBefore {
                    let gap = unsafe toEnd[unchecked: step]
                    var factor = (interval + toZero + gap) / interval
                    if isRate { factor /= seconds }
                    return increase * factor
                }
            }
            let factor = unsafe factors[unchecked: step]
            return increase * factor
        }
    }

    private mutating func findResets(_ values: Span<Double>) {
        resets.removeAll(keepingCapacity: true)
        // Most series have no reset. One pass without branches looks for a negative difference; a
        // NaN may look like one, which the second pass sorts out.
        var signs: UInt64 = 0
        for index in 1..<max(1, values.count) {
            let difference = unsafe values[unchecked: index] - values[unchecked: index &- 1]
            signs |= difference.bitPattern
        }
        if signs >> 63 == 0 { return }
        for index in 1..<values.count where values[index] < values[index - 1] {
            resets.append(index)
        }
    }

    private mutating func prepare(_ timestamps: [Timestamp], _ index: WindowIndex) {
        var found = Factors(call.steps.count)
        found.generation = index.generation
        for step in 0..<call.steps.count {
            let start = Int(index.starts[step])
            let end = Int(index.ends[step])
            guard end - start >= 2 else { continue }
            let rangeEnd = call.times[step]
            let first = timestamps[start]
            let last = timestamps[end - 1]
            var gapBefore = Double(first &- (rangeEnd &- call.range)) / 1000
            var gapAfter = Double(rangeEnd &- last) / 1000
            let interval = Double(last &- first) / 1000
            let mean = interval / Double(end - start - 1)
            let threshold = mean * 1.1
            if gapBefore >= threshold { gapBefore = mean / 2 }
            if gapAfter >= threshold { gapAfter = mean / 2 }
            var factor = 1.0
            if interval != 0 { factor = (interval + gapBefore + gapAfter) / interval }
            if call.function == .rate { factor /= seconds }
            found.sampled[step] = interval
            found.toStart[step] = gapBefore
            found.toEnd[step] = gapAfter
            found.factors[step] = factor
        }
        known[index.slot] = found
    }
}
