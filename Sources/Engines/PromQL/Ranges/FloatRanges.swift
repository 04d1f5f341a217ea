// SPDX-License-Identifier: Apache-2.0
//
// One function over the ranges of the floats of one series at a time. Each case of `fill` is one
// pass over all steps with a kernel that the compiler specialises; nothing is allocated per step.
// Nothing here knows the query that is running, so several threads may evaluate series at once,
// each with a value of its own.

internal import Model
internal import PromQLSyntax
internal import Storage

struct FloatRanges: Sendable {
    let call: RangeCall
    /// Functions of counters look at the start timestamps of samples, where there are any.
    let usesStartTimestamps: Bool
    private var rate: ExtrapolatedRate?
    private var sorted = SortedWindow()

    init(_ call: RangeCall, usesStartTimestamps: Bool) {
        self.call = call
        self.usesStartTimestamps = usesStartTimestamps
        if call.function.isExtrapolated, call.rangeExtension == .none {
            rate = ExtrapolatedRate(call)
        }
    }

    func usesStarts(_ columns: SampleColumns) -> Bool {
        usesStartTimestamps && !columns.startTimestamps.isEmpty
    }

    /// Computes all steps from the floats of a series.
    mutating func fill(
        _ columns: SampleColumns, _ index: WindowIndex, _ row: inout Row
    ) {
        if call.rangeExtension != .none { return fillExtended(columns, index, &row) }
        let values = columns.values.span
        switch call.function {
        case .rate, .increase, .delta: rate!.fill(columns, index, &row)
        case .irate, .idelta: fillInstantRate(columns, index, &row)
        case .sum: fillTotals(values, index, &row, isMean: false)
        case .average: fillTotals(values, index, &row, isMean: true)
        case .count: row.fill(index) { Double($1 - $0) }
        case .minimum: row.fill(index) { WindowKernels.minimum(values, $0, $1) }
        case .maximum: row.fill(index) { WindowKernels.maximum(values, $0, $1) }
        case .first: row.fill(index) { start, _ in values[start] }
        case .last: row.fill(index) { values[$1 - 1] }
        case .present: row.fill(index) { _, _ in 1 }
        case .variance: row.fill(index) { WindowKernels.variance(values, $0, $1) }
        case .standardDeviation:
            row.fill(index) { WindowKernels.variance(values, $0, $1).squareRoot() }
        case .changes: row.fill(index) { WindowKernels.changes(values, $0, $1) }
        case .resets:
            if usesStarts(columns) { return fillStartAwareResets(columns, index, &row) }
            row.fill(index) { WindowKernels.resets(values, $0, $1) }
        case .timeOfFirst, .timeOfLast, .timeOfMinimum, .timeOfMaximum:
            fillTimes(columns, index, &row)
        case .quantile, .medianAbsoluteDeviation: fillQuantiles(columns, index, &row)
        case .deriv, .predictLinear: fillRegression(columns, index, &row)
        case .doubleExponentialSmoothing: fillSmoothed(columns, index, &row)
        }
    }

    private func fillTotals(
        _ values: Span<Double>, _ index: WindowIndex, _ row: inout Row, isMean: Bool
    ) {
        let starts = index.starts.span
        let ends = index.ends.span
        var four = SIMD4<Double>(repeating: 0)
        row.fill { step in
            if step & 3 == 0 {
                four = FourWindows.totals(values, starts, ends, step, isMean: isMean)
            }
            return ends[step] > starts[step] ? four[step & 3] : nil
        }
    }

    private func fillTimes(_ columns: SampleColumns, _ index: WindowIndex, _ row: inout Row) {
        let times = columns.timestamps.span
        let values = columns.values.span
        let function = call.function
        row.fill(index) { start, end in
            let found =
                switch function {
                case .timeOfFirst: start
                case .timeOfMinimum: WindowKernels.lastMinimum(values, start, end)
                case .timeOfMaximum: WindowKernels.lastMaximum(values, start, end)
                default: end - 1
                }
            return Double(times[found]) / 1000
        }
    }

    private mutating func fillQuantiles(
        _ columns: SampleColumns, _ index: WindowIndex, _ row: inout Row
    ) {
        let values = columns.values
        let interruption = row.interruption
        if let quantiles = call.parameters.first, SortedWindow.canOrder(values) {
            var sorted = sorted
            sorted.removeAll()
            row.fill { step in
                let window = index.window(step)
                if window.isEmpty { return nil }
                sorted.move(to: window, over: values, until: interruption)
                return Quantile.ofSorted(sorted.values, quantiles[step])
            }
            self.sorted = sorted
            return
        }
        let quantiles = call.parameters.first
        var scratch: [Double] = []
        row.fill { step in
            let window = index.window(step)
            if window.isEmpty { return nil }
            scratch.removeAll(keepingCapacity: true)
            scratch.append(contentsOf: values[window])
            guard let quantiles else {
                return Quantile.medianAbsoluteDeviation(&scratch, until: interruption)
            }
            return Quantile.of(&scratch, quantiles[step], until: interruption)
        }
    }

    private func fillRegression(_ columns: SampleColumns, _ index: WindowIndex, _ row: inout Row) {
        let times = columns.timestamps.span
        let values = columns.values.span
        let durations = call.parameters.first
        row.fill { step in
            let window = index.window(step)
            guard window.count >= 2 else { return nil }
            guard let durations else {
                // An origin near the values keeps the numbers small and so exact.
                let origin = times[window.lowerBound]
                return WindowKernels.regression(times, values, window, origin: origin).slope
            }
            let line = WindowKernels.regression(times, values, window, origin: call.steps[step])
            return line.slope * durations[step] + line.intercept
        }
    }

    /// Refuses factors outside of 0 to 1 at the steps whose windows are not empty, whatever is in
    /// them. NaN passes, as it does upstream.
    func checkSmoothingFactors(
        _ floats: WindowIndex, _ histograms: WindowIndex?
    ) throws(QueryError) {
        let (factors, trends) = (call.parameters[0], call.parameters[1])
        for step in factors.indices
        where !floats.window(step).isEmpty || histograms?.window(step).isEmpty == false {
            if factors[step] <= 0 || factors[step] >= 1 {
                let text = goFixedText(factors[step])
                throw .execution("invalid smoothing factor. Expected: 0 < sf < 1, got: \(text)")
            }
            if trends[step] <= 0 || trends[step] >= 1 {
                let text = goFixedText(trends[step])
                throw .execution("invalid trend factor. Expected: 0 < tf < 1, got: \(text)")
            }
        }
    }

    private func fillSmoothed(_ columns: SampleColumns, _ index: WindowIndex, _ row: inout Row) {
        let (factors, trends) = (call.parameters[0], call.parameters[1])
        let values = columns.values.span
        row.fill { step in
            WindowKernels.smoothed(
                values, index.window(step), factor: factors[step], trendFactor: trends[step])
        }
    }

    private func fillInstantRate(_ columns: SampleColumns, _ index: WindowIndex, _ row: inout Row) {
        let times = columns.timestamps.span
        let values = columns.values.span
        let starts = columns.startTimestamps.span
        let usesStarts = usesStarts(columns)
        let isRate = call.function == .irate
        row.fill(index) { start, end in
            guard end - start >= 2 else { return nil }
            let (before, last) = (end - 2, end - 1)
            var isReset = isRate && values[last] < values[before]
            if isRate, usesStarts {
                isReset =
                    isReset
                    || StartTimestamps.showReset(
                        SampleTimes(time: times[before], start: starts[before]),
                        SampleTimes(time: times[last], start: starts[last]))
            }
            let difference = isReset ? values[last] : values[last] - values[before]
            return isRate ? difference / (Double(times[last] &- times[before]) / 1000) : difference
        }
    }

    private func fillStartAwareResets(
        _ columns: SampleColumns, _ index: WindowIndex, _ row: inout Row
    ) {
        let times = columns.timestamps.span
        let values = columns.values.span
        let starts = columns.startTimestamps.span
        row.fill(index) { start, end in
            var count = 0
            for current in start + 1..<end {
                let before = SampleTimes(time: times[current - 1], start: starts[current - 1])
                let now = SampleTimes(time: times[current], start: starts[current])
                if values[current] < values[current - 1] || StartTimestamps.showReset(before, now) {
                    count += 1
                }
            }
            return Double(count)
        }
    }

    /// `anchored` and `smoothed` ranges.
    private func fillExtended(_ columns: SampleColumns, _ index: WindowIndex, _ row: inout Row) {
        let times = columns.timestamps.span
        let values = columns.values.span
        let isSmoothed = call.rangeExtension == .smoothed
        let function = call.function
        row.fill { step in
            let window = index.window(step)
            if window.isEmpty { return nil }
            let end = call.times[step]
            let start = end &- call.range
            if function == .changes || function == .resets {
                var first = window.lowerBound
                if times[window.upperBound - 1] <= start { return nil }
                while first + 1 < window.upperBound, times[first + 1] <= start { first += 1 }
                return function == .changes
                    ? WindowKernels.changes(values, first, window.upperBound)
                    : WindowKernels.resets(values, first, window.upperBound)
            }
            guard
                let extended = ExtendedWindow(
                    times, values, window, range: (start, end), isSmoothed: isSmoothed)
            else { return nil }
            let increase = extended.increase(
                isCounter: function.isOfCounters, windowStart: window.lowerBound)
            return function == .rate ? increase / call.rangeSeconds : increase
        }
    }
}

extension WindowIndex {
    @inline(__always)
    func window(_ step: Int) -> Range<Int> { Int(starts[step])..<Int(ends[step]) }
}

extension Row {
    /// Computes all floats from windows that are not empty.
    @inline(__always)
    mutating func fill(_ index: WindowIndex, _ value: (_ start: Int, _ end: Int) -> Double?) {
        let starts = index.starts.span
        let ends = index.ends.span
        fill { step in
            let start = Int(unsafe starts[unchecked: step])
            let end = Int(unsafe ends[unchecked: step])
            return end > start ? value(start, end) : nil
        }
    }
}
