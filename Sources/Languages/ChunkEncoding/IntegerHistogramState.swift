// SPDX-License-Identifier: Apache-2.0
//
// Samples of integer histograms. Buckets are kept as they are in memory, each as a delta against
// the bucket before it.
//
//     first    time | count (unsigned) | zero count (unsigned) | 64 bits of sum | buckets
//     others   time | count | zero count | sum as in XOR chunks | buckets
//
// All fields but the sum are signed where not said otherwise; in samples after the first each is
// the change of its change, which is zero before the second.

package import Model

package struct IntegerHistogramState: HistogramState {
    package static var encoding: EncodedChunk.Encoding { .histogram }

    private var count: UInt64 = 0
    private var countDelta: Int64 = 0
    private var zeroCount: UInt64 = 0
    private var zeroCountDelta: Int64 = 0
    private var xorSum = XORValue()
    private var positive = Buckets()
    private var negative = Buckets()

    package init() {}

    /// Buckets of one side, and how each changed from the last but one sample to the last.
    private struct Buckets {
        var deltas: [Int64] = []
        var changes: [Int64] = []

        @_lifetime(reader: copy reader)
        mutating func readFirst(_ reader: inout BitReader, _ count: Int) {
            deltas.reserveCapacity(count)
            for _ in 0..<count { deltas.append(reader.varbitSigned()) }
            changes = [Int64](repeating: 0, count: count)
        }

        @_lifetime(reader: copy reader)
        mutating func readNext(_ reader: inout BitReader) {
            for index in deltas.indices {
                changes[index] &+= reader.varbitSigned()
                deltas[index] &+= changes[index]
            }
        }

        mutating func writeFirst(_ next: [Int64], to writer: inout BitWriter) {
            for delta in next { writer.putVarbit(signed: delta) }
            deltas = next
            changes = [Int64](repeating: 0, count: next.count)
        }

        /// A stale sample has no buckets.
        mutating func writeNext(_ next: [Int64], to writer: inout BitWriter) {
            for index in next.indices {
                let change = next[index] &- deltas[index]
                writer.putVarbit(signed: change &- changes[index])
                changes[index] = change
                deltas[index] = next[index]
            }
        }

        var counts: [Int64] {
            var histogram = IntegerHistogram()
            histogram.positiveDeltas = deltas
            return histogram.positiveCounts
        }

        var floats: [Double] {
            var running: Int64 = 0
            return deltas.map {
                running &+= $0
                return Double(running)
            }
        }
    }

    package var sum: Double { xorSum.value }
    package var positiveCounts: [Int64] { positive.counts }
    package var negativeCounts: [Int64] { negative.counts }

    package func isCountReset(in histogram: IntegerHistogram) -> Bool { histogram.count < count }
    package func isZeroCountReset(in histogram: IntegerHistogram) -> Bool {
        histogram.zeroCount < zeroCount
    }

    // MARK: Reading

    @_lifetime(reader: copy reader)
    package mutating func readFirst(_ reader: inout BitReader, _ layout: HistogramLayout) {
        count = reader.varbitUnsigned()
        zeroCount = reader.varbitUnsigned()
        xorSum.bits = reader.bits(64)
        positive.readFirst(&reader, layout.positiveCount)
        negative.readFirst(&reader, layout.negativeCount)
    }

    @_lifetime(reader: copy reader)
    package mutating func readNext(_ reader: inout BitReader) {
        countDelta &+= reader.varbitSigned()
        count = count &+ UInt64(bitPattern: countDelta)
        zeroCountDelta &+= reader.varbitSigned()
        zeroCount = zeroCount &+ UInt64(bitPattern: zeroCountDelta)
        reader.next(&xorSum)
        if StaleMarker.isStale(sum) { return }
        positive.readNext(&reader)
        negative.readNext(&reader)
    }

    // MARK: Writing

    package mutating func writeFirst(_ histogram: IntegerHistogram, to writer: inout BitWriter) {
        writer.putVarbit(unsigned: histogram.count)
        writer.putVarbit(unsigned: histogram.zeroCount)
        writer.put(histogram.sum)
        positive.writeFirst(histogram.positiveDeltas, to: &writer)
        negative.writeFirst(histogram.negativeDeltas, to: &writer)
        count = histogram.count
        zeroCount = histogram.zeroCount
        xorSum = XORValue(histogram.sum)
    }

    package mutating func writeNext(_ histogram: IntegerHistogram, to writer: inout BitWriter) {
        let newCountDelta = Int64(bitPattern: histogram.count &- count)
        let newZeroCountDelta = Int64(bitPattern: histogram.zeroCount &- zeroCount)
        // Behind a stale sample nothing but stale ones can follow, so what its counts say is lost.
        let isStale = histogram.isStale
        writer.putVarbit(signed: isStale ? 0 : newCountDelta &- countDelta)
        writer.putVarbit(signed: isStale ? 0 : newZeroCountDelta &- zeroCountDelta)
        writer.put(histogram.sum, after: &xorSum)
        positive.writeNext(histogram.positiveDeltas, to: &writer)
        negative.writeNext(histogram.negativeDeltas, to: &writer)
        count = histogram.count
        zeroCount = histogram.zeroCount
        countDelta = newCountDelta
        zeroCountDelta = newZeroCountDelta
    }

    // MARK: Samples

    package func histogram(
        _ layout: HistogramLayout, _ hint: CounterResetHint
    ) -> IntegerHistogram {
        var result = IntegerHistogram()
        result.schema = layout.schema
        result.counterResetHint = hint
        result.zeroThreshold = layout.zeroThreshold
        result.zeroCount = zeroCount
        result.count = count
        result.sum = sum
        result.positiveSpans = layout.positiveSpans
        result.positiveDeltas = positive.deltas
        result.negativeSpans = layout.negativeSpans
        result.negativeDeltas = negative.deltas
        result.customBounds = layout.customBounds
        return result
    }

    package func floating(
        _ layout: HistogramLayout, _ hint: CounterResetHint
    ) -> FloatHistogram {
        var result = FloatHistogram()
        result.schema = layout.schema
        result.counterResetHint = hint
        result.zeroThreshold = layout.zeroThreshold
        result.zeroCount = Double(zeroCount)
        result.count = Double(count)
        result.sum = sum
        result.positiveSpans = layout.positiveSpans
        result.positiveBuckets = positive.floats
        result.negativeSpans = layout.negativeSpans
        result.negativeBuckets = negative.floats
        result.customBounds = layout.customBounds
        return result
    }
}
