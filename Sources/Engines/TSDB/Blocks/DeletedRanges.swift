// SPDX-License-Identifier: Apache-2.0

package import Model

/// The times of one series that are deleted: closed ranges, in order, apart from each other.
package struct DeletedRanges: Sendable, Hashable {
    package private(set) var ranges: [TimeRange] = []

    package init() {}

    package var isEmpty: Bool { ranges.isEmpty }
    package var count: Int { ranges.count }

    /// Adds a range, which merges with those that it touches. One that ends before it starts
    /// deletes nothing.
    package mutating func add(_ range: TimeRange) {
        guard range.start <= range.end else { return }
        var merged = range
        var before: [TimeRange] = []
        var after: [TimeRange] = []
        for other in ranges {
            if other.end.saturatingNext < range.start {
                before.append(other)
            } else if range.end.saturatingNext < other.start {
                after.append(other)
            } else {
                merged.start = min(merged.start, other.start)
                merged.end = max(merged.end, other.end)
            }
        }
        ranges = before + [merged] + after
    }

    /// Whether all of a closed range is deleted.
    func cover(_ range: TimeRange) -> Bool {
        ranges.contains { $0.start <= range.start && range.end <= $0.end }
    }

    /// The part that has times in common with a closed range.
    func touching(_ range: TimeRange) -> DeletedRanges {
        var result = DeletedRanges()
        result.ranges = ranges.filter { $0.start <= range.end && range.start <= $0.end }
        return result
    }

    /// Forgets the ranges that end before a time.
    mutating func removeAll(endingBefore time: Timestamp) {
        ranges.removeAll { $0.end < time }
    }
}

extension Timestamp {
    /// The next millisecond; the last one stays.
    var saturatingNext: Timestamp { self == .max ? .max : self + 1 }

    /// The millisecond before; the first one stays.
    var saturatingPrevious: Timestamp { self == .min ? .min : self - 1 }
}
