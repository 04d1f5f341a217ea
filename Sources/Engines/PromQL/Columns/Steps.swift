// SPDX-License-Identifier: Apache-2.0

internal import Model

/// The times at which an expression is evaluated: evenly spaced, both ends included.
struct Steps: Equatable {
    let start: Timestamp
    /// Positive; 1 for a single step.
    let interval: Milliseconds
    let count: Int

    init(start: Timestamp, interval: Milliseconds, count: Int) {
        self.start = start
        self.interval = interval
        self.count = count
    }

    /// From `start` on, up to and including `end`. No steps where `end` is before `start`.
    init(from start: Timestamp, through end: Timestamp, every interval: Milliseconds) {
        self.start = start
        self.interval = interval
        let (span, overflow) = end.subtractingReportingOverflow(start)
        count = end < start || overflow ? 0 : Int(span / interval) + 1
    }

    static func single(_ time: Timestamp) -> Steps { Steps(start: time, interval: 1, count: 1) }

    var isSingle: Bool { count == 1 }
    /// The time of the last step.
    var end: Timestamp { start &+ interval &* Int64(count - 1) }
    /// Only the first step.
    var first: Steps { Steps(start: start, interval: interval, count: 1) }

    @inline(__always)
    subscript(step: Int) -> Timestamp { start &+ interval &* Int64(step) }

    /// All times in order, as the timestamps of a full row.
    var timestamps: [Timestamp] { (0..<count).map { self[$0] } }
}

/// Where in time a selector looks at each step: the time of the step less the offset, or the time
/// of its `@` modifier less the offset, the same at every step.
struct ReferenceTimes: Equatable {
    let first: Timestamp
    /// 0 with an `@` modifier.
    let interval: Milliseconds
    let count: Int

    init(_ steps: Steps, at fixed: Timestamp?, offset: Milliseconds) {
        first = (fixed ?? steps.start).advancedClamped(by: 0 &- offset)
        interval = fixed == nil ? steps.interval : 0
        count = steps.count
    }

    var last: Timestamp { first &+ interval &* Int64(count - 1) }

    @inline(__always)
    subscript(step: Int) -> Timestamp { first &+ interval &* Int64(step) }
}

extension Timestamp {
    /// Moves a time and stays at the earliest or latest one rather than overflow.
    func advancedClamped(by distance: Milliseconds) -> Timestamp {
        let (sum, overflow) = addingReportingOverflow(distance)
        guard overflow else { return sum }
        return distance < 0 ? .min : .max
    }
}
