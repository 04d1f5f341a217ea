// SPDX-License-Identifier: Apache-2.0
//
// Quantiles and fractions of classic histograms: cumulative counts under ascending upper bounds,
// the last of them +Inf. Observations are taken to be spread evenly within a bucket.

internal import Model

/// The buckets of one histogram at one time, ordered by bound.
struct ClassicHistogram {
    struct Bucket {
        let bound: Double
        var count: Double
    }

    private(set) var buckets: [Bucket] = []

    /// Where counts had to be lifted, if any had.
    private(set) var forced: ForcedMonotonicity?

    mutating func removeAll() {
        buckets.removeAll(keepingCapacity: true)
        forced = nil
    }

    /// Adds a bucket whose bound is no less than those before; equal bounds become one bucket.
    mutating func append(_ bound: Double, _ count: Double) {
        if let last = buckets.last, last.bound == bound {
            buckets[buckets.count - 1].count += count
        } else {
            buckets.append(Bucket(bound: bound, count: count))
        }
    }

    private var isComplete: Bool { buckets.last?.bound == .infinity }

    /// Makes the counts ascend. Relative differences up to 1e-12 come from inexact sums and are
    /// smoothed over silently; a real decrease is lifted and noted.
    private mutating func forceMonotonicity(_ time: Timestamp) {
        var highest = buckets[0].count
        var note = ForcedMonotonicity(
            firstTime: time, lastTime: time, lowestBound: .infinity, highestBound: -.infinity,
            largestDifference: 0)
        var isForced = false
        for index in buckets.indices.dropFirst() {
            let count = buckets[index].count
            if count == highest { continue }
            if Self.areAlmostEqual(highest, count) {
                buckets[index].count = highest
            } else if count < highest {
                buckets[index].count = highest
                isForced = true
                note.lowestBound = min(note.lowestBound, buckets[index].bound)
                note.highestBound = max(note.highestBound, buckets[index].bound)
                note.largestDifference = max(note.largestDifference, highest - count)
            } else {
                highest = count
            }
        }
        if isForced { forced = note }
    }

    /// Equal but for a relative difference of 1e-12.
    private static func areAlmostEqual(_ left: Double, _ right: Double) -> Bool {
        if left.isNaN, right.isNaN { return true }
        if left == right { return true }
        let sum = left.magnitude + right.magnitude
        let difference = (left - right).magnitude
        let smallest = 2.2250738585072014e-308
        if left == 0 || right == 0 || sum < smallest { return difference < 1e-12 * smallest }
        return difference / min(sum, .greatestFiniteMagnitude) < 1e-12
    }

    /// The φ-quantile. May lift counts; call it on a fresh copy.
    mutating func quantile(_ quantile: Double, at time: Timestamp) -> Double {
        if quantile.isNaN { return .nan }
        if quantile < 0 { return -.infinity }
        if quantile > 1 { return .infinity }
        guard isComplete else { return .nan }
        forceMonotonicity(time)
        guard buckets.count >= 2, let total = buckets.last?.count, total != 0 else { return .nan }
        var rank = quantile * total
        let last = buckets.count - 1
        let found = firstBucket(reaching: rank)
        if found == last { return buckets[last - 1].bound }
        if found == 0, buckets[0].bound <= 0 { return buckets[0].bound }
        let end = buckets[found].bound
        var start = 0.0
        var count = buckets[found].count
        if found > 0 {
            start = buckets[found - 1].bound
            count -= buckets[found - 1].count
            rank -= buckets[found - 1].count
        }
        return start + (end - start) * (rank / count)
    }

    /// By bisection over all but the last bucket, as upstream: with NaN counts that matters.
    private func firstBucket(reaching rank: Double) -> Int {
        var low = 0
        var high = buckets.count - 1
        while low < high {
            let middle = (low + high) / 2
            if buckets[middle].count >= rank { high = middle } else { low = middle + 1 }
        }
        return low
    }

    /// The part of all observations between two values.
    func fraction(from lower: Double, to upper: Double) -> Double {
        guard isComplete, let total = buckets.last?.count else { return .nan }
        if total == 0 || lower.isNaN || upper.isNaN { return .nan }
        if lower >= upper { return 0 }
        var rank = 0.0
        var lowerRank: Double?
        var upperRank: Double?
        var start = buckets[0].bound <= 0 ? -Double.infinity : 0
        for (index, bucket) in buckets.enumerated() {
            if index > 0 { start = buckets[index - 1].bound }
            func rankOf(_ value: Double) -> Double {
                // An infinitely wide bucket cannot be divided.
                if start == -.infinity { return bucket.count }
                return rank + (bucket.count - rank) * (value - start) / (bucket.bound - start)
            }
            if lowerRank == nil, start >= lower { lowerRank = rank }
            if upperRank == nil, start >= upper { upperRank = rank }
            if lowerRank != nil, upperRank != nil { break }
            if lowerRank == nil, start < lower, bucket.bound > lower { lowerRank = rankOf(lower) }
            if upperRank == nil, start < upper, bucket.bound > upper { upperRank = rankOf(upper) }
            if lowerRank != nil, upperRank != nil { break }
            rank = bucket.count
        }
        let low = lowerRank.map { $0 > total ? total : $0 } ?? total
        let high = upperRank.map { $0 > total ? total : $0 } ?? total
        return (high - low) / total
    }
}
