// SPDX-License-Identifier: Apache-2.0
//
// The part of a native histogram below or above a value (`</` and `>/`). A bucket that contains the
// value is divided as if its observations were spread evenly: on a linear scale for custom and zero
// buckets, on a logarithmic one for exponential buckets. Count and sum are computed anew from what
// is left, each bucket counting with its middle.

extension FloatHistogram {
    /// The observations at or below `value`.
    package func trimmed(below value: Double) -> FloatHistogram { trimmed(value, isUpper: true) }

    /// The observations above `value`.
    package func trimmed(above value: Double) -> FloatHistogram { trimmed(value, isUpper: false) }

    private func trimmed(_ value: Double, isUpper: Bool) -> FloatHistogram {
        var result = self
        let trim = BucketTrim(value: value, isUpper: isUpper, isLinear: usesCustomBuckets)
        var (count, sum) = (0.0, 0.0)
        var isTrimmed = false
        func apply(_ buckets: [HistogramBucket], isPositive: Bool, _ counts: inout [Double])
            -> Bool
        {
            var isPopulated = false
            for (index, bucket) in buckets.enumerated() where bucket.count != 0 {
                isPopulated = true
                let (kept, middle) = trim.apply(bucket, isPositive: isPositive)
                count += kept
                sum += middle * kept
                if kept != counts[index] {
                    counts[index] = kept
                    isTrimmed = true
                }
            }
            return isPopulated
        }
        let hasPositive = apply(positiveSide, isPositive: true, &result.positiveBuckets)
        let hasNegative = apply(negativeSide, isPositive: false, &result.negativeBuckets)
        if zeroCount > 0 {
            var bucket = zeroBucket
            if hasNegative, !hasPositive { bucket.upper = 0 }
            if hasPositive, !hasNegative { bucket.lower = 0 }
            let (kept, middle) = trim.applyToZero(bucket)
            if kept != zeroCount {
                result.zeroCount = kept
                isTrimmed = true
            }
            count += kept
            sum += middle * kept
        }
        if !isTrimmed { return self }
        result.count = count
        result.sum = sum
        return result.compacted()
    }
}

private struct BucketTrim {
    let value: Double
    let isUpper: Bool
    let isLinear: Bool

    /// What is kept of a bucket, and the middle of that part.
    func apply(_ bucket: HistogramBucket, isPositive: Bool) -> (kept: Double, middle: Double) {
        let isWhole = isUpper ? bucket.upper <= value : bucket.lower >= value
        if isWhole {
            return (bucket.count, middle(bucket.lower, bucket.upper, isPositive: isPositive))
        }
        let isDivided = isUpper ? bucket.lower < value : bucket.upper > value
        if !isDivided { return (0, 0) }
        if bucket.lower == -.infinity { return openBelow(bucket) }
        if bucket.upper == .infinity { return openAbove(bucket) }
        let below = bucket.count * bucket.fraction(below: value, linear: isLinear)
        return isUpper
            ? (below, middle(bucket.lower, value, isPositive: isPositive))
            : (bucket.count - below, middle(value, bucket.upper, isPositive: isPositive))
    }

    func applyToZero(_ bucket: HistogramBucket) -> (kept: Double, middle: Double) {
        let (lower, upper) = (bucket.lower, bucket.upper)
        if isUpper {
            if value <= lower { return (0, 0) }
            if value >= upper { return (bucket.count, (lower + upper) / 2) }
            return (bucket.count * ((value - lower) / (upper - lower)), (lower + value) / 2)
        }
        if value <= lower { return (bucket.count, (lower + upper) / 2) }
        if value >= upper { return (0, 0) }
        return (bucket.count * ((upper - value) / (upper - lower)), (value + upper) / 2)
    }

    /// A first custom bucket, which has no lower bound. Where its upper bound is positive, zero is
    /// taken for the lower one; else nothing is known of the spread within.
    private func openBelow(_ bucket: HistogramBucket) -> (kept: Double, middle: Double) {
        let upper = bucket.upper
        let unknown = upper.magnitude == .infinity ? 0 : upper
        if isUpper {
            if value >= upper { return (bucket.count, 0) }
            if value > 0, upper > 0, upper != .infinity {
                return (bucket.count * value / upper, value / 2)
            }
            return upper <= 0 ? (bucket.count, value) : (0, unknown)
        }
        if value <= bucket.lower { return (bucket.count, 0) }
        if value >= 0, upper > value, upper != .infinity {
            return (bucket.count * (1 - value / upper), (value + upper) / 2)
        }
        return (0, unknown)
    }

    /// A last bucket, which has no upper bound.
    private func openAbove(_ bucket: HistogramBucket) -> (kept: Double, middle: Double) {
        if !isUpper, value >= bucket.lower { return (bucket.count, value) }
        return (0, bucket.lower.magnitude == .infinity ? 0 : bucket.lower)
    }

    private func middle(_ lower: Double, _ upper: Double, isPositive: Bool) -> Double {
        if lower.magnitude == .infinity {
            if upper.magnitude == .infinity { return 0 }
            return upper > 0 ? upper / 2 : upper
        }
        if upper.magnitude == .infinity { return lower }
        if isLinear { return (lower + upper) / 2 }
        let geometric = (lower * upper).magnitude.squareRoot()
        return isPositive ? geometric : -geometric
    }
}
