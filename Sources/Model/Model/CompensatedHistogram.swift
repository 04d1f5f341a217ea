// SPDX-License-Identifier: Apache-2.0

/// The sum of many histograms with what it lost to rounding, by Neumaier's algorithm in every
/// count, so that sums do not depend on how they are split up.
package struct CompensatedHistogram: Sendable {
    package private(set) var sum: FloatHistogram
    /// Of the same layout as `sum`; nil until something was added.
    private var compensation: FloatHistogram?

    package init(_ first: FloatHistogram) { sum = first }

    /// Adds a histogram; tells about contradictions like `FloatHistogram.adding`.
    package mutating func add(_ other: FloatHistogram) throws(HistogramError) -> (
        hasResetCollision: Bool, hasReconciledBounds: Bool
    ) {
        guard sum.usesCustomBuckets == other.usesCustomBuckets else { throw .incompatibleSchemas }
        var left = sum
        var right = other
        var lost = compensation ?? left.scaled(by: 0).clearedOfNaN()
        let isReconciled = left.usesCustomBuckets && left.customBounds != right.customBounds
        if left.usesCustomBuckets {
            if isReconciled {
                var copy = right
                FloatHistogram.reconcileBounds(&lost, &copy)
                FloatHistogram.reconcileBounds(&left, &right)
            }
        } else {
            FloatHistogram.reconcileZeroBuckets(&left, &right)
            if lost.zeroThreshold != left.zeroThreshold { lost.zeroThreshold = left.zeroThreshold }
            let schema = min(left.schema, right.schema)
            left.reduceResolution(to: schema)
            right.reduceResolution(to: schema)
            lost.reduceResolution(to: schema)
            kahanAdd(right.zeroCount, &left.zeroCount, &lost.zeroCount)
        }
        kahanAdd(right.count, &left.count, &lost.count)
        kahanAdd(right.sum, &left.sum, &lost.sum)
        (left.positiveSpans, left.positiveBuckets, lost.positiveBuckets) = Self.merge(
            BucketList(left.positiveSpans, left.positiveBuckets),
            BucketList(lost.positiveSpans, lost.positiveBuckets),
            BucketList(right.positiveSpans, right.positiveBuckets))
        (left.negativeSpans, left.negativeBuckets, lost.negativeBuckets) = Self.merge(
            BucketList(left.negativeSpans, left.negativeBuckets),
            BucketList(lost.negativeSpans, lost.negativeBuckets),
            BucketList(right.negativeSpans, right.negativeBuckets))
        lost.positiveSpans = left.positiveSpans
        lost.negativeSpans = left.negativeSpans
        let hint = FloatHistogram.combinedHint(sum.counterResetHint, other.counterResetHint)
        left.counterResetHint = hint ?? .unknown
        sum = left
        compensation = lost
        return (hint == nil, isReconciled)
    }

    package mutating func scale(by factor: Double) {
        sum = sum.scaled(by: factor)
        compensation = compensation?.scaled(by: factor)
    }

    package mutating func divide(by divisor: Double) {
        sum = sum.divided(by: divisor)
        compensation = compensation?.divided(by: divisor)
    }

    /// The sum with what it lost added back.
    package var total: FloatHistogram {
        guard var compensation else { return sum }
        compensation.counterResetHint = sum.counterResetHint
        guard let total = try? sum.adding(compensation) else { return sum }
        return total.histogram
    }

    private static func merge(_ left: BucketList, _ lost: BucketList, _ right: BucketList) -> (
        [BucketSpan], [Double], [Double]
    ) {
        var sums = BucketList()
        var compensations: [Double] = []
        var (leftAt, lostAt, rightAt) = (0, 0, 0)
        while leftAt < left.count || rightAt < right.count {
            let leftIndex = leftAt < left.count ? left[leftAt].index : Int.max
            let rightIndex = rightAt < right.count ? right[rightAt].index : Int.max
            let index = min(leftIndex, rightIndex)
            var sum = 0.0
            var compensation = 0.0
            while lostAt < lost.count, lost[lostAt].index < index { lostAt += 1 }
            if leftIndex == index {
                sum = left[leftAt].count
                if lostAt < lost.count, lost[lostAt].index == index {
                    compensation = lost[lostAt].count
                }
                leftAt += 1
            }
            if rightIndex == index {
                if leftIndex == index {
                    kahanAdd(right[rightAt].count, &sum, &compensation)
                } else {
                    sum = right[rightAt].count
                }
                rightAt += 1
            }
            sums.append((index, sum))
            compensations.append(compensation)
        }
        let (spans, buckets) = sums.spans()
        return (spans, buckets, compensations)
    }
}

extension FloatHistogram {
    /// Zero in the place of NaN, which infinite counts times zero gave.
    fileprivate func clearedOfNaN() -> FloatHistogram {
        var result = self
        result.zeroCount = 0
        result.count = 0
        result.sum = 0
        result.positiveBuckets = positiveBuckets.map { _ in 0 }
        result.negativeBuckets = negativeBuckets.map { _ in 0 }
        return result
    }
}

@inline(__always)
private func kahanAdd(_ value: Double, _ sum: inout Double, _ compensation: inout Double) {
    let total = sum + value
    if total.magnitude == .infinity {
        compensation = 0
    } else if sum.magnitude >= value.magnitude {
        compensation += (sum - total) + value
    } else {
        compensation += (value - total) + sum
    }
    sum = total
}
