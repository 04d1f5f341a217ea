// SPDX-License-Identifier: Apache-2.0
//
// Samples of float histograms:
//
//     first    time (signed) | count | zero count | sum | buckets     floats of 64 bits
//     others   change of the change of time (signed) | the same, each as in XOR chunks

package import Model

package struct FloatHistogramState: HistogramState {
    package static var encoding: EncodedChunk.Encoding { .floatHistogram }

    private var count = XORValue()
    private var zeroCount = XORValue()
    private var xorSum = XORValue()
    private var positive: [XORValue] = []
    private var negative: [XORValue] = []

    package init() {}

    package var sum: Double { xorSum.value }
    package var positiveCounts: [Double] { positive.map(\.value) }
    package var negativeCounts: [Double] { negative.map(\.value) }

    package func isCountReset(in histogram: FloatHistogram) -> Bool {
        histogram.count < count.value
    }
    package func isZeroCountReset(in histogram: FloatHistogram) -> Bool {
        histogram.zeroCount < zeroCount.value
    }

    // MARK: Reading

    @_lifetime(reader: copy reader)
    package mutating func readFirst(_ reader: inout BitReader, _ layout: HistogramLayout) {
        count.bits = reader.bits(64)
        zeroCount.bits = reader.bits(64)
        xorSum.bits = reader.bits(64)
        positive = Self.readFirst(&reader, layout.positiveCount)
        negative = Self.readFirst(&reader, layout.negativeCount)
    }

    @_lifetime(reader: copy reader)
    private static func readFirst(_ reader: inout BitReader, _ count: Int) -> [XORValue] {
        guard count <= reader.remainingBits / 64 else {
            reader.markExhausted()
            return []
        }
        var buckets: [XORValue] = []
        buckets.reserveCapacity(count)
        for _ in 0..<count { buckets.append(XORValue(reader.double())) }
        return buckets
    }

    @_lifetime(reader: copy reader)
    package mutating func readNext(_ reader: inout BitReader) {
        reader.next(&count)
        reader.next(&zeroCount)
        reader.next(&xorSum)
        if StaleMarker.isStale(sum) { return }
        for index in positive.indices { reader.next(&positive[index]) }
        for index in negative.indices { reader.next(&negative[index]) }
    }

    // MARK: Writing

    package mutating func writeFirst(_ histogram: FloatHistogram, to writer: inout BitWriter) {
        count = XORValue(histogram.count)
        zeroCount = XORValue(histogram.zeroCount)
        xorSum = XORValue(histogram.sum)
        positive = histogram.positiveBuckets.map { XORValue($0) }
        negative = histogram.negativeBuckets.map { XORValue($0) }
        for value in [count, zeroCount, xorSum] + positive + negative { writer.put(value.value) }
    }

    package mutating func writeNext(_ histogram: FloatHistogram, to writer: inout BitWriter) {
        writer.put(histogram.count, after: &count)
        writer.put(histogram.zeroCount, after: &zeroCount)
        writer.put(histogram.sum, after: &xorSum)
        // A stale sample has no buckets.
        for (index, bucket) in histogram.positiveBuckets.enumerated() {
            writer.put(bucket, after: &positive[index])
        }
        for (index, bucket) in histogram.negativeBuckets.enumerated() {
            writer.put(bucket, after: &negative[index])
        }
    }

    // MARK: Samples

    package func histogram(_ layout: HistogramLayout, _ hint: CounterResetHint) -> FloatHistogram {
        var result = FloatHistogram()
        result.schema = layout.schema
        result.counterResetHint = hint
        result.zeroThreshold = layout.zeroThreshold
        result.zeroCount = zeroCount.value
        result.count = count.value
        result.sum = sum
        result.positiveSpans = layout.positiveSpans
        result.positiveBuckets = positiveCounts
        result.negativeSpans = layout.negativeSpans
        result.negativeBuckets = negativeCounts
        result.customBounds = layout.customBounds
        return result
    }

    package func floating(_ layout: HistogramLayout, _ hint: CounterResetHint) -> FloatHistogram {
        histogram(layout, hint)
    }
}
