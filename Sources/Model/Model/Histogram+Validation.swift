// SPDX-License-Identifier: Apache-2.0
//
// What must hold of a native histogram that is to be stored. The order of the checks is upstream's,
// so that of several faults the same one is named (model/histogram, Validate).

internal import Bytes

extension IntegerHistogram {
    /// Throws what is wrong. Bucket counts that overflow wrap, as upstream's do.
    package func validate() throws(HistogramFault) {
        var negative: UInt64 = 0
        switch schema {
        case FloatHistogram.customBucketsSchema:
            try HistogramChecks.custom(customBounds, positiveSpans, positiveDeltas.count)
            if zeroCount != 0 { throw .customZeroCount }
            if zeroThreshold != 0 { throw .customZeroThreshold }
            if !negativeSpans.isEmpty { throw .customNegativeSpans }
            if !negativeDeltas.isEmpty { throw .customNegativeBuckets }
        case FloatHistogram.storedSchemas:
            try HistogramChecks.spans(.positive, positiveSpans, positiveDeltas.count)
            try HistogramChecks.spans(.negative, negativeSpans, negativeDeltas.count)
            negative = try Self.total(.negative, negativeDeltas)
            if !customBounds.isEmpty { throw .exponentialWithBounds }
        default: throw .invalidSchema(schema)
        }
        let inBuckets = try Self.total(.positive, positiveDeltas) &+ negative &+ zeroCount
        if sum.isNaN {
            guard inBuckets <= count else {
                throw .countTooSmall(buckets: inBuckets, count: count)
            }
        } else if inBuckets != count {
            throw .countMismatch(buckets: inBuckets, count: count)
        }
    }

    private static func total(
        _ side: HistogramFault.Side, _ deltas: [Int64]
    ) throws(HistogramFault) -> UInt64 {
        var total: UInt64 = 0
        var running: Int64 = 0
        for (index, delta) in deltas.enumerated() {
            running &+= delta
            guard running >= 0 else {
                throw .negativeBucket(side, number: index + 1, count: String(running))
            }
            total &+= UInt64(running)
        }
        return total
    }
}

extension FloatHistogram {
    /// The exponential schemas that are stored.
    package static let storedSchemas: ClosedRange<Int32> = -4...8

    /// Throws what is wrong. That the count is that of the buckets is not asked: sums of floats
    /// seldom agree.
    package func validate() throws(HistogramFault) {
        switch schema {
        case Self.customBucketsSchema:
            try HistogramChecks.custom(customBounds, positiveSpans, positiveBuckets.count)
            if zeroCount != 0 { throw .customZeroCount }
            if zeroThreshold != 0 { throw .customZeroThreshold }
            if !negativeSpans.isEmpty { throw .customNegativeSpans }
            if !negativeBuckets.isEmpty { throw .customNegativeBuckets }
        case Self.storedSchemas:
            try HistogramChecks.spans(.positive, positiveSpans, positiveBuckets.count)
            try HistogramChecks.spans(.negative, negativeSpans, negativeBuckets.count)
            try Self.check(.negative, negativeBuckets)
            if zeroCount < 0 {
                throw .negativeZeroCount(formatFloat(zeroCount, style: .general))
            }
            if !customBounds.isEmpty { throw .exponentialWithBounds }
        default: throw .invalidSchema(schema)
        }
        if count < 0 { throw .negativeCount(formatFloat(count, style: .general)) }
        try Self.check(.positive, positiveBuckets)
    }

    private static func check(
        _ side: HistogramFault.Side, _ buckets: [Double]
    ) throws(HistogramFault) {
        for (index, count) in buckets.enumerated() where count < 0 {
            throw .negativeBucket(
                side, number: index + 1, count: formatFloat(count, style: .general))
        }
    }
}

/// What both forms are checked for alike.
private enum HistogramChecks {
    static func spans(
        _ side: HistogramFault.Side, _ spans: [BucketSpan], _ bucketCount: Int
    ) throws(HistogramFault) {
        for (index, span) in spans.enumerated() where index > 0 && span.offset < 0 {
            throw .negativeOffset(side, span: index + 1, offset: span.offset)
        }
        try counts(side, spans, bucketCount)
    }

    private static func counts(
        _ side: HistogramFault.Side, _ spans: [BucketSpan], _ bucketCount: Int
    ) throws(HistogramFault) {
        let wanted = spans.reduce(0) { $0 + Int($1.length) }
        guard wanted == bucketCount else {
            throw .bucketCount(side, wanted: wanted, found: bucketCount)
        }
    }

    static func custom(
        _ bounds: [Double], _ spans: [BucketSpan], _ bucketCount: Int
    ) throws(HistogramFault) {
        for (index, bound) in bounds.enumerated() {
            if bound.isNaN { throw .boundIsNaN }
            if index > 0, bound <= bounds[index - 1] {
                throw .boundsNotIncreasing(
                    previous: formatFixed(bounds[index - 1]),
                    current: formatFixed(bound))
            }
        }
        if bounds.last == .infinity { throw .boundIsInfinite }
        for (index, span) in spans.enumerated() where span.offset < 0 {
            throw .negativeOffset(.custom, span: index + 1, offset: span.offset)
        }
        try counts(.custom, spans, bucketCount)
        let wanted = spans.reduce(0) { $0 + Int($1.length) + Int($1.offset) }
        guard bounds.count + 1 >= wanted else {
            throw .tooFewBounds(bounds: bounds.count, wanted: wanted)
        }
    }
}
