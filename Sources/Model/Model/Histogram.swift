// SPDX-License-Identifier: Apache-2.0

/// A run of consecutive buckets: how many bucket indexes to leave out after the previous run (the
/// first run: the index it starts at), and how many buckets follow.
package struct BucketSpan: Sendable, Hashable {
    package var offset: Int32
    package var length: UInt32

    package init(offset: Int32, length: UInt32) {
        self.offset = offset
        self.length = length
    }
}

/// What is known about a counter reset between a histogram and the one before it.
package enum CounterResetHint: UInt8, Sendable, Hashable {
    case unknown, reset, notReset, gauge
}

/// A native histogram with float counts: the form in which queries compute.
///
/// Schemas -4...8 are exponential: bucket `i` covers (base^(i-1), base^i] with base 2^(2^-schema).
/// Schema -53 has custom upper bounds in `customBounds` and no negative or zero buckets.
/// Bucket counts are absolute and stand in the order of the spans.
package struct FloatHistogram: Sendable, Hashable {
    package static let customBucketsSchema: Int32 = -53

    package var schema: Int32 = 0
    package var counterResetHint: CounterResetHint = .unknown
    package var zeroThreshold: Double = 0
    package var zeroCount: Double = 0
    package var count: Double = 0
    package var sum: Double = 0
    package var positiveSpans: [BucketSpan] = []
    package var positiveBuckets: [Double] = []
    package var negativeSpans: [BucketSpan] = []
    package var negativeBuckets: [Double] = []
    package var customBounds: [Double] = []

    package init() {}

    package var usesCustomBuckets: Bool { schema == Self.customBucketsSchema }
    package var isStale: Bool { StaleMarker.isStale(sum) }
}

/// A native histogram with integer counts, as expositions and the storage carry it: bucket counts
/// are deltas, each against the bucket before it.
package struct IntegerHistogram: Sendable, Hashable {
    package var schema: Int32 = 0
    package var counterResetHint: CounterResetHint = .unknown
    package var zeroThreshold: Double = 0
    package var zeroCount: UInt64 = 0
    package var count: UInt64 = 0
    package var sum: Double = 0
    package var positiveSpans: [BucketSpan] = []
    package var positiveDeltas: [Int64] = []
    package var negativeSpans: [BucketSpan] = []
    package var negativeDeltas: [Int64] = []
    package var customBounds: [Double] = []

    package init() {}

    /// The same histogram with absolute float counts.
    package var floating: FloatHistogram {
        var result = FloatHistogram()
        result.schema = schema
        result.counterResetHint = counterResetHint
        result.zeroThreshold = zeroThreshold
        result.zeroCount = Double(zeroCount)
        result.count = Double(count)
        result.sum = sum
        result.positiveSpans = positiveSpans
        result.negativeSpans = negativeSpans
        result.positiveBuckets = Self.absolute(positiveDeltas)
        result.negativeBuckets = Self.absolute(negativeDeltas)
        result.customBounds = customBounds
        return result
    }

    private static func absolute(_ deltas: [Int64]) -> [Double] {
        var running: Int64 = 0
        return deltas.map {
            running &+= $0
            return Double(running)
        }
    }
}
