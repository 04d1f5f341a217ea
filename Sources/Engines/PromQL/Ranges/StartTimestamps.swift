// SPDX-License-Identifier: Apache-2.0
//
// What the start timestamps of samples tell about counters: a sample that says it counts from a
// time after the sample before it was reset, even if its value is greater.

internal import Model

/// A sample as far as resets go: when it was taken, and since when it counts (0: unknown).
struct SampleTimes {
    let time: Timestamp
    let start: Timestamp
}

enum StartTimestamps {
    /// Whether the counter was reset between the two samples.
    static func showReset(_ previous: SampleTimes, _ current: SampleTimes) -> Bool {
        // Unknown, impossible, or the way of OpenTelemetry to say unknown.
        if current.start == 0 || current.start >= current.time { return false }
        if current.start != previous.time { return current.start > previous.time }
        // Counting since exactly the sample before: a delta series, unless that one's start is
        // unknown or invalid.
        return previous.start <= previous.time && previous.start != 0
            && previous.start != previous.time
    }

    /// Whether the times contradict each other: the counting began before the previous sample, but
    /// not when that one's counting began.
    static func overlap(_ previous: SampleTimes, _ current: SampleTimes) -> Bool {
        current.start != 0 && current.start < previous.time && current.start != previous.start
    }
}

/// Rates of series whose samples carry start timestamps. Where the first sample of a window began
/// to count inside the window, a zero at that time takes the place of extrapolation to the left.
struct StartAwareRate {
    let call: RangeCall
    let times: [Timestamp]
    let values: [Double]
    let starts: [Timestamp]

    /// The rate and whether the times of the window contradict each other.
    func value(_ window: Range<Int>, step: Int) -> (value: Double?, overlaps: Bool) {
        let first = window.lowerBound
        let last = window.upperBound - 1
        var increase = values[last] - values[first]
        var overlaps = false
        for index in window.dropFirst() {
            let previous = SampleTimes(time: times[index - 1], start: starts[index - 1])
            let current = SampleTimes(time: times[index], start: starts[index])
            if StartTimestamps.overlap(previous, current) { overlaps = true }
            if values[index] < values[index - 1] || StartTimestamps.showReset(previous, current) {
                increase += values[index - 1]
            }
        }
        let rangeEnd = call.times[step]
        let rangeStart = rangeEnd &- call.range
        let scale = RateScale(
            rangeStart: rangeStart, rangeEnd: rangeEnd, first: times[first], last: times[last],
            count: window.count)
        let factor: Double?
        if starts[first] != 0, starts[first] > rangeStart, starts[first] < times[first] {
            increase += values[first]
            factor = scale.factor(countingSince: starts[first])
        } else {
            factor = scale.factor(zeroable: increase > 0 && values[first] >= 0) {
                $0 * (values[first] / increase)
            }
        }
        guard var factor else { return (nil, overlaps) }
        if call.function == .rate { factor /= call.rangeSeconds }
        return (increase * factor, overlaps)
    }
}

/// By how much the increase between the samples of a window is scaled up to the range; see
/// `ExtrapolatedRate`, which has the same for many series at once.
struct RateScale {
    let toStart: Double
    let toEnd: Double
    let sampled: Double
    let meanDistance: Double
    let last: Timestamp
    let count: Int

    init(
        rangeStart: Timestamp, rangeEnd: Timestamp, first: Timestamp, last: Timestamp, count: Int
    ) {
        toStart = Double(first &- rangeStart) / 1000
        toEnd = Double(rangeEnd &- last) / 1000
        sampled = Double(last &- first) / 1000
        meanDistance = count > 1 ? sampled / Double(count - 1) : 0
        self.last = last
        self.count = count
    }

    private var threshold: Double { meanDistance * 1.1 }
    private var bridgedEnd: Double { toEnd >= threshold ? meanDistance / 2 : toEnd }

    /// With a known zero at `start` in the place of extrapolation to the left.
    func factor(countingSince start: Timestamp) -> Double {
        let interval = Double(last &- start) / 1000
        return interval == 0 ? 1 : (interval + 0 + bridgedEnd) / interval
    }

    /// `zeroTime` gives how long before the first sample the counter would have been zero.
    func factor(zeroable: Bool, _ zeroTime: (_ sampled: Double) -> Double) -> Double? {
        if count < 2 { return nil }
        var gap = toStart >= threshold ? meanDistance / 2 : toStart
        if zeroable {
            let toZero = zeroTime(sampled)
            if toZero < gap { gap = toZero }
        }
        return sampled == 0 ? 1 : (sampled + gap + bridgedEnd) / sampled
    }
}
