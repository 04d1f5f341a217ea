// SPDX-License-Identifier: Apache-2.0

/// A native histogram in the form in which it arrived and is kept.
package enum HistogramValue: Sendable, Hashable {
    case integer(IntegerHistogram)
    case float(FloatHistogram)

    package var sum: Double {
        switch self {
        case .integer(let histogram): histogram.sum
        case .float(let histogram): histogram.sum
        }
    }

    package var schema: Int32 {
        switch self {
        case .integer(let histogram): histogram.schema
        case .float(let histogram): histogram.schema
        }
    }

    package var isFloat: Bool {
        if case .float = self { return true }
        return false
    }

    package var isStale: Bool { StaleMarker.isStale(sum) }
    package var usesCustomBuckets: Bool { schema == FloatHistogram.customBucketsSchema }

    /// Buckets of both sides, without the zero bucket.
    package var bucketCount: Int {
        switch self {
        case .integer(let histogram):
            histogram.positiveDeltas.count + histogram.negativeDeltas.count
        case .float(let histogram):
            histogram.positiveBuckets.count + histogram.negativeBuckets.count
        }
    }

    /// Throws what is wrong with it.
    package func validate() throws(HistogramFault) {
        switch self {
        case .integer(let histogram): try histogram.validate()
        case .float(let histogram): try histogram.validate()
        }
    }

    /// Merges buckets until the histogram has the given, coarser schema.
    package mutating func reduceResolution(to schema: Int32) {
        switch self {
        case .integer(var histogram):
            histogram.reduceResolution(to: schema)
            self = .integer(histogram)
        case .float(var histogram):
            histogram.reduceResolution(to: schema)
            self = .float(histogram)
        }
    }

    /// Whether both are of one form and layout and, bit by bit, the same numbers. The hints do not
    /// count.
    package func hasSameData(as other: HistogramValue) -> Bool {
        switch (self, other) {
        case (.integer(let left), .integer(let right)): left.hasSameData(as: right)
        case (.float(let left), .float(let right)): left.hasSameData(as: right)
        default: false
        }
    }
}

extension IntegerHistogram {
    fileprivate func hasSameData(as other: IntegerHistogram) -> Bool {
        let usesCustomBuckets = schema == FloatHistogram.customBucketsSchema
        return schema == other.schema && count == other.count
            && sum.bitPattern == other.sum.bitPattern
            && (!usesCustomBuckets || customBounds == other.customBounds)
            && zeroThreshold == other.zeroThreshold && zeroCount == other.zeroCount
            && negativeDeltas == other.negativeDeltas && positiveDeltas == other.positiveDeltas
            && Self.withoutEmpty(negativeSpans) == Self.withoutEmpty(other.negativeSpans)
            && Self.withoutEmpty(positiveSpans) == Self.withoutEmpty(other.positiveSpans)
    }

    /// The spans that have buckets, with the offsets of the others added to theirs.
    private static func withoutEmpty(_ spans: [BucketSpan]) -> [BucketSpan] {
        var result: [BucketSpan] = []
        var offset: Int32 = 0
        for span in spans {
            offset &+= span.offset
            if span.length == 0 { continue }
            result.append(BucketSpan(offset: offset, length: span.length))
            offset = 0
        }
        return result
    }

    /// Merges buckets until the histogram has the given, coarser schema.
    package mutating func reduceResolution(to schema: Int32) {
        guard schema < self.schema else { return }
        let shift = Int(self.schema) - Int(schema)
        (positiveSpans, positiveDeltas) = Self.reduced(positiveSpans, positiveDeltas, shift)
        (negativeSpans, negativeDeltas) = Self.reduced(negativeSpans, negativeDeltas, shift)
        self.schema = schema
    }

    private static func reduced(
        _ spans: [BucketSpan], _ deltas: [Int64], _ shift: Int
    ) -> ([BucketSpan], [Int64]) {
        var merged: [(index: Int, count: Int64)] = []
        var at = 0
        var index = 0
        var running: Int64 = 0
        for span in spans {
            index += Int(span.offset)
            for _ in 0..<min(Int(span.length), deltas.count - at) {
                running &+= deltas[at]
                let target = ((index - 1) >> shift) + 1
                if merged.last?.index == target {
                    merged[merged.count - 1].count &+= running
                } else {
                    merged.append((target, running))
                }
                index += 1
                at += 1
            }
        }
        var result: [BucketSpan] = []
        var next = 0
        var last: Int64 = 0
        let newDeltas = merged.map { bucket in
            if result.isEmpty || bucket.index != next {
                let offset = Int32(clamping: bucket.index - next)
                result.append(BucketSpan(offset: offset, length: 1))
            } else {
                result[result.count - 1].length += 1
            }
            next = bucket.index + 1
            defer { last = bucket.count }
            return bucket.count &- last
        }
        return (result, newDeltas)
    }
}
