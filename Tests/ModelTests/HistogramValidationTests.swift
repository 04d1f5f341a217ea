// SPDX-License-Identifier: Apache-2.0

import Model
import Testing

/// One thing that is wrong with a histogram, and what is said about it.
private struct Case: CustomTestStringConvertible, Sendable {
    let testDescription: String
    let text: String
    let spoil: @Sendable (inout IntegerHistogram) -> Void

    init(
        _ description: String, _ text: String,
        _ spoil: @escaping @Sendable (inout IntegerHistogram) -> Void
    ) {
        testDescription = description
        self.text = text
        self.spoil = spoil
    }
}

/// Counts 1, 2, 1 in the buckets 0, 1, 3; two in the zero bucket, one negative.
private func exponential() -> IntegerHistogram {
    var histogram = IntegerHistogram()
    histogram.schema = 1
    histogram.zeroThreshold = 0.001
    histogram.zeroCount = 2
    histogram.count = 7
    histogram.sum = 18.4
    histogram.positiveSpans = [BucketSpan(offset: 0, length: 2), BucketSpan(offset: 1, length: 1)]
    histogram.positiveDeltas = [1, 1, -1]
    histogram.negativeSpans = [BucketSpan(offset: -1, length: 1)]
    histogram.negativeDeltas = [1]
    return histogram
}

/// Counts 1, 0, 2 between the bounds 5 and 10.
private func custom() -> IntegerHistogram {
    var histogram = IntegerHistogram()
    histogram.schema = FloatHistogram.customBucketsSchema
    histogram.count = 3
    histogram.sum = 30
    histogram.positiveSpans = [BucketSpan(offset: 0, length: 3)]
    histogram.positiveDeltas = [1, -1, 2]
    histogram.customBounds = [5, 10]
    return histogram
}

private let mismatch =
    "histogram's observation count should equal the number of observations found in the buckets "
    + "(in absence of NaN)"

@Suite struct HistogramValidationTests {
    @Test("Sound histograms are let through, and so are staleness markers")
    func sound() throws {
        try exponential().validate()
        try custom().validate()
        try exponential().floating.validate()
        try custom().floating.validate()
        var stale = IntegerHistogram()
        stale.sum = StaleMarker.value
        try stale.validate()
    }

    @Test(
        "Of an exponential histogram, the first thing that is wrong is told",
        arguments: [
            Case(
                "count",
                "7 observations found in buckets, but the Count field is 8: " + mismatch
            ) {
                $0.count = 8
            },
            Case(
                "count of NaN",
                "7 observations found in buckets, but the Count field is 6: histogram's observation "
                    + "count should be at least the number of observations found in the buckets"
            ) {
                $0.count = 6
                $0.sum = .nan
            },
            Case(
                "bucket",
                "positive side: bucket number 3 has observation count of -3: histogram has a "
                    + "bucket whose observation count is negative"
            ) { $0.positiveDeltas[2] = -5 },
            Case(
                "offset",
                "positive side: span number 2 with offset -1: histogram has a span whose offset is "
                    + "negative"
            ) { $0.positiveSpans[1].offset = -1 },
            Case(
                "spans",
                "negative side: spans need 1 buckets, have 2 buckets: histogram spans specify "
                    + "different number of buckets than provided"
            ) { $0.negativeDeltas = [1, 0] },
            Case(
                "schema",
                "histogram has an invalid schema, which must be between -4 and 8 for exponential "
                    + "buckets, or -53 for custom buckets, got schema 9"
            ) { $0.schema = 9 },
            Case("bounds", "histogram with exponential schema must not have custom bounds") {
                $0.customBounds = [1]
            },
        ])
    fileprivate func exponentialFaults(_ one: Case) {
        var histogram = exponential()
        one.spoil(&histogram)
        #expect(throws: HistogramFault.self) { try histogram.validate() }
        do throws(HistogramFault) { try histogram.validate() } catch {
            #expect(error.description == one.text)
        }
    }

    @Test(
        "Of a histogram with custom buckets, the first thing that is wrong is told",
        arguments: [
            Case("NaN", "custom buckets: histogram custom bounds must not be NaN") {
                $0.customBounds = [5, .nan]
            },
            Case(
                "order",
                "custom buckets: previous bound is 5.000000 and current is 4.500000: histogram "
                    + "custom bounds must be in strictly increasing order"
            ) { $0.customBounds = [5, 4.5] },
            Case(
                "infinity",
                "custom buckets: last +Inf bound must not be explicitly defined: histogram custom "
                    + "bounds must be finite"
            ) { $0.customBounds = [5, 10, .infinity] },
            Case(
                "too few",
                "custom buckets: only 1 custom bounds defined which is insufficient to cover total "
                    + "span length of 3: histogram custom bounds are too few"
            ) { $0.customBounds = [5] },
            Case("zero count", "custom buckets: must have zero count of 0") { $0.zeroCount = 1 },
            Case("zero threshold", "custom buckets: must have zero threshold of 0") {
                $0.zeroThreshold = 1
            },
            Case("negative spans", "custom buckets: must not have negative spans") {
                $0.negativeSpans = [BucketSpan(offset: 0, length: 0)]
            },
            Case("negative buckets", "custom buckets: must not have negative buckets") {
                $0.negativeDeltas = [0]
            },
        ])
    fileprivate func customFaults(_ one: Case) {
        for isFloat in [false, true] {
            var histogram = custom()
            one.spoil(&histogram)
            #expect(throws: HistogramFault.self) {
                if isFloat { try histogram.floating.validate() } else { try histogram.validate() }
            }
            do throws(HistogramFault) {
                if isFloat { try histogram.floating.validate() } else { try histogram.validate() }
            } catch {
                #expect(error.description == one.text)
            }
        }
    }

    @Test("Float histograms have no negative counts, whatever the sums say")
    func floats() {
        var histogram = exponential().floating
        histogram.count = 100
        #expect(throws: Never.self) { try histogram.validate() }
        histogram.count = -1.5
        #expect(throws: HistogramFault.negativeCount("-1.5")) { try histogram.validate() }
        histogram.zeroCount = -2
        #expect(throws: HistogramFault.negativeZeroCount("-2")) { try histogram.validate() }
        histogram.negativeBuckets = [-0.5]
        #expect(throws: HistogramFault.negativeBucket(.negative, number: 1, count: "-0.5")) {
            try histogram.validate()
        }
    }
}
