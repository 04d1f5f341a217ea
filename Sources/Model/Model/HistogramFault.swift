// SPDX-License-Identifier: Apache-2.0

/// How the parts of a native histogram contradict each other, in upstream's words.
package enum HistogramFault: Error, Sendable, Hashable {
    /// Which buckets a sentence is about.
    package enum Side: String, Sendable, Hashable {
        case positive = "positive side"
        case negative = "negative side"
        case custom = "custom buckets"
    }

    /// Integer histograms: the buckets together, and the count.
    case countMismatch(buckets: UInt64, count: UInt64)
    /// The same where the sum is no number, so that some observations may be in no bucket.
    case countTooSmall(buckets: UInt64, count: UInt64)
    /// A number, as upstream prints it.
    case negativeCount(String)
    case negativeZeroCount(String)
    /// Bucket and span numbers count from 1.
    case negativeBucket(Side, number: Int, count: String)
    case negativeOffset(Side, span: Int, offset: Int32)
    case bucketCount(Side, wanted: Int, found: Int)
    case boundIsNaN
    case boundsNotIncreasing(previous: String, current: String)
    case boundIsInfinite
    case tooFewBounds(bounds: Int, wanted: Int)
    case customZeroCount, customZeroThreshold, customNegativeSpans, customNegativeBuckets
    case exponentialWithBounds
    case invalidSchema(Int32)
}

extension HistogramFault: CustomStringConvertible {
    package var description: String {
        switch self {
        case .countMismatch(let buckets, let count):
            "\(buckets) observations found in buckets, but the Count field is \(count): "
                + "histogram's observation count should equal the number of observations found in "
                + "the buckets (in absence of NaN)"
        case .countTooSmall(let buckets, let count):
            "\(buckets) observations found in buckets, but the Count field is \(count): "
                + "histogram's observation count should be at least the number of observations "
                + "found in the buckets"
        case .negativeCount(let count):
            "observation count is  \(count): histogram's observation count is negative"
        case .negativeZeroCount(let count):
            "zero bucket has observation count of \(count): \(Self.negativeBucketText)"
        case .negativeBucket(let side, let number, let count):
            "\(side.rawValue): bucket number \(number) has observation count of \(count): "
                + Self.negativeBucketText
        case .negativeOffset(let side, let span, let offset):
            "\(side.rawValue): span number \(span) with offset \(offset): "
                + "histogram has a span whose offset is negative"
        case .bucketCount(let side, let wanted, let found):
            "\(side.rawValue): spans need \(wanted) buckets, have \(found) buckets: "
                + "histogram spans specify different number of buckets than provided"
        case .boundIsNaN: "custom buckets: histogram custom bounds must not be NaN"
        case .boundsNotIncreasing(let previous, let current):
            "custom buckets: previous bound is \(previous) and current is \(current): "
                + "histogram custom bounds must be in strictly increasing order"
        case .boundIsInfinite:
            "custom buckets: last +Inf bound must not be explicitly defined: "
                + "histogram custom bounds must be finite"
        case .tooFewBounds(let bounds, let wanted):
            "custom buckets: only \(bounds) custom bounds defined which is insufficient to cover "
                + "total span length of \(wanted): histogram custom bounds are too few"
        case .customZeroCount: "custom buckets: must have zero count of 0"
        case .customZeroThreshold: "custom buckets: must have zero threshold of 0"
        case .customNegativeSpans: "custom buckets: must not have negative spans"
        case .customNegativeBuckets: "custom buckets: must not have negative buckets"
        case .exponentialWithBounds:
            "histogram with exponential schema must not have custom bounds"
        case .invalidSchema(let schema):
            "histogram has an invalid schema, which must be between -4 and 8 for exponential "
                + "buckets, or -53 for custom buckets, got schema \(schema)"
        }
    }

    private static var negativeBucketText: String {
        "histogram has a bucket whose observation count is negative"
    }
}
