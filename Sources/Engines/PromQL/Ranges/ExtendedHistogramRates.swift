// SPDX-License-Identifier: Apache-2.0

internal import Model
internal import PromQLSyntax
internal import Storage

/// Interpolation between native histograms.
struct HistogramInterpolation {
    let annotations: Annotations
    let metric: String
    let source: SourceRange

    /// The histogram on the line between two others. A counter that was reset in between began at
    /// zero. nil where the two do not fit together.
    func value(
        _ before: (time: Timestamp, histogram: FloatHistogram),
        _ after: (time: Timestamp, histogram: FloatHistogram), at time: Timestamp, isCounter: Bool
    ) -> FloatHistogram? {
        if time == before.time { return before.histogram }
        if time == after.time { return after.histogram }
        let fraction = Double(time &- before.time) / Double(after.time &- before.time)
        if isCounter, after.histogram.isReset(since: before.histogram) {
            return after.histogram.scaled(by: fraction)
        }
        do {
            let difference = try after.histogram.subtracting(before.histogram)
            if difference.hasReconciledBounds {
                annotations.add(.reconciledCustomBuckets(.subtraction, source))
            }
            let sum = try difference.histogram.scaled(by: fraction).adding(before.histogram)
            if sum.hasReconciledBounds {
                annotations.add(.reconciledCustomBuckets(.addition, source))
            }
            return sum.histogram
        } catch {
            annotations.add(.mixedExponentialAndCustomBuckets(metric: metric, source))
            return nil
        }
    }
}

extension HistogramRanges {
    /// rate, increase and delta over `anchored` and `smoothed` ranges; see `ExtendedWindow`.
    func extendedRate(_ window: MixedWindow) -> Outcome {
        let histograms = window.columns.histograms
        let times = window.columns.histogramTimestamps
        let range = window.histograms
        let isSmoothed = call.rangeExtension == .smoothed
        let isCounter = call.function.isOfCounters
        let end = call.times[window.step]
        let start = end &- call.range
        var first = range.lowerBound
        var last = range.upperBound - 1
        while first + 1 < last, times[first + 1] <= start { first += 1 }
        if isSmoothed {
            last = range.lowerBound
            while last < range.upperBound - 1, times[last] < end { last += 1 }
        }
        if times[last] <= start || (isSmoothed && times[first] > end) { return .nothing }
        guard isValid(histograms[first...last], isCounter) else { return .nothing }
        let interpolation = HistogramInterpolation(
            annotations: evaluation.annotations, metric: metric, source: call.source)
        var left: FloatHistogram? = histograms[first]
        if isSmoothed, times[first] < start {
            left = interpolation.value(
                (times[first], histograms[first]), (times[first + 1], histograms[first + 1]),
                at: start, isCounter: isCounter)
        }
        var right: FloatHistogram? = histograms[last]
        if isSmoothed, last > range.lowerBound, times[last] > end {
            right = interpolation.value(
                (times[last - 1], histograms[last - 1]), (times[last], histograms[last]), at: end,
                isCounter: isCounter)
        }
        guard let left, let right else { return .nothing }
        if !isCounter, left.counterResetHint != .gauge || right.counterResetHint != .gauge {
            note(.nativeHistogramNotGauge(metric: metric, call.source))
        }
        guard var result = combine(right, left, isSum: false) else { return .nothing }
        if isCounter {
            var previous = left
            var next = first + 1
            if isSmoothed, times[first] < start, first + 1 <= range.upperBound - 1,
                histograms[first + 1].isReset(since: histograms[first])
            {
                // Interpolation has dealt with this reset.
                previous = histograms[first + 1]
                next += 1
            }
            var corrections: [FloatHistogram] = []
            if next <= last {
                for index in next..<last {
                    if histograms[index].isReset(since: previous) { corrections.append(previous) }
                    previous = histograms[index]
                }
                if right.isReset(since: previous) { corrections.append(previous) }
            }
            if var correction = corrections.first {
                for more in corrections.dropFirst() {
                    guard let added = combine(correction, more, isSum: true) else {
                        return .nothing
                    }
                    correction = added
                }
                guard let added = combine(result, correction, isSum: true) else { return .nothing }
                result = added
            }
        }
        if call.function == .rate { result = result.divided(by: call.rangeSeconds) }
        result.counterResetHint = .gauge
        return .histogram(result.compacted())
    }

    private func combine(_ left: FloatHistogram, _ right: FloatHistogram, isSum: Bool)
        -> FloatHistogram?
    {
        guard let combined = try? isSum ? left.adding(right) : left.subtracting(right) else {
            note(.mixedExponentialAndCustomBuckets(metric: metric, call.source))
            return nil
        }
        if combined.hasReconciledBounds {
            note(.reconciledCustomBuckets(isSum ? .addition : .subtraction, call.source))
        }
        return combined.histogram
    }

    private func isValid(_ histograms: ArraySlice<FloatHistogram>, _ isCounter: Bool) -> Bool {
        for histogram in histograms {
            if histogram.usesCustomBuckets != histograms.first?.usesCustomBuckets {
                note(.mixedExponentialAndCustomBuckets(metric: metric, call.source))
                return false
            }
            if isCounter, histogram.counterResetHint == .gauge {
                note(.nativeHistogramNotCounter(metric: metric, call.source))
            }
        }
        return true
    }
}
