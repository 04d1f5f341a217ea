// SPDX-License-Identifier: Apache-2.0

import ChunkEncoding
import Model
import Storage
import TSDB

/// A counter of `buckets` buckets from `first` on, each with as many observations as `step` says
/// and a bit more.
func integerHistogram(
    _ step: Int, buckets: Int = 4, first: Int32 = 0, isGauge: Bool = false
) -> IntegerHistogram {
    var histogram = IntegerHistogram()
    histogram.schema = 1
    histogram.zeroThreshold = 0.001
    histogram.zeroCount = UInt64(step)
    histogram.sum = Double(step) * 18.4
    histogram.positiveSpans = [BucketSpan(offset: first, length: UInt32(buckets))]
    histogram.positiveDeltas = (0..<buckets).map { $0 == 0 ? Int64(step) : Int64($0 % 2) }
    histogram.counterResetHint = isGauge ? .gauge : .unknown
    histogram.count = histogram.positiveCounts.reduce(histogram.zeroCount) { $0 + UInt64($1) }
    return histogram
}

func customHistogram(_ step: Int, bounds: [Double] = [1, 2.5, 5]) -> IntegerHistogram {
    var histogram = IntegerHistogram()
    histogram.schema = FloatHistogram.customBucketsSchema
    histogram.sum = Double(step) * 3
    histogram.customBounds = bounds
    histogram.positiveSpans = [BucketSpan(offset: 0, length: UInt32(bounds.count))]
    histogram.positiveDeltas = bounds.indices.map { $0 == 0 ? Int64(step) : 1 }
    histogram.count = histogram.positiveCounts.reduce(0) { $0 + UInt64($1) }
    return histogram
}

/// A sample as a reader of any storage sees it; histograms without their hints.
struct SeenSample: Hashable, Comparable, CustomStringConvertible {
    var time: Int64
    var bits: UInt64 = 0
    var histogram: FloatHistogram?
    var hint = CounterResetHint.unknown

    static func < (left: SeenSample, right: SeenSample) -> Bool { left.time < right.time }

    init(_ time: Int64, _ value: Double) {
        self.time = time
        bits = value.bitPattern
    }

    init(_ time: Int64, _ histogram: FloatHistogram, withHint: Bool = false) {
        self.time = time
        bits = histogram.sum.bitPattern
        if histogram.isStale { return }
        var plain = histogram
        hint = withHint ? histogram.counterResetHint : .unknown
        plain.counterResetHint = histogram.counterResetHint == .gauge ? .gauge : .unknown
        // Chunks may add empty buckets; both sides are compared without them.
        plain.dropEmptyBuckets()
        self.histogram = plain
    }

    init(_ time: Int64, _ value: HistogramValue) {
        switch value {
        case .integer(let histogram): self.init(time, histogram.floating)
        case .float(let histogram): self.init(time, histogram)
        }
    }

    var description: String {
        "\(time): \(Double(bitPattern: bits)) \(histogram.map { "\($0)" } ?? "")"
    }
}

extension FloatHistogram {
    fileprivate mutating func dropEmptyBuckets() {
        (positiveSpans, positiveBuckets) = Self.populated(positiveSpans, positiveBuckets)
        (negativeSpans, negativeBuckets) = Self.populated(negativeSpans, negativeBuckets)
    }

    private static func populated(
        _ spans: [BucketSpan], _ buckets: [Double]
    ) -> ([BucketSpan], [Double]) {
        var kept: [(index: Int32, count: Double)] = []
        var index: Int32 = 0
        var at = 0
        for span in spans {
            index += span.offset
            for _ in 0..<span.length {
                if buckets[at] != 0 { kept.append((index, buckets[at])) }
                index += 1
                at += 1
            }
        }
        return (kept.map { BucketSpan(offset: $0.index, length: 1) }, kept.map(\.count))
    }
}

/// Everything that a storage shows, of both kinds, in time order.
func seenSamples(
    _ source: any Queryable, from start: Int64 = .min, through end: Int64 = .max,
    withHints: Bool = false
) throws -> [Labels: [SeenSample]] {
    let range = TimeRange(start: start, end: end)
    let querier = try source.querier(over: range)
    let set = try querier.select([], hints: SelectHints(range: range))
    var found: [Labels: [SeenSample]] = [:]
    for index in 0..<set.count {
        var columns = SampleColumns()
        try set.read(index, range, into: &columns)
        if columns.isEmpty { continue }
        let floats = zip(columns.timestamps, columns.values).map { SeenSample($0, $1) }
        let others = zip(columns.histogramTimestamps, columns.histograms).map {
            SeenSample($0, $1, withHint: withHints)
        }
        found[set.labels(at: index)] = (floats + others).sorted()
    }
    return found
}

/// The chunks of each series of a source.
func chunks(_ source: any BlockSource) throws -> [Labels: [EncodedChunk]] {
    var found: [Labels: [EncodedChunk]] = [:]
    try source.forEachSeries { labels, chunks in found[labels] = chunks }
    return found
}

extension EncodedChunk {
    /// What the header of a chunk of histograms says of a counter reset.
    var header: CounterResetHeader? { CounterResetHeader(rawValue: bytes[2] & 0b1100_0000) }
}

extension Head {
    /// Commits histograms of one series, one commit each.
    func add(
        _ labels: Labels, _ samples: [(Int64, HistogramValue)]
    ) throws {
        let ref = try resolve([labels])[0]
        for (time, value) in samples {
            var batch = SampleBatch(sharedTimestamp: 0)
            batch.histograms = [HistogramSample(ref, value, at: time)]
            let outcome = try commit(batch, .allOrNothing)
            if outcome.hasFaults { throw Refused(outcome.histogramFaults[0].fault) }
        }
    }

    func add(_ labels: Labels, _ samples: [(Int64, Double)]) throws {
        let ref = try resolve([labels])[0]
        for (time, value) in samples {
            var batch = SampleBatch(sharedTimestamp: 0)
            batch.append(ref, value, at: time)
            let outcome = try commit(batch, .allOrNothing)
            if outcome.hasFaults { throw Refused(outcome.faults[0].fault) }
        }
    }
}

/// A sample was not taken.
struct Refused: Error, Equatable {
    let fault: SampleFault
    init(_ fault: SampleFault) { self.fault = fault }
}
