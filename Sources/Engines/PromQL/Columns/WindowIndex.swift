// SPDX-License-Identifier: Apache-2.0

internal import Glibc
internal import Model

/// The samples that each step's window covers, as indices into the columns of a series.
///
/// Windows are left-open: a step at reference time r and a range of w milliseconds covers r-w < t ≤
/// r. Both borders only move forwards, so all windows of a series cost one pass over its
/// timestamps. The series of one scrape target have equal timestamps; for them the index is kept
/// (`WindowCache`, one memcmp), together with everything else that depends on times only.
struct WindowIndex {
    let times: ReferenceTimes
    /// The width of the windows to the left of the reference time.
    let reach: Milliseconds
    /// How far the windows go beyond the reference time (smoothed selectors only).
    let lookahead: Milliseconds

    private(set) var starts: [Int32]
    private(set) var ends: [Int32]
    /// The samples of all windows together.
    private(set) var coveredSamples = 0
    /// The same, without those that the window before covers too.
    private(set) var distinctSamples = 0
    private(set) var widestWindow = 0
    /// Whether all windows together hold so much that a function over them may take long.
    var isLong: Bool { coveredSamples > 1 << 22 }
    private(set) var lastWindow = 0
    /// Counts the timestamp columns seen: equal numbers, equal windows.
    private(set) var generation = 0
    /// The place in a cache; together with the generation it tells which timestamps these are.
    var slot = 0
    private var timestamps: [Timestamp] = []

    init(_ times: ReferenceTimes, reach: Milliseconds, lookahead: Milliseconds = 0) {
        self.times = times
        self.reach = reach
        self.lookahead = lookahead
        starts = [Int32](repeating: 0, count: times.count)
        ends = starts
    }

    /// The closed range of times that the windows cover together.
    var readRange: TimeRange {
        TimeRange(
            start: times.first.advancedClamped(by: 1 - reach),
            end: times.last.advancedClamped(by: lookahead))
    }

    /// Computes the windows over these timestamps, which ascend.
    mutating func update(_ current: [Timestamp]) {
        if generation > 0, covers(current) { return }
        generation += 1
        timestamps = current
        coveredSamples = 0
        distinctSamples = 0
        widestWindow = 0
        lastWindow = 0
        var start = 0
        var end = 0
        for step in 0..<times.count {
            let reference = times[step]
            let left = reference.advancedClamped(by: 0 &- reach)
            let right = reference.advancedClamped(by: lookahead)
            let seen = end
            while end < current.count, current[end] <= right { end += 1 }
            while start < end, current[start] <= left { start += 1 }
            starts[step] = Int32(truncatingIfNeeded: start)
            ends[step] = Int32(truncatingIfNeeded: end)
            coveredSamples += end - start
            distinctSamples += end - max(start, seen)
            widestWindow = max(widestWindow, end - start)
        }
        if times.count > 0 { lastWindow = end - start }
    }

    /// The part of a window that the one before does not cover.
    func freshWindow(_ step: Int) -> Range<Int> {
        let window = window(step)
        let seen = step > 0 ? Int(ends[step - 1]) : 0
        return max(window.lowerBound, seen)..<window.upperBound
    }

    func covers(_ current: [Timestamp]) -> Bool {
        guard current.count == timestamps.count else { return false }
        return unsafe current.withUnsafeBytes { new in
            unsafe timestamps.withUnsafeBytes { old in
                unsafe new.count == 0 || memcmp(new.baseAddress!, old.baseAddress!, new.count) == 0
            }
        }
    }
}
