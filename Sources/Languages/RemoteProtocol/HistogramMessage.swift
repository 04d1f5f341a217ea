// SPDX-License-Identifier: Apache-2.0
//
// A native histogram in a write request:
//
//     1 uint64 or 2 double   count; which of them is there says whether the histogram is of floats
//     3 double sum           4 sint32 schema          5 double zero threshold
//     6 uint64 or 7 double   zero count
//     8  repeated span       negative side; a span is {1 sint32 offset, 2 uint32 length}
//     9  repeated sint64     its buckets as deltas, of integers
//     10 repeated double     its buckets, of floats
//     11, 12, 13             the same of the positive side
//     14 enum reset hint     15 int64 timestamp in milliseconds
//     16 repeated double     custom bounds
//
// Source: https://prometheus.io/docs/specs/prw/remote_write_spec/

internal import Bytes
package import Model
internal import Protobuf

/// A native histogram and its time.
package struct HistogramMessage: Sendable {
    package private(set) var timestamp: Timestamp = 0
    private var hint = CounterResetHint.unknown
    private var isFloat = false
    private var schema: Int32 = 0
    private var zeroThreshold = 0.0
    private var sum = 0.0
    private var count = (integer: UInt64(0), float: 0.0)
    private var zeroCount = (integer: UInt64(0), float: 0.0)
    private var positive = Side()
    private var negative = Side()
    private var customBounds: [Double] = []

    private struct Side: Sendable {
        var spans: [BucketSpan] = []
        var deltas: [Int64] = []
        var counts: [Double] = []
    }

    /// The finest schema that is stored; the finer ones that senders may use are reduced to it.
    private static var finestSchema: Int32 { FloatHistogram.storedSchemas.upperBound }
    private static let finerSchemas: ClosedRange<Int32> = 9...52

    /// Reads the message in a range of the request's bytes.
    init(_ bytes: RawSpan, _ range: Range<Int>) throws(ProtobufError) {
        var reader = ProtobufReader(bytes, range)
        while let field = try reader.next() {
            switch field.number {
            case 1:
                count = (try reader.uint64(field), 0)
                isFloat = false
            case 2:
                count = (0, try reader.double(field))
                isFloat = true
            case 3: sum = try reader.double(field)
            case 4: schema = Int32(truncatingIfNeeded: try reader.signedInteger(field))
            case 5: zeroThreshold = try reader.double(field)
            case 6: zeroCount = (try reader.uint64(field), 0)
            case 7: zeroCount = (0, try reader.double(field))
            case 8: negative.spans.append(try Self.span(bytes, try reader.range(field)))
            case 9: try reader.signedIntegers(field, into: &negative.deltas)
            case 10: try reader.doubles(field, into: &negative.counts)
            case 11: positive.spans.append(try Self.span(bytes, try reader.range(field)))
            case 12: try reader.signedIntegers(field, into: &positive.deltas)
            case 13: try reader.doubles(field, into: &positive.counts)
            case 14:
                let raw = try reader.uint64(field)
                hint = CounterResetHint(rawValue: UInt8(truncatingIfNeeded: raw)) ?? .unknown
            case 15: timestamp = try reader.int64(field)
            case 16: try reader.doubles(field, into: &customBounds)
            default: try reader.skip(field)
            }
        }
    }

    private static func span(
        _ bytes: RawSpan, _ range: Range<Int>
    ) throws(ProtobufError) -> BucketSpan {
        var span = BucketSpan(offset: 0, length: 0)
        var reader = ProtobufReader(bytes, range)
        while let field = try reader.next() {
            switch field.number {
            case 1: span.offset = Int32(truncatingIfNeeded: try reader.signedInteger(field))
            case 2: span.length = UInt32(truncatingIfNeeded: try reader.uint64(field))
            default: try reader.skip(field)
            }
        }
        return span
    }

    /// The histogram. Nothing of it was checked yet.
    package var value: HistogramValue {
        var value: HistogramValue = isFloat ? .float(float) : .integer(integer)
        if Self.finerSchemas.contains(schema) { value.reduceResolution(to: Self.finestSchema) }
        return value
    }

    private var integer: IntegerHistogram {
        var result = IntegerHistogram()
        result.schema = schema
        result.counterResetHint = hint
        result.zeroThreshold = zeroThreshold
        result.zeroCount = zeroCount.integer
        result.count = count.integer
        result.sum = sum
        result.positiveSpans = positive.spans
        result.positiveDeltas = positive.deltas
        result.negativeSpans = negative.spans
        result.negativeDeltas = negative.deltas
        result.customBounds = customBounds
        return result
    }

    private var float: FloatHistogram {
        var result = FloatHistogram()
        result.schema = schema
        result.counterResetHint = hint
        result.zeroThreshold = zeroThreshold
        result.zeroCount = zeroCount.float
        result.count = count.float
        result.sum = sum
        result.positiveSpans = positive.spans
        result.positiveBuckets = positive.counts
        result.negativeSpans = negative.spans
        result.negativeBuckets = negative.counts
        result.customBounds = customBounds
        return result
    }
}
