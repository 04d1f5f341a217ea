// SPDX-License-Identifier: Apache-2.0

internal import Model

/// The buckets of a native histogram with their bounds, in ascending order.
struct HistogramBuckets {
    struct Bucket {
        var lower: Double
        var upper: Double
        var count: Double
        /// 0: the upper bound belongs to the bucket; 1: the lower; 2: none; 3: both.
        var rule: Int64
    }

    let all: [Bucket]

    init(_ histogram: FloatHistogram) {
        if histogram.usesCustomBuckets {
            all = Self.custom(histogram)
            return
        }
        let negative = Self.indexed(histogram.negativeSpans, histogram.negativeBuckets)
            .reversed().map { index, count in
                Bucket(
                    lower: -Self.bound(index, histogram.schema),
                    upper: -Self.bound(index &- 1, histogram.schema), count: count, rule: 1)
            }
        let positive = Self.indexed(histogram.positiveSpans, histogram.positiveBuckets).map {
            index, count in
            Bucket(
                lower: Self.bound(index &- 1, histogram.schema),
                upper: Self.bound(index, histogram.schema), count: count, rule: 0)
        }
        let zero = Bucket(
            lower: -histogram.zeroThreshold, upper: histogram.zeroThreshold,
            count: histogram.zeroCount, rule: 3)
        all = negative + [zero] + positive
    }

    private static func custom(_ histogram: FloatHistogram) -> [Bucket] {
        indexed(histogram.positiveSpans, histogram.positiveBuckets).map { index, count in
            let bounds = histogram.customBounds
            let place = Int(index)
            let isOpen = place <= 0 || bounds.isEmpty
            let lower = isOpen ? -Double.infinity : bounds[min(place, bounds.count) - 1]
            let upper = bounds.indices.contains(place) ? bounds[place] : .infinity
            return Bucket(
                lower: lower, upper: upper, count: count, rule: place <= 0 ? 3 : 0)
        }
    }

    private static func indexed(
        _ spans: [BucketSpan], _ counts: [Double]
    ) -> [(index: Int32, count: Double)] {
        var result: [(index: Int32, count: Double)] = []
        var index: Int32 = 0
        for span in spans {
            index &+= span.offset
            for _ in 0..<span.length where result.count < counts.count {
                result.append((index, counts[result.count]))
                index &+= 1
            }
        }
        return result
    }

    private static func bound(_ index: Int32, _ schema: Int32) -> Double {
        FloatHistogram.upperBound(Int(index), schema: schema)
    }
}
