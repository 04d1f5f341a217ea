// SPDX-License-Identifier: Apache-2.0
//
// Ranges with values at exactly their borders. `anchored` takes the last sample at or before a
// border for its value; `smoothed` interpolates between the samples around it, and may look beyond
// the end of the range. Windows reach back (and ahead) by the lookback delta to find those samples.

internal import Model

/// A window that reaches beyond its range, and the range.
struct ExtendedWindow: ~Escapable {
    let times: Span<Timestamp>
    let values: Span<Double>
    let isSmoothed: Bool
    let rangeStart: Timestamp
    let rangeEnd: Timestamp
    /// The last sample at or before the start of the range, else the first of the window.
    private(set) var first: Int
    /// The sample at or after the end of the range when smoothed, else the last of the window.
    private(set) var last: Int

    /// nil where no sample tells anything about the range. `window` is not empty.
    @_lifetime(copy times, copy values)
    init?(
        _ times: Span<Timestamp>, _ values: Span<Double>, _ window: Range<Int>,
        range: (start: Timestamp, end: Timestamp), isSmoothed: Bool
    ) {
        self.times = times
        self.values = values
        self.isSmoothed = isSmoothed
        rangeStart = range.start
        rangeEnd = range.end
        first = window.lowerBound
        last = window.upperBound - 1
        while first + 1 < last, times[first + 1] <= range.start { first += 1 }
        if isSmoothed {
            last = window.lowerBound
            while last < window.upperBound - 1, times[last] < range.end { last += 1 }
        }
        if times[last] <= range.start { return nil }
        if isSmoothed, times[first] > range.end { return nil }
    }

    private func interpolated(_ before: Int, _ after: Int, at time: Timestamp, isCounter: Bool)
        -> Double
    {
        let right = values[after]
        // After a reset a counter began at zero.
        let left = isCounter && right < values[before] ? 0 : values[before]
        let elapsed = Double(time &- times[before])
        return left + (right - left) * elapsed / Double(times[after] &- times[before])
    }

    func left(isCounter: Bool) -> Double {
        guard isSmoothed, times[first] < rangeStart else { return values[first] }
        return interpolated(first, first + 1, at: rangeStart, isCounter: isCounter)
    }

    func right(isCounter: Bool, windowStart: Int) -> Double {
        guard isSmoothed, last > windowStart, times[last] > rangeEnd else { return values[last] }
        return interpolated(last - 1, last, at: rangeEnd, isCounter: isCounter)
    }

    /// The samples strictly inside of the range.
    var inner: Range<Int> {
        let start = times[first] <= rangeStart ? first + 1 : first
        let end = times[last] >= rangeEnd ? last - 1 : last
        return start..<max(start, end + 1)
    }

    /// The increase over the range.
    func increase(isCounter: Bool, windowStart: Int) -> Double {
        let left = left(isCounter: isCounter)
        let right = right(isCounter: isCounter, windowStart: windowStart)
        let difference = right - left
        guard isCounter else { return difference }
        var lost = 0.0
        var previous = left
        for index in inner {
            if values[index] < previous { lost += previous }
            previous = values[index]
        }
        if right < previous { lost += previous }
        return difference + lost
    }
}
