// SPDX-License-Identifier: Apache-2.0

internal import Model

/// A native histogram: counts of observations in buckets whose bounds grow exponentially or are
/// given one by one.
public struct NativeHistogram: Sendable, Hashable {
    /// A run of buckets: how many indices are skipped since the last run, and how many follow.
    public struct Span: Sendable, Hashable {
        public var offset: Int32
        public var length: UInt32

        public init(offset: Int32, length: UInt32) {
            self.offset = offset
            self.length = length
        }
    }

    /// What is known of the counter since the histogram before this one.
    public enum CounterReset: UInt8, Sendable, Hashable {
        case unknown, happened, didNotHappen
        /// The histogram is no counter.
        case gauge
    }

    /// The schema of histograms with bounds of their own.
    public static let customBoundsSchema: Int32 = -53

    /// -4…8: bucket `i` ends at 2^(i · 2^-schema). `customBoundsSchema`: at `customBounds[i]`.
    public var schema: Int32 = 0
    public var counterReset = CounterReset.unknown
    /// Observations up to this distance from zero are in the zero bucket.
    public var zeroThreshold = 0.0
    public var zeroCount = 0.0
    public var count = 0.0
    public var sum = 0.0
    /// Which buckets `positiveCounts` counts; the first offset is an index.
    public var positiveSpans: [Span] = []
    public var positiveCounts: [Double] = []
    public var negativeSpans: [Span] = []
    public var negativeCounts: [Double] = []
    /// Upper bounds in ascending order, without +Inf.
    public var customBounds: [Double] = []

    public init() {}
}

extension NativeHistogram {
    init(_ histogram: FloatHistogram) {
        schema = histogram.schema
        counterReset = CounterReset(rawValue: histogram.counterResetHint.rawValue) ?? .unknown
        zeroThreshold = histogram.zeroThreshold
        zeroCount = histogram.zeroCount
        count = histogram.count
        sum = histogram.sum
        positiveSpans = histogram.positiveSpans.map { Span(offset: $0.offset, length: $0.length) }
        positiveCounts = histogram.positiveBuckets
        negativeSpans = histogram.negativeSpans.map { Span(offset: $0.offset, length: $0.length) }
        negativeCounts = histogram.negativeBuckets
        customBounds = histogram.customBounds
    }

    /// As the engine computes with it, or why it is no histogram.
    func floatHistogram() throws(InvalidHistogram) -> FloatHistogram {
        var result = FloatHistogram()
        guard (-4...8).contains(schema) || schema == Self.customBoundsSchema else {
            throw InvalidHistogram(reason: "schema \(schema) is unknown")
        }
        result.schema = schema
        result.counterResetHint = CounterResetHint(rawValue: counterReset.rawValue) ?? .unknown
        result.zeroThreshold = zeroThreshold
        result.zeroCount = zeroCount
        result.count = count
        result.sum = sum
        result.positiveSpans = try Self.checked(positiveSpans, positiveCounts)
        result.positiveBuckets = positiveCounts
        result.negativeSpans = try Self.checked(negativeSpans, negativeCounts)
        result.negativeBuckets = negativeCounts
        result.customBounds = customBounds
        if schema == Self.customBoundsSchema { try checkCustomBounds() }
        return result
    }

    private static func checked(
        _ spans: [Span], _ counts: [Double]
    ) throws(InvalidHistogram) -> [BucketSpan] {
        var index = 0
        var buckets = 0
        for (position, span) in spans.enumerated() {
            if position > 0, span.offset < 0 {
                throw InvalidHistogram(reason: "span \(position) begins before the last one ends")
            }
            index += Int(span.offset) + Int(span.length)
            buckets += Int(span.length)
            guard abs(index) < 1 << 30 else {
                throw InvalidHistogram(reason: "span \(position) ends beyond every bucket")
            }
        }
        guard buckets == counts.count else {
            throw InvalidHistogram(
                reason: "spans name \(buckets) buckets and \(counts.count) have counts")
        }
        return spans.map { BucketSpan(offset: $0.offset, length: $0.length) }
    }

    private func checkCustomBounds() throws(InvalidHistogram) {
        for (lower, upper) in zip(customBounds, customBounds.dropFirst()) where !(lower < upper) {
            throw InvalidHistogram(reason: "the custom bound \(upper) is not above \(lower)")
        }
        let end = positiveSpans.reduce(0) { $0 + Int($1.offset) + Int($1.length) }
        guard (positiveSpans.first?.offset ?? 0) >= 0, end <= customBounds.count + 1,
            negativeSpans.isEmpty
        else {
            throw InvalidHistogram(
                reason: "there are \(customBounds.count) custom bounds, and buckets beyond them")
        }
    }
}

/// Why the members of a histogram do not go together.
public struct InvalidHistogram: Error, Sendable, Hashable, CustomStringConvertible {
    public var reason: String
    public var description: String { "invalid histogram: \(reason)" }
}
