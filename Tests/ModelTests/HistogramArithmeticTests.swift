// SPDX-License-Identifier: Apache-2.0

import Model
import Testing

@Suite struct HistogramArithmeticTests {
    private func exponential(
        schema: Int32 = 0, offset: Int32 = 1, _ buckets: [Double], zero: Double = 0,
        width: Double = 0
    ) -> FloatHistogram {
        var histogram = FloatHistogram()
        histogram.schema = schema
        histogram.zeroCount = zero
        histogram.zeroThreshold = width
        histogram.positiveSpans = [BucketSpan(offset: offset, length: UInt32(buckets.count))]
        histogram.positiveBuckets = buckets
        histogram.count = buckets.reduce(zero, +)
        return histogram
    }

    private func custom(_ bounds: [Double], _ buckets: [Double]) -> FloatHistogram {
        var histogram = exponential(
            schema: FloatHistogram.customBucketsSchema, offset: 0, buckets)
        histogram.customBounds = bounds
        return histogram
    }

    @Test("Buckets of one schema are added by index, with gaps kept as spans")
    func sameSchema() throws {
        let sum = try exponential(offset: 1, [1, 2]).adding(exponential(offset: 2, [10, 0, 5]))
        #expect(sum.histogram.positiveSpans == [BucketSpan(offset: 1, length: 4)])
        #expect(sum.histogram.positiveBuckets == [1, 12, 0, 5])
        #expect(sum.histogram.count == 18)
        let far = try exponential(offset: 1, [1]).subtracting(exponential(offset: 5, [2]))
        #expect(
            far.histogram.positiveSpans
                == [BucketSpan(offset: 1, length: 1), BucketSpan(offset: 3, length: 1)])
        #expect(far.histogram.positiveBuckets == [1, -2])
    }

    @Test("The finer of two schemas is reduced to the coarser one")
    func schemas() throws {
        let sum = try exponential(schema: 1, offset: 1, [1, 2, 4, 8])
            .adding(exponential(schema: 0, offset: 1, [10]))
        #expect(sum.histogram.schema == 0)
        #expect(sum.histogram.positiveBuckets == [13, 12])
    }

    @Test("Zero buckets meet in the wider one, widened further where it would split a bucket")
    func zeroBuckets() throws {
        // Bucket 1 is (1, 2], so a threshold of 1.5 takes it in whole.
        let sum = try exponential(offset: 1, [3, 4], zero: 1, width: 0.5)
            .adding(exponential(offset: 2, [5], zero: 2, width: 1.5))
        #expect(sum.histogram.zeroThreshold == 2)
        #expect(sum.histogram.zeroCount == 6)
        #expect(sum.histogram.compacted().positiveBuckets == [9])
        var odd = exponential([1])
        odd.zeroThreshold = .nan
        #expect(try odd.adding(exponential([1])).histogram.positiveBuckets == [2])
    }

    @Test("Different custom bounds meet in those that both have")
    func customBounds() throws {
        let sum = try custom([1, 2, 4], [1, 2, 3, 4]).adding(custom([1, 4, 8], [10, 20, 30, 40]))
        #expect(sum.hasReconciledBounds)
        #expect(sum.histogram.customBounds == [1, 4])
        #expect(sum.histogram.positiveBuckets == [11, 25, 74])
        #expect(throws: HistogramError.self) {
            try custom([1], [1, 1]).adding(exponential([1]))
        }
    }

    @Test(
        "Counter reset hints are combined, and contradictions reported",
        arguments: [
            (CounterResetHint.unknown, CounterResetHint.reset, CounterResetHint.unknown, false),
            (.gauge, .reset, .gauge, false), (.reset, .reset, .reset, false),
            (.reset, .notReset, .unknown, true),
        ])
    func hints(
        _ left: CounterResetHint, _ right: CounterResetHint, _ result: CounterResetHint,
        _ collides: Bool
    ) throws {
        var (first, second) = (exponential([1]), exponential([1]))
        first.counterResetHint = left
        second.counterResetHint = right
        let sum = try first.adding(second)
        #expect(sum.histogram.counterResetHint == result)
        #expect(sum.hasResetCollision == collides)
    }

    @Test("Bounds are powers of two to the last bit")
    func bounds() {
        #expect(FloatHistogram.upperBound(3, schema: 0) == 8)
        #expect(FloatHistogram.upperBound(-2, schema: -1) == 0.0625)
        #expect(FloatHistogram.upperBound(1024, schema: 0) == .greatestFiniteMagnitude)
        #expect(FloatHistogram.upperBound(2048, schema: 1) == .greatestFiniteMagnitude)
    }

    @Test("Bounds are those of upstream's table, with its rounding errors")
    func boundsOfTable() {
        #expect(FloatHistogram.upperBound(-4, schema: 3) == 0.7071067811865475)
        #expect(FloatHistogram.upperBound(-1, schema: 2) == 0.8408964152537144)
        #expect(FloatHistogram.upperBound(5, schema: 4) == 2 * 0.620928906036742)
        #expect(FloatHistogram.upperBound(255, schema: 8) == 2 * 0.9972960560854698)
    }

    @Test("Scaling keeps the layout, division by zero leaves no buckets")
    func scaling() {
        let histogram = exponential([1, 2], zero: 3)
        #expect(histogram.scaled(by: -2).positiveBuckets == [-2, -4])
        #expect(histogram.scaled(by: -2).counterResetHint == .gauge)
        #expect(histogram.divided(by: 0).positiveBuckets.isEmpty)
        #expect(histogram.divided(by: 0).zeroCount == .infinity)
    }

    @Test("The zero bucket is listed where it has observations, and its neighbours end at it")
    func listing() {
        let histogram = exponential(offset: 0, [2], zero: 1, width: 0.7)
        #expect(histogram.allBuckets.map(\.lower) == [-0.7, 0.7])
        #expect(histogram.allBuckets.map(\.upper) == [0.7, 1])
        #expect(histogram.scaled(by: -1).allBuckets.map(\.count) == [-2])
    }
}
