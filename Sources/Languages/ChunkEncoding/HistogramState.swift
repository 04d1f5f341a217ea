// SPDX-License-Identifier: Apache-2.0

package import Model

/// The two forms of native histograms, as far as chunks treat them alike.
package protocol ChunkHistogram: Sendable {
    associatedtype Count: Comparable & SignedNumeric & Sendable

    var schema: Int32 { get }
    var counterResetHint: CounterResetHint { get }
    var zeroThreshold: Double { get }
    var sum: Double { get }
    var positiveSpans: [BucketSpan] { get set }
    var negativeSpans: [BucketSpan] { get set }
    var customBounds: [Double] { get }
    /// The absolute counts of the buckets, in the order of the spans.
    var positiveCounts: [Count] { get set }
    var negativeCounts: [Count] { get set }

    init()
    /// A stale sample.
    init(stale sum: Double)
}

extension ChunkHistogram {
    package var layout: HistogramLayout {
        var layout = HistogramLayout()
        layout.schema = schema
        layout.zeroThreshold = zeroThreshold
        layout.positiveSpans = positiveSpans
        layout.negativeSpans = negativeSpans
        layout.customBounds = customBounds
        return layout
    }

    package var isStale: Bool { StaleMarker.isStale(sum) }
}

extension FloatHistogram: ChunkHistogram {
    package var positiveCounts: [Double] {
        get { positiveBuckets }
        set { positiveBuckets = newValue }
    }
    package var negativeCounts: [Double] {
        get { negativeBuckets }
        set { negativeBuckets = newValue }
    }

    package init(stale sum: Double) {
        self.init()
        self.sum = sum
    }
}

extension IntegerHistogram: ChunkHistogram {
    package var positiveCounts: [Int64] {
        get { Self.counts(positiveDeltas) }
        set { positiveDeltas = Self.deltas(newValue) }
    }
    package var negativeCounts: [Int64] {
        get { Self.counts(negativeDeltas) }
        set { negativeDeltas = Self.deltas(newValue) }
    }

    package init(stale sum: Double) {
        self.init()
        self.sum = sum
    }

    private static func counts(_ deltas: [Int64]) -> [Int64] {
        var running: Int64 = 0
        return deltas.map {
            running &+= $0
            return running
        }
    }

    private static func deltas(_ counts: [Int64]) -> [Int64] {
        var last: Int64 = 0
        return counts.map { count in
            defer { last = count }
            return count &- last
        }
    }
}

/// What reading and appending remember of the last sample of a chunk, but for its time.
package protocol HistogramState: Sendable {
    associatedtype Histogram: ChunkHistogram

    /// The encoding of the chunk.
    static var encoding: EncodedChunk.Encoding { get }

    init()

    var sum: Double { get }

    /// Whether a histogram has fewer observations, or fewer in the zero bucket, than the last one.
    func isCountReset(in histogram: Histogram) -> Bool
    func isZeroCountReset(in histogram: Histogram) -> Bool
    var positiveCounts: [Histogram.Count] { get }
    var negativeCounts: [Histogram.Count] { get }

    @_lifetime(reader: copy reader)
    mutating func readFirst(_ reader: inout BitReader, _ layout: HistogramLayout)
    @_lifetime(reader: copy reader)
    mutating func readNext(_ reader: inout BitReader)

    mutating func writeFirst(_ histogram: Histogram, to writer: inout BitWriter)
    mutating func writeNext(_ histogram: Histogram, to writer: inout BitWriter)

    /// The last sample, which is not stale.
    func histogram(_ layout: HistogramLayout, _ hint: CounterResetHint) -> Histogram
    /// The last sample, which is not stale, in the form in which queries compute.
    func floating(_ layout: HistogramLayout, _ hint: CounterResetHint) -> FloatHistogram
}
