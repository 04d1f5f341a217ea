// SPDX-License-Identifier: Apache-2.0

/// One bucket of a native histogram with its bounds.
package struct HistogramBucket: Sendable, Hashable {
    package var lower: Double
    package var upper: Double
    package var count: Double
    package var includesLower: Bool
    package var includesUpper: Bool

    package init(
        lower: Double, upper: Double, count: Double, includesLower: Bool, includesUpper: Bool
    ) {
        self.lower = lower
        self.upper = upper
        self.count = count
        self.includesLower = includesLower
        self.includesUpper = includesUpper
    }

    /// The part of the bucket's width that lies at or below `value`, which is strictly inside
    /// finite bounds. Exponential buckets are even on a logarithmic scale.
    package func fraction(below value: Double, linear: Bool) -> Double {
        if linear { return (value - lower) / (upper - lower) }
        let logLower = GoMath.log2(lower.magnitude)
        let logUpper = GoMath.log2(upper.magnitude)
        let logValue = GoMath.log2(value.magnitude)
        if value > 0 { return (logValue - logLower) / (logUpper - logLower) }
        return 1 - ((logValue - logUpper) / (logLower - logUpper))
    }
}

extension FloatHistogram {
    /// The upper bound of a bucket on the positive side; -1 means the lower bound of the first one
    /// with custom bounds.
    private func bound(_ index: Int) -> Double {
        guard usesCustomBuckets else { return Self.upperBound(index, schema: schema) }
        if index < 0 { return -.infinity }
        return index < customBounds.count ? customBounds[index] : .infinity
    }

    private func positiveBucket(_ index: Int, _ count: Double) -> HistogramBucket {
        let lower = bound(index - 1)
        let upper = bound(index)
        return HistogramBucket(
            lower: lower, upper: upper, count: count,
            includesLower: usesCustomBuckets ? index == 0 : lower < 0,
            includesUpper: usesCustomBuckets || upper > 0)
    }

    private func negativeBucket(_ index: Int, _ count: Double) -> HistogramBucket {
        let lower = -bound(index)
        let upper = -bound(index - 1)
        return HistogramBucket(
            lower: lower, upper: upper, count: count, includesLower: lower < 0,
            includesUpper: upper > 0)
    }

    /// The buckets above the zero bucket, away from it.
    package var positiveSide: [HistogramBucket] {
        BucketList(positiveSpans, positiveBuckets).map { positiveBucket($0.index, $0.count) }
    }

    /// The buckets below the zero bucket, away from it.
    package var negativeSide: [HistogramBucket] {
        BucketList(negativeSpans, negativeBuckets).map { negativeBucket($0.index, $0.count) }
    }

    /// The zero bucket of an exponential histogram.
    package var zeroBucket: HistogramBucket {
        HistogramBucket(
            lower: -zeroThreshold, upper: zeroThreshold, count: zeroCount, includesLower: true,
            includesUpper: true)
    }

    /// All buckets in ascending order, the zero bucket among them where it is populated. Neighbours
    /// of the zero bucket end at its border.
    package var allBuckets: [HistogramBucket] {
        var all: [HistogramBucket] = []
        for var bucket in negativeSide.reversed() {
            if bucket.upper < 0, bucket.upper > -zeroThreshold { bucket.upper = -zeroThreshold }
            all.append(bucket)
        }
        if zeroCount > 0 { all.append(zeroBucket) }
        for var bucket in positiveSide {
            if bucket.lower > 0, bucket.lower < zeroThreshold { bucket.lower = zeroThreshold }
            all.append(bucket)
        }
        return all
    }

    /// Whether a count or the sum has left the range of floats.
    package var hasOverflow: Bool {
        func isInfinite(_ value: Double) -> Bool { value.magnitude == .infinity }
        return isInfinite(zeroCount) || isInfinite(count) || isInfinite(sum)
            || positiveBuckets.contains(where: isInfinite)
            || negativeBuckets.contains(where: isInfinite)
            || customBounds.contains(where: isInfinite)
    }

    /// Whether both have the same layout and, bit by bit, the same numbers. The hints do not count.
    package func hasSameData(as other: FloatHistogram) -> Bool {
        func same(_ left: Double, _ right: Double) -> Bool { left.bitPattern == right.bitPattern }
        func same(_ left: BucketList, _ right: BucketList) -> Bool {
            left.count == right.count
                && zip(left, right).allSatisfy { $0.index == $1.index && same($0.count, $1.count) }
        }
        return schema == other.schema && same(count, other.count) && same(sum, other.sum)
            && (!usesCustomBuckets || customBounds == other.customBounds)
            && zeroThreshold == other.zeroThreshold && same(zeroCount, other.zeroCount)
            && same(
                BucketList(negativeSpans, negativeBuckets),
                BucketList(other.negativeSpans, other.negativeBuckets))
            && same(
                BucketList(positiveSpans, positiveBuckets),
                BucketList(other.positiveSpans, other.positiveBuckets))
    }
}
