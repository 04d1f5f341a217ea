// SPDX-License-Identifier: Apache-2.0
//
// Functions over ranges that contain native histograms. They are rare and large, so that their
// windows are evaluated one by one, after the floats of all steps.

internal import Model
internal import PromQLSyntax
internal import Storage

/// The samples of one window, floats and histograms.
struct MixedWindow {
    let columns: SampleColumns
    let floats: Range<Int>
    let histograms: Range<Int>
    let step: Int

    func time(ofHistogram index: Int) -> Timestamp { columns.histogramTimestamps[index] }

    func times(ofHistogram index: Int) -> SampleTimes {
        let starts = columns.histogramStartTimestamps
        return SampleTimes(
            time: columns.histogramTimestamps[index], start: starts.isEmpty ? 0 : starts[index])
    }

    func times(ofFloat index: Int) -> SampleTimes {
        let starts = columns.startTimestamps
        return SampleTimes(
            time: columns.timestamps[index], start: starts.isEmpty ? 0 : starts[index])
    }
}

extension RangeEvaluator {
    /// Replaces what the floats gave at steps whose windows contain histograms.
    mutating func fillHistograms(
        _ columns: SampleColumns, _ floats: WindowIndex, _ histograms: WindowIndex,
        _ row: inout Row, _ labels: Labels
    ) throws(QueryError) {
        let metric = labels.metricName ?? ""
        let ranges = HistogramRanges(call: call, evaluation: evaluation, metric: metric)
        for step in 0..<call.steps.count where !histograms.window(step).isEmpty {
            try evaluation.checkpoint()
            let window = MixedWindow(
                columns: columns, floats: floats.window(step), histograms: histograms.window(step),
                step: step)
            switch try ranges.evaluate(window) {
            case .asFloats: break
            case .nothing: row.remove(step)
            case .number(let value): row.setFloat(value, at: step)
            case .histogram(let value): row.setHistogram(value, at: step)
            }
        }
    }
}

struct HistogramRanges {
    let call: RangeCall
    let evaluation: Evaluation
    let metric: String

    enum Outcome {
        /// What the floats of the window alone give.
        case asFloats
        case nothing
        case number(Double)
        case histogram(FloatHistogram)
    }

    func note(_ annotation: Annotation) { evaluation.annotations.add(annotation) }

    /// Stops the query where it is time to, every so many histograms of a window.
    func rest(_ place: Int) throws(QueryError) {
        guard place % 256 == 255 else { return }
        if evaluation.interruption.isDue { throw evaluation.interruption.error }
    }

    var usesStarts: Bool { evaluation.configuration.usesStartTimestamps }

    func evaluate(_ window: MixedWindow) throws(QueryError) -> Outcome {
        switch call.function {
        case .rate, .increase, .delta:
            if !window.floats.isEmpty { return mixed() }
            return call.rangeExtension == .none ? try rate(window) : extendedRate(window)
        case .irate, .idelta: return instantRate(window)
        case .sum, .average:
            if !window.floats.isEmpty { return mixed() }
            return try total(window)
        case .count: return .number(Double(window.floats.count + window.histograms.count))
        case .present: return .number(1)
        case .first: return edge(window, isFirst: true)
        case .last: return edge(window, isFirst: false)
        case .timeOfFirst, .timeOfLast: return timeOfEdge(window)
        case .changes, .resets: return try transitions(window)
        case .minimum, .maximum, .quantile, .medianAbsoluteDeviation, .standardDeviation,
            .variance, .timeOfMinimum, .timeOfMaximum, .deriv, .predictLinear,
            .doubleExponentialSmoothing:
            if !window.floats.isEmpty {
                note(.ignoredHistogramsInMixedRange(metric: metric, call.source))
            }
            return .asFloats
        }
    }

    private func mixed() -> Outcome {
        note(.mixedFloatsAndHistograms(metric: metric, call.source))
        return .nothing
    }

    private func edge(_ window: MixedWindow, isFirst: Bool) -> Outcome {
        let histogram = isFirst ? window.histograms.lowerBound : window.histograms.upperBound - 1
        if !window.floats.isEmpty {
            let float = isFirst ? window.floats.lowerBound : window.floats.upperBound - 1
            let floatTime = window.columns.timestamps[float]
            let histogramTime = window.time(ofHistogram: histogram)
            if isFirst ? floatTime < histogramTime : histogramTime < floatTime {
                return .asFloats
            }
        }
        return .histogram(window.columns.histograms[histogram])
    }

    private func timeOfEdge(_ window: MixedWindow) -> Outcome {
        let times = window.columns.timestamps[window.floats]
        let histogramTimes = window.columns.histogramTimestamps[window.histograms]
        let found =
            call.function == .timeOfFirst
            ? min(times.first ?? .max, histogramTimes.first ?? .max)
            : max(times.last ?? 0, histogramTimes.last ?? 0)
        return .number(Double(found) / 1000)
    }

    /// `sum_over_time` and `avg_over_time`.
    private func total(_ window: MixedWindow) throws(QueryError) -> Outcome {
        let histograms = window.columns.histograms[window.histograms]
        guard let first = histograms.first else { return .nothing }
        var running = CompensatedHistogram(first)
        var isMean = false
        var count = 1.0
        var isReconciled = false
        let isAverage = call.function == .average
        for (place, histogram) in histograms.dropFirst().enumerated() {
            try rest(place)
            count += 1
            do {
                let outcome =
                    isAverage
                    ? try running.addToMean(histogram, count: count, &isMean)
                    : try running.add(histogram)
                if outcome.hasReconciledBounds { isReconciled = true }
            } catch {
                note(.mixedExponentialAndCustomBuckets(metric: metric, call.source))
                return .nothing
            }
        }
        if histograms.contains(where: { $0.counterResetHint == .reset }),
            histograms.contains(where: { $0.counterResetHint == .notReset })
        {
            note(.conflictingCounterResets(.aggregation, call.source))
        }
        if isReconciled { note(.reconciledCustomBuckets(.aggregation, call.source)) }
        if isAverage, !isMean { running.divide(by: count) }
        return .histogram(running.total)
    }

    /// `changes` and `resets`: floats and histograms in the order of their times.
    private func transitions(_ window: MixedWindow) throws(QueryError) -> Outcome {
        let columns = window.columns
        var (float, histogram) = (window.floats.lowerBound, window.histograms.lowerBound)
        if call.rangeExtension == .anchored {
            guard let anchor = anchor(window) else { return .nothing }
            (float, histogram) = anchor
        }
        var count = 0
        var previous: (value: Double, histogram: FloatHistogram?, times: SampleTimes)?
        while float < window.floats.upperBound || histogram < window.histograms.upperBound {
            let takesFloat =
                histogram >= window.histograms.upperBound
                || float < window.floats.upperBound
                    && columns.timestamps[float] < columns.histogramTimestamps[histogram]
            let current: (value: Double, histogram: FloatHistogram?, times: SampleTimes)
            if takesFloat {
                current = (columns.values[float], nil, window.times(ofFloat: float))
                float += 1
            } else {
                try rest(histogram)
                current = (
                    0, columns.histograms[histogram], window.times(ofHistogram: histogram)
                )
                histogram += 1
            }
            if let previous, isTransition(previous, current) { count += 1 }
            previous = current
        }
        return .number(Double(count))
    }

    private func isTransition(
        _ previous: (value: Double, histogram: FloatHistogram?, times: SampleTimes),
        _ current: (value: Double, histogram: FloatHistogram?, times: SampleTimes)
    ) -> Bool {
        let isReset = call.function == .resets
        if isReset, usesStarts, (previous.histogram == nil) == (current.histogram == nil),
            StartTimestamps.showReset(previous.times, current.times)
        {
            return true
        }
        switch (previous.histogram, current.histogram) {
        case (nil, nil):
            if isReset { return current.value < previous.value }
            return current.value != previous.value
                && !(current.value.isNaN && previous.value.isNaN)
        case (let before?, let now?):
            return isReset ? now.isReset(since: before) : !now.hasSameData(as: before)
        default: return true
        }
    }

    /// Where an anchored window begins: with the last sample at or before the start of the range,
    /// of whichever kind, and all samples after that; nil where none is after it.
    private func anchor(_ window: MixedWindow) -> (float: Int, histogram: Int)? {
        let start = call.times[window.step] &- call.range
        let float = window.floats.last { window.columns.timestamps[$0] <= start }
        let histogram = window.histograms.last { window.time(ofHistogram: $0) <= start }
        let nextFloat = float.map { $0 + 1 } ?? window.floats.lowerBound
        let nextHistogram = histogram.map { $0 + 1 } ?? window.histograms.lowerBound
        if nextFloat >= window.floats.upperBound, nextHistogram >= window.histograms.upperBound {
            return nil
        }
        guard float != nil || histogram != nil else { return (nextFloat, nextHistogram) }
        let floatTime = float.map { window.columns.timestamps[$0] } ?? .min
        let histogramTime = histogram.map { window.time(ofHistogram: $0) } ?? .min
        if let float, floatTime >= histogramTime { return (float, nextHistogram) }
        return (nextFloat, histogram!)
    }
}
