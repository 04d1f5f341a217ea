// SPDX-License-Identifier: Apache-2.0

internal import Model
internal import PromQLSyntax

/// Sums or averages of the histograms of groups, beside those of their floats. A group that has
/// both at a step has no result there.
struct HistogramFold {
    enum Kind { case sum, average }

    /// The histograms of one group at one step.
    private struct Running {
        var sum: CompensatedHistogram
        var count = 1.0
        /// Holds the mean instead of the sum, which would leave the range of floats.
        var isMean = false
        var isIncompatible = false
        var sawReset: Bool
        var sawNoReset: Bool

        init(_ first: FloatHistogram) {
            sum = CompensatedHistogram(first)
            sawReset = first.counterResetHint == .reset
            sawNoReset = first.counterResetHint == .notReset
        }
    }

    private let kind: Kind
    private let evaluation: Evaluation
    private let source: SourceRange
    private let width: Int
    private var running: [[Running?]]

    init(
        _ kind: Kind, _ evaluation: Evaluation, _ source: SourceRange, groups: Int, width: Int
    ) {
        self.kind = kind
        self.evaluation = evaluation
        self.source = source
        self.width = width
        running = [[Running?]](repeating: [], count: groups)
    }

    mutating func add(_ row: borrowing Row, to group: Int, metric: Labels) {
        if running[group].isEmpty {
            running[group] = [Running?](repeating: nil, count: width)
        }
        for step in row.histograms.indices {
            guard let histogram = row.histograms[step] else { continue }
            guard var state = running[group][step] else {
                running[group][step] = Running(histogram)
                continue
            }
            if state.isIncompatible { continue }
            running[group][step] = nil
            if histogram.counterResetHint == .reset { state.sawReset = true }
            if histogram.counterResetHint == .notReset { state.sawNoReset = true }
            do {
                try add(histogram, to: &state)
            } catch {
                state.isIncompatible = true
                evaluation.annotations.add(
                    .mixedExponentialAndCustomBuckets(metric: metric.metricName ?? "", source))
            }
            running[group][step] = state
        }
    }

    private func add(_ histogram: FloatHistogram, to state: inout Running) throws(HistogramError) {
        state.count += 1
        let outcome: (hasResetCollision: Bool, hasReconciledBounds: Bool)
        if kind == .average {
            outcome = try state.sum.addToMean(histogram, count: state.count, &state.isMean)
        } else {
            outcome = try state.sum.add(histogram)
        }
        if outcome.hasReconciledBounds {
            evaluation.annotations.add(.reconciledCustomBuckets(.aggregation, source))
        }
    }

    /// Adds the histograms of a group to its row of floats.
    func finish(_ group: Int, into row: inout Row) {
        for (step, state) in running[group].enumerated() {
            guard var state else { continue }
            if row.floats.contains(step) {
                row.floats.remove(step)
                evaluation.annotations.add(.mixedFloatsAndHistogramsInAggregation(source))
                continue
            }
            if state.isIncompatible { continue }
            if kind == .average, !state.isMean { state.sum.divide(by: state.count) }
            row.setHistogram(state.sum.total.compacted(), at: step)
            if state.sawReset, state.sawNoReset {
                evaluation.annotations.add(.conflictingCounterResets(.aggregation, source))
            }
        }
    }
}

extension CompensatedHistogram {
    /// Takes one more histogram into an average: adds it to the sum as long as that stays finite,
    /// else turns the sum into the mean, once, and updates that. `count` includes the new one.
    mutating func addToMean(_ histogram: FloatHistogram, count: Double, _ isMean: inout Bool)
        throws(HistogramError) -> (hasResetCollision: Bool, hasReconciledBounds: Bool)
    {
        if !isMean {
            var copy = self
            let outcome = try copy.add(histogram)
            if !copy.sum.hasOverflow {
                self = copy
                return outcome
            }
            isMean = true
            divide(by: count - 1)
        }
        scale(by: (count - 1) / count)
        return try add(histogram.divided(by: count))
    }
}
