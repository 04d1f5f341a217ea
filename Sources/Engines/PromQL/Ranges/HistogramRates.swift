// SPDX-License-Identifier: Apache-2.0

internal import Model
internal import PromQLSyntax
internal import Storage

extension HistogramRanges {
    /// `left` without `right`, with what that tells the user; nil where they do not fit together.
    private func difference(_ left: FloatHistogram, _ right: FloatHistogram) -> FloatHistogram? {
        guard let combined = try? left.subtracting(right) else {
            note(.mixedExponentialAndCustomBuckets(metric: metric, call.source))
            return nil
        }
        if combined.hasReconciledBounds {
            note(.reconciledCustomBuckets(.subtraction, call.source))
        }
        return combined.histogram
    }

    private func sum(_ left: FloatHistogram, _ right: FloatHistogram) -> FloatHistogram? {
        guard let combined = try? left.adding(right) else {
            note(.mixedExponentialAndCustomBuckets(metric: metric, call.source))
            return nil
        }
        if combined.hasReconciledBounds { note(.reconciledCustomBuckets(.addition, call.source)) }
        return combined.histogram
    }

    private func isReset(_ window: MixedWindow, _ index: Int, since previous: FloatHistogram)
        -> Bool
    {
        if usesStarts,
            StartTimestamps.showReset(
                window.times(ofHistogram: index - 1), window.times(ofHistogram: index))
        {
            return true
        }
        return window.columns.histograms[index].isReset(since: previous)
    }

    /// rate, increase and delta; see `ExtrapolatedRate`.
    func rate(_ window: MixedWindow) throws(QueryError) -> Outcome {
        let range = window.histograms
        let first = window.columns.histograms[range.lowerBound]
        var result: FloatHistogram?
        if range.count > 1 {
            result = try increase(window)
            if result == nil { return .nothing }
        }
        let rangeEnd = call.times[window.step]
        let firstTimes = window.times(ofHistogram: range.lowerBound)
        let scale = RateScale(
            rangeStart: rangeEnd &- call.range, rangeEnd: rangeEnd, first: firstTimes.time,
            last: window.time(ofHistogram: range.upperBound - 1), count: range.count)
        var factor: Double
        let isCounter = call.function.isOfCounters
        if isCounter, usesStarts, firstTimes.start != 0,
            firstTimes.start > rangeEnd &- call.range, firstTimes.start < firstTimes.time
        {
            if let known = result {
                guard let added = sum(known, first) else { return .nothing }
                result = added
            } else {
                result = first
            }
            factor = scale.factor(countingSince: firstTimes.start)
        } else {
            guard let increase = result else { return .nothing }
            let zeroable = isCounter && increase.count > 0 && first.count >= 0
            let found = scale.factor(zeroable: zeroable) { $0 * (first.count / increase.count) }
            guard let found else { return .nothing }
            factor = found
        }
        if call.function == .rate { factor /= call.rangeSeconds }
        return result.map { .histogram($0.scaled(by: factor)) } ?? .nothing
    }

    /// The increase between the first and the last histogram of a window of at least two.
    private func increase(_ window: MixedWindow) throws(QueryError) -> FloatHistogram? {
        let histograms = window.columns.histograms
        let range = window.histograms
        let (start, end) = (range.lowerBound, range.upperBound - 1)
        let isCounter = call.function.isOfCounters
        var previous = histograms[start]
        let last = histograms[end]
        if isCounter, previous.counterResetHint == .gauge || last.counterResetHint == .gauge {
            note(.nativeHistogramNotCounter(metric: metric, call.source))
        }
        // The layout of a first histogram from before a reset does not matter.
        if isCounter, isReset(window, start + 1, since: previous) {
            var empty = FloatHistogram()
            empty.schema = histograms[start + 1].schema
            empty.customBounds = histograms[start + 1].customBounds
            previous = empty
        }
        let usesCustomBuckets = previous.usesCustomBuckets
        var isMixed = last.usesCustomBuckets != usesCustomBuckets
        var schema = min(last.schema, previous.schema)
        if isCounter, !isMixed {
            for index in start + 1..<end {
                try rest(index)
                if histograms[index].counterResetHint == .gauge {
                    note(.nativeHistogramNotCounter(metric: metric, call.source))
                }
                schema = min(schema, histograms[index].schema)
                if histograms[index].usesCustomBuckets != usesCustomBuckets { isMixed = true }
            }
        }
        if isMixed {
            note(.mixedExponentialAndCustomBuckets(metric: metric, call.source))
            return nil
        }
        var result = last
        if !usesCustomBuckets { result.reduceResolution(to: schema) }
        guard var result = difference(result, previous) else { return nil }
        if isCounter {
            for index in start + 1...end {
                try rest(index)
                noteOverlap(window, index)
                if isReset(window, index, since: previous) {
                    guard let added = sum(result, previous) else { return nil }
                    result = added
                }
                previous = histograms[index]
            }
        } else if histograms[start].counterResetHint != .gauge || last.counterResetHint != .gauge {
            note(.nativeHistogramNotGauge(metric: metric, call.source))
        }
        result.counterResetHint = .gauge
        return result.compacted()
    }

    private func noteOverlap(_ window: MixedWindow, _ index: Int) {
        guard usesStarts,
            StartTimestamps.overlap(
                window.times(ofHistogram: index - 1), window.times(ofHistogram: index))
        else { return }
        note(.startTimeOverlap(metric: metric, call.source))
    }

    /// irate and idelta: from the last two samples, whichever kind they are.
    func instantRate(_ window: MixedWindow) -> Outcome {
        let isRate = call.function == .irate
        let columns = window.columns
        var last: [(time: Timestamp, histogram: Int?)] = []
        last += window.floats.suffix(2).map { (columns.timestamps[$0], nil) }
        last += window.histograms.suffix(2).map { (columns.histogramTimestamps[$0], $0) }
        last.sort { $0.time < $1.time }
        guard last.count >= 2 else { return .nothing }
        let (before, now) = (last[last.count - 2], last[last.count - 1])
        if before.time == now.time { return .nothing }
        guard let beforeIndex = before.histogram, let nowIndex = now.histogram else {
            if before.histogram == nil, now.histogram == nil { return .asFloats }
            note(.mixedFloatsAndHistograms(metric: metric, call.source))
            return .nothing
        }
        let (first, second) = (columns.histograms[beforeIndex], columns.histograms[nowIndex])
        let hints = [first.counterResetHint, second.counterResetHint]
        if isRate, hints.contains(.gauge) {
            note(.nativeHistogramNotCounter(metric: metric, call.source))
        }
        if !isRate, hints.contains(where: { $0 != .gauge }) {
            note(.nativeHistogramNotGauge(metric: metric, call.source))
        }
        var result = second
        if !isRate || !isReset(window, nowIndex, since: first) {
            guard let difference = difference(second, first) else { return .nothing }
            result = difference
        }
        result.counterResetHint = .gauge
        result = result.compacted()
        if isRate { result = result.divided(by: Double(now.time &- before.time) / 1000) }
        return .histogram(result)
    }
}
