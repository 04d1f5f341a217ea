// SPDX-License-Identifier: Apache-2.0
//
// Chunks of native histograms. All samples of a chunk have one layout, which stands before the
// first:
//
//     u16 sample count | flags | layout | first sample | further samples, zero padded
//
//     flags            the two highest bits: what is known of a counter reset before the chunk
//     layout           zero threshold | schema | positive spans | negative spans | custom bounds
//     zero threshold   byte: 0 is zero, 255 + 64 bits a float, else a power of two: 2^(byte - 244)
//     schema           signed
//     spans            count, then length (unsigned) and offset (signed) of each
//     custom bounds    only where the schema says so: count, then of each an unsigned integer:
//                      1000 times the bound plus 1, or 0 + 64 bits of float
//
// Integers have a variable width: so many one bits and a zero (none behind eight), then
// 0, 3, 6, 9, 12, 18, 25, 56 or 64 bits. Samples are drawn in IntegerHistogramState.swift and
// FloatHistogramState.swift. A stale sample has no buckets, and only stale ones can follow it.
//
// Source: https://github.com/prometheus/prometheus/blob/main/tsdb/docs/format/chunks.md

package import Model

/// What all histograms of a chunk have in common.
package struct HistogramLayout: Sendable, Hashable {
    package var schema: Int32 = 0
    package var zeroThreshold: Double = 0
    package var positiveSpans: [BucketSpan] = []
    package var negativeSpans: [BucketSpan] = []
    package var customBounds: [Double] = []

    package init() {}

    package var positiveCount: Int { Self.bucketCount(positiveSpans) }
    package var negativeCount: Int { Self.bucketCount(negativeSpans) }

    static func bucketCount(_ spans: [BucketSpan]) -> Int {
        spans.reduce(0) { $0 &+ Int($1.length) }
    }

    /// Whether buckets of this schema are understood; those finer than 8 are made coarser on
    /// reading.
    var isKnown: Bool { schema == FloatHistogram.customBucketsSchema || (-9...52).contains(schema) }

    // MARK: Reading

    /// Reads a layout. Damage shows in the reader afterwards. No more buckets are promised than
    /// there are bits left.
    @_lifetime(reader: copy reader)
    init(reading reader: inout BitReader) {
        zeroThreshold = Self.readZeroThreshold(&reader)
        schema = Int32(truncatingIfNeeded: reader.varbitSigned())
        positiveSpans = Self.readSpans(&reader)
        negativeSpans = Self.readSpans(&reader)
        guard schema == FloatHistogram.customBucketsSchema else { return }
        let count = reader.varbitUnsigned()
        for _ in 0..<min(count, UInt64(reader.remainingBits)) {
            let code = reader.varbitUnsigned()
            customBounds.append(code == 0 ? reader.double() : Double(code - 1) / 1000)
            if reader.isExhausted { return }
        }
        if UInt64(customBounds.count) < count { reader.markExhausted() }
    }

    @_lifetime(reader: copy reader)
    private static func readZeroThreshold(_ reader: inout BitReader) -> Double {
        switch reader.bits(8) {
        case 0: 0
        case 255: reader.double()
        case let code: Double(sign: .plus, exponent: Int(code) - 244, significand: 1)
        }
    }

    @_lifetime(reader: copy reader)
    private static func readSpans(_ reader: inout BitReader) -> [BucketSpan] {
        var spans: [BucketSpan] = []
        let count = reader.varbitUnsigned()
        var buckets = 0
        while spans.count < count {
            let length = UInt32(truncatingIfNeeded: reader.varbitUnsigned())
            let offset = Int32(truncatingIfNeeded: reader.varbitSigned())
            buckets += Int(length)
            guard !reader.isExhausted, buckets <= reader.remainingBits else {
                reader.markExhausted()
                return []
            }
            spans.append(BucketSpan(offset: offset, length: length))
        }
        return spans
    }

    // MARK: Writing

    func write(to writer: inout BitWriter) {
        writeZeroThreshold(to: &writer)
        writer.putVarbit(signed: Int64(schema))
        for spans in [positiveSpans, negativeSpans] {
            writer.putVarbit(unsigned: UInt64(spans.count))
            for span in spans {
                writer.putVarbit(unsigned: UInt64(span.length))
                writer.putVarbit(signed: Int64(span.offset))
            }
        }
        guard schema == FloatHistogram.customBucketsSchema else { return }
        writer.putVarbit(unsigned: UInt64(customBounds.count))
        for bound in customBounds { Self.write(bound: bound, to: &writer) }
    }

    private func writeZeroThreshold(to writer: inout BitWriter) {
        if zeroThreshold == 0 { return writer.put(0, 8) }
        let isPower = zeroThreshold.sign == .plus && zeroThreshold.significand == 1
        if isPower, (-243...10).contains(zeroThreshold.exponent) {
            writer.put(UInt64(Int(zeroThreshold.exponent) + 244), 8)
        } else {
            writer.put(255, 8)
            writer.put(zeroThreshold)
        }
    }

    private static func write(bound: Double, to writer: inout BitWriter) {
        let scaled = bound * 1000
        // Larger integers take eight bytes, no less than the float.
        if scaled >= 0, scaled <= 33_554_430 {
            let whole = scaled.rounded(.toNearestOrAwayFromZero)
            if whole / 1000 == bound { return writer.putVarbit(unsigned: UInt64(whole) + 1) }
        }
        writer.put(0, 1)
        writer.put(bound)
    }
}
