// SPDX-License-Identifier: Apache-2.0

internal import Model

/// What a series has at a time, so that two of them are equal exactly where no query could tell
/// them apart: of histograms, without empty buckets and without what chunks say about counter
/// resets.
enum StoredValue: Sendable, Hashable {
    case float(UInt64)
    case histogram(Buckets)
    /// The end of a series, be it told as a float or as a histogram.
    case stale

    struct Buckets: Sendable, Hashable {
        var schema: Int32
        var isGauge: Bool
        /// Zero threshold, zero count, count and sum, bit by bit.
        var numbers: [UInt64]
        var positive: [Int32: Double]
        var negative: [Int32: Double]
        var customBounds: [Double]
    }

    init(_ value: Double) {
        self = StaleMarker.isStale(value) ? .stale : .float(value.bitPattern)
    }

    init(_ histogram: FloatHistogram) {
        if histogram.isStale {
            self = .stale
            return
        }
        let numbers = [
            histogram.zeroThreshold, histogram.zeroCount, histogram.count, histogram.sum,
        ]
        self = .histogram(
            Buckets(
                schema: histogram.schema, isGauge: histogram.counterResetHint == .gauge,
                numbers: numbers.map(\.bitPattern),
                positive: Self.buckets(histogram.positiveSpans, histogram.positiveBuckets),
                negative: Self.buckets(histogram.negativeSpans, histogram.negativeBuckets),
                customBounds: histogram.customBounds))
    }

    private static func buckets(_ spans: [BucketSpan], _ counts: [Double]) -> [Int32: Double] {
        var found: [Int32: Double] = [:]
        var index: Int32 = 0
        var position = 0
        for span in spans {
            index &+= span.offset
            for _ in 0..<span.length where position < counts.count {
                if counts[position] != 0 { found[index] = counts[position] }
                index += 1
                position += 1
            }
        }
        return found
    }
}

/// A sample as it is committed.
enum CommittedValue: Sendable {
    case float(Double)
    case histogram(HistogramValue)

    /// The only value that a series ever has at a time.
    init(_ labels: Labels, _ time: Timestamp, isHistogram: Bool) {
        var random = RandomNumbers(seed: labels.stableHash ^ UInt64(bitPattern: time))
        if isHistogram {
            let isStale = random.isOne(in: 20)
            self = .histogram(Self.histogram(labels, time, isStale: isStale))
            return
        }
        switch random.below(8) {
        case 0...2: self = .float(Double(time % 1_000_000))
        case 3...4: self = .float(1)
        case 5: self = .float(StaleMarker.value)
        case 6: self = .float(Double(Int(random.next() % 1000)))
        default: self = .float(Double(bitPattern: random.next()))
        }
    }

    /// A counter that grows and is reset now and then, or a gauge, whose layout changes with time.
    private static func histogram(
        _ labels: Labels, _ time: Timestamp, isStale: Bool
    ) -> HistogramValue {
        var traits = RandomNumbers(seed: labels.stableHash)
        let isFloat = traits.isOne(in: 2)
        let isCustom = traits.isOne(in: 4)
        let isGauge = traits.isOne(in: 5)
        var layout = RandomNumbers(seed: labels.stableHash ^ UInt64(bitPattern: time / 300))
        let width = 1 + layout.below(4)
        let gap = layout.below(3)
        let level = UInt64(bitPattern: time % 5000 / 5)
        var histogram = FloatHistogram()
        histogram.schema = isCustom ? FloatHistogram.customBucketsSchema : 2
        histogram.counterResetHint = isGauge ? .gauge : .unknown
        histogram.sum = isStale ? StaleMarker.value : Double(level) / 7
        if isStale { return .float(histogram) }
        histogram.positiveSpans = [
            BucketSpan(offset: 0, length: UInt32(width)),
            BucketSpan(offset: Int32(gap + 1), length: 1),
        ]
        histogram.positiveBuckets = (0...width).map { Double(level + UInt64($0)) }
        if isCustom {
            histogram.customBounds = (1...10).map { Double($0) }
        } else {
            histogram.zeroThreshold = 0.001
            histogram.zeroCount = Double(level)
            if layout.isOne(in: 2) {
                histogram.negativeSpans = [BucketSpan(offset: 3, length: 2)]
                histogram.negativeBuckets = [Double(level), Double(level + 4)]
            }
        }
        histogram.count =
            histogram.zeroCount + histogram.positiveBuckets.reduce(0, +)
            + histogram.negativeBuckets.reduce(0, +)
        return isFloat ? .float(histogram) : .integer(integer(histogram))
    }

    private static func integer(_ histogram: FloatHistogram) -> IntegerHistogram {
        func deltas(_ counts: [Double]) -> [Int64] {
            zip(counts, [0] + counts).map { Int64($0) - Int64($1) }
        }
        var integer = IntegerHistogram()
        integer.schema = histogram.schema
        integer.counterResetHint = histogram.counterResetHint
        integer.zeroThreshold = histogram.zeroThreshold
        integer.zeroCount = UInt64(histogram.zeroCount)
        integer.count = UInt64(histogram.count)
        integer.sum = histogram.sum
        integer.positiveSpans = histogram.positiveSpans
        integer.positiveDeltas = deltas(histogram.positiveBuckets)
        integer.negativeSpans = histogram.negativeSpans
        integer.negativeDeltas = deltas(histogram.negativeBuckets)
        integer.customBounds = histogram.customBounds
        return integer
    }

    var isHistogram: Bool {
        if case .histogram = self { return true }
        return false
    }

    var stored: StoredValue {
        switch self {
        case .float(let value): StoredValue(value)
        case .histogram(.float(let histogram)): StoredValue(histogram)
        case .histogram(.integer(let histogram)): StoredValue(Self.floating(histogram))
        }
    }

    private static func floating(_ histogram: IntegerHistogram) -> FloatHistogram {
        func counts(_ deltas: [Int64]) -> [Double] {
            var sum: Int64 = 0
            return deltas.map {
                sum += $0
                return Double(sum)
            }
        }
        var float = FloatHistogram()
        float.schema = histogram.schema
        float.counterResetHint = histogram.counterResetHint
        float.zeroThreshold = histogram.zeroThreshold
        float.zeroCount = Double(histogram.zeroCount)
        float.count = Double(histogram.count)
        float.sum = histogram.sum
        float.positiveSpans = histogram.positiveSpans
        float.positiveBuckets = counts(histogram.positiveDeltas)
        float.negativeSpans = histogram.negativeSpans
        float.negativeBuckets = counts(histogram.negativeDeltas)
        float.customBounds = histogram.customBounds
        return float
    }
}
