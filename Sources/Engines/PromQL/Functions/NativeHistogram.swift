// SPDX-License-Identifier: Apache-2.0
//
// Numbers out of native histograms. Within a bucket observations are taken to be spread evenly: on
// a logarithmic scale in exponential buckets, on a linear one in custom buckets and the zero
// bucket. Observations of NaN count, but are in no bucket; the sum is NaN then.

internal import Model
internal import PromQLSyntax

/// A native histogram that numbers are asked of, and where to tell what is odd about it.
struct NativeHistogram {
    let histogram: FloatHistogram
    let metric: String
    let source: SourceRange
    let annotations: Annotations

    /// `histogram_count` and the like.
    static func value(_ function: Function, _ histogram: FloatHistogram) -> Double {
        switch function {
        case .histogramCount: histogram.count
        case .histogramSum: histogram.sum
        case .histogramAvg: histogram.sum / histogram.count
        case .histogramStddev: variance(histogram).squareRoot()
        default: variance(histogram)
        }
    }

    /// Each bucket counts with its middle: geometric for exponential buckets.
    private static func variance(_ histogram: FloatHistogram) -> Double {
        let mean = histogram.sum / histogram.count
        var sum = 0.0
        var compensation = 0.0
        for bucket in histogram.allBuckets where bucket.count != 0 {
            let middle: Double
            if histogram.usesCustomBuckets {
                middle = (bucket.upper + bucket.lower) / 2
            } else if bucket.lower <= 0, bucket.upper >= 0 {
                middle = 0
            } else {
                let root = (bucket.upper * bucket.lower).squareRoot()
                middle = bucket.upper < 0 ? -root : root
            }
            let delta = middle - mean
            kahanAdd(bucket.count * delta * delta, &sum, &compensation)
        }
        return (sum + compensation) / histogram.count
    }

    /// The zero bucket ends at zero on a side without observations.
    private func narrowed(_ bucket: HistogramBucket) -> HistogramBucket {
        var bucket = bucket
        let hasNegative = !histogram.negativeBuckets.isEmpty
        let hasPositive = !histogram.positiveBuckets.isEmpty
        if !hasNegative, hasPositive { bucket.lower = 0 }
        if !hasPositive, hasNegative { bucket.upper = 0 }
        return bucket
    }

    func quantile(_ quantile: Double) -> Double {
        if quantile < 0 { return -.infinity }
        if quantile > 1 { return .infinity }
        if histogram.count == 0 || quantile.isNaN { return .nan }
        let mayHaveNaN = histogram.sum.isNaN
        // From the end that is nearer, unless NaN leaves the upper end uncertain.
        let isForward = mayHaveNaN || quantile < 0.5
        let ascending = histogram.allBuckets
        let buckets = isForward ? ascending : ascending.reversed()
        let rank = (isForward ? quantile : 1 - quantile) * histogram.count
        var bucket = HistogramBucket(
            lower: 0, upper: 0, count: 0, includesLower: false, includesUpper: false)
        var count = 0.0
        var next = 0
        while next < buckets.count {
            bucket = buckets[next]
            next += 1
            if bucket.count == 0 { continue }
            count += bucket.count
            if count >= rank { break }
        }
        if !histogram.usesCustomBuckets {
            if bucket.lower < 0, bucket.upper > 0 { bucket = narrowed(bucket) }
        } else if bucket.lower == -.infinity {
            if bucket.upper <= 0 { return bucket.upper }
            bucket.lower = 0
        } else if bucket.upper == .infinity {
            return bucket.lower
        }
        count = min(count, histogram.count)
        if count < rank {
            guard mayHaveNaN else { return bucket.upper }
            annotations.add(.quantileOfNaNObservations(metric: metric, source))
            return .nan
        }
        let inside = isForward ? rank - (count - bucket.count) : count - rank
        if mayHaveNaN {
            // As upstream, what is found behind the bucket takes its place from here on.
            for rest in buckets[next...] {
                bucket = rest
                count += rest.count
            }
            if count < histogram.count {
                annotations.add(.quantileSkewedByNaN(metric: metric, source))
            }
        }
        return value(at: inside / bucket.count, in: bucket)
    }

    private func value(at fraction: Double, in bucket: HistogramBucket) -> Double {
        if histogram.usesCustomBuckets || (bucket.lower <= 0 && bucket.upper >= 0) {
            return bucket.lower + (bucket.upper - bucket.lower) * fraction
        }
        let lower = GoMath.log2(bucket.lower.magnitude)
        let upper = GoMath.log2(bucket.upper.magnitude)
        if bucket.lower > 0 { return GoMath.exp2(lower + (upper - lower) * fraction) }
        return -GoMath.exp2(upper + (lower - upper) * (1 - fraction))
    }

    /// The part of all observations between two values.
    func fraction(from lower: Double, to upper: Double) -> Double {
        if histogram.count == 0 || lower.isNaN || upper.isNaN { return .nan }
        if lower >= upper { return 0 }
        var rank = 0.0
        var count = 0.0
        var lowerRank: Double?
        var upperRank: Double?
        let buckets = histogram.allBuckets
        var next = 0
        while next < buckets.count {
            var bucket = buckets[next]
            next += 1
            count += bucket.count
            let isZero = bucket.lower <= 0 && bucket.upper >= 0
            if isZero { bucket = narrowed(bucket) }
            let isLinear = histogram.usesCustomBuckets || isZero
            func rankOf(_ value: Double) -> Double {
                if isLinear, bucket.lower == -.infinity { return bucket.count }
                return rank + bucket.count * bucket.fraction(below: value, linear: isLinear)
            }
            if lowerRank == nil, bucket.lower >= lower { lowerRank = rank }
            if upperRank == nil, bucket.lower >= upper { upperRank = rank }
            if lowerRank != nil, upperRank != nil { break }
            if lowerRank == nil, bucket.lower < lower, bucket.upper > lower {
                lowerRank = rankOf(lower)
            }
            if upperRank == nil, bucket.lower < upper, bucket.upper > upper {
                upperRank = rankOf(upper)
            }
            if lowerRank != nil, upperRank != nil { break }
            rank += bucket.count
        }
        if histogram.sum.isNaN {
            for rest in buckets[next...] { count += rest.count }
            if count < histogram.count {
                annotations.add(.fractionWithoutNaN(metric: metric, source))
            }
        } else {
            count = histogram.count
        }
        let low = lowerRank.map { $0 > count ? count : $0 } ?? count
        let high = upperRank.map { $0 > count ? count : $0 } ?? count
        return (high - low) / histogram.count
    }
}
