// SPDX-License-Identifier: Apache-2.0

internal import Model
internal import PromQLSyntax
internal import Storage

/// Evaluates one function over the ranges of one series at a time, and notes on the query what is
/// to be said about it.
struct RangeEvaluator {
    let call: RangeCall
    let evaluation: Evaluation
    private(set) var floats: FloatRanges
    /// Quantiles outside of 0 ... 1, which are worth a warning where a series has samples for them.
    private let invalidQuantiles: Set<UInt64>

    init(_ call: RangeCall, _ evaluation: Evaluation) {
        self.call = call
        self.evaluation = evaluation
        floats = FloatRanges(
            call, usesStartTimestamps: evaluation.configuration.usesStartTimestamps)
        let quantiles = call.function == .quantile ? call.parameters[0] : []
        invalidQuantiles = Set(quantiles.filter { !Quantile.isValid($0) }.map(\.bitPattern))
    }

    /// Whether `floats` alone can evaluate a series of floats: there is nothing to be noted.
    var isPure: Bool {
        !evaluation.configuration.usesStartTimestamps && invalidQuantiles.isEmpty
    }

    /// Computes all steps from the floats of a series.
    mutating func fillFloats(
        _ columns: SampleColumns, _ index: WindowIndex, _ row: inout Row, _ labels: Labels
    ) {
        if call.rangeExtension == .none, call.function.isOfCounters, floats.usesStarts(columns) {
            return fillStartAware(columns, index, &row, labels)
        }
        floats.fill(columns, index, &row)
        for quantile in invalidQuantiles {
            let quantiles = call.parameters[0]
            let isUsed = quantiles.indices.contains {
                row.floats.contains($0) && quantiles[$0].bitPattern == quantile
            }
            if isUsed {
                let quantile = Double(bitPattern: quantile)
                evaluation.annotations.add(.invalidQuantile(quantile, call.source))
            }
        }
    }

    private func fillStartAware(
        _ columns: SampleColumns, _ index: WindowIndex, _ row: inout Row, _ labels: Labels
    ) {
        let rate = StartAwareRate(
            call: call, times: columns.timestamps, values: columns.values,
            starts: columns.startTimestamps)
        for step in 0..<call.steps.count {
            let window = index.window(step)
            if window.isEmpty {
                row.floats.remove(step)
                continue
            }
            let (value, overlaps) = rate.value(window, step: step)
            if overlaps {
                let metric = labels.metricName ?? ""
                evaluation.annotations.add(.startTimeOverlap(metric: metric, call.source))
            }
            if let value { row.setFloat(value, at: step) } else { row.floats.remove(step) }
        }
    }
}
