// SPDX-License-Identifier: Apache-2.0
//
// The appending side of chunks of histograms. A chunk of counters holds histograms of one layout
// without a counter reset between them; a chunk of gauges holds those of one layout. Whether the
// next histogram goes into a chunk is decided as upstream decides it:
//
//     it has buckets that the chunk lacks           the chunk is written anew with them
//     it lacks buckets that the chunk has           they are added to it (counters: where empty)
//     other schema, zero threshold, custom bounds,  a new chunk
//     a counter reset, gauge behind counter,
//     anything behind a stale sample
//
// The bytes equal those of upstream for the same histograms, appended in the same order.

internal import Bytes
package import Model

/// What became of a histogram.
package enum HistogramAppendOutcome: Sendable, Hashable {
    case appended
    /// The chunk was written anew with further buckets, and the histogram added.
    case recoded
    /// Nothing was done: the histogram belongs into a new chunk with this header.
    case startsChunk(CounterResetHeader)
    /// Nothing was done: the chunk holds as many samples as it can.
    case full
    /// Nothing was done: the histogram has not as many buckets as its spans say.
    case malformed
}

package typealias IntegerHistogramAppender = HistogramAppender<IntegerHistogramState>
package typealias FloatHistogramAppender = HistogramAppender<FloatHistogramState>

/// A chunk of histograms that grows.
package struct HistogramAppender<State: HistogramState>: Sendable {
    package typealias Histogram = State.Histogram

    /// Whether the chunk has room for start timestamps (encodings 5 and 6).
    package let storesStarts: Bool
    private var writer = BitWriter([0, 0, 0])
    private var starts = StartTimestampWriter()
    private var layout = HistogramLayout()
    private var state = State()
    private var delta: Int64 = 0
    package private(set) var count = 0
    /// The time of the first sample, and that of the last one.
    package private(set) var firstTimestamp: Timestamp = 0
    package private(set) var timestamp: Timestamp = 0

    /// An empty chunk. `header` tells what `startsChunk` told.
    package init(_ header: CounterResetHeader = .unknown, storesStarts: Bool = false) {
        self.storesStarts = storesStarts
        self.header = header
    }

    package var header: CounterResetHeader {
        get { CounterResetHeader(flags: writer[storesStarts ? 0 : 2]) }
        set {
            if storesStarts {
                writer[0] = writer[0] & ~CounterResetHeader.mask | newValue.rawValue
            } else {
                writer[2] = newValue.rawValue
            }
        }
    }

    package var byteCount: Int { writer.bytes.count }

    /// What was appended so far.
    package var chunk: EncodedChunk {
        EncodedChunk(
            encoding: storesStarts ? State.encoding.withStarts : State.encoding,
            range: TimeRange(start: firstTimestamp, end: timestamp), sampleCount: count,
            bytes: writer.bytes)
    }

    /// The last histogram as the chunk has it, possibly with further empty buckets; nil before the
    /// first.
    package var last: Histogram? {
        guard count > 0 else { return nil }
        if StaleMarker.isStale(state.sum) { return Histogram(stale: state.sum) }
        return state.histogram(layout, .unknown)
    }

    // MARK: Appending

    /// Adds a histogram that is later than the last one, with its start timestamp, 0 for none,
    /// which only a chunk with room for it keeps. `previous` is the chunk before this one, if it
    /// was there: where this one is empty, it decides what the header says.
    package mutating func append(
        _ timestamp: Timestamp, _ histogram: Histogram, start: Timestamp = 0,
        after previous: Self? = nil
    ) -> HistogramAppendOutcome {
        if count == (storesStarts ? 0x3FFF : Int(UInt16.max)) { return .full }
        if histogram.isStale { return appendStale(timestamp, histogram, start, after: previous) }
        guard Self.isWellFormed(histogram) else { return .malformed }
        if count == 0 {
            setHeader(histogram, after: previous)
            write(timestamp, histogram, start)
            return .appended
        }
        switch verdict(histogram) {
        case .cut(let reason): return .startsChunk(Self.header(reason))
        case .fits(let positive, let negative):
            return append(timestamp, histogram, start, positive, negative)
        }
    }

    private mutating func appendStale(
        _ timestamp: Timestamp, _ histogram: Histogram, _ start: Timestamp, after previous: Self?
    ) -> HistogramAppendOutcome {
        if count == 0 {
            setHeader(histogram, after: previous)
        } else if (histogram.counterResetHint == .gauge) != (header == .gauge) {
            return .startsChunk(
                histogram.counterResetHint == .gauge ? .gauge : Self.header(.otherKind))
        } else if histogram.counterResetHint == .reset {
            return .startsChunk(.reset)
        }
        write(timestamp, Histogram(stale: histogram.sum), start)
        return .appended
    }

    private mutating func append(
        _ timestamp: Timestamp, _ histogram: Histogram, _ start: Timestamp,
        _ positive: BucketUnion, _ negative: BucketUnion
    ) -> HistogramAppendOutcome {
        var histogram = histogram
        let hasNewBuckets = positive.isWiderThanChunk || negative.isWiderThanChunk
        if positive.isWiderThanHistogram || negative.isWiderThanHistogram {
            fill(&histogram, positive, negative, hasNewBuckets: hasNewBuckets)
        }
        if hasNewBuckets {
            guard recode(histogram, positive, negative) else { return .malformed }
        }
        write(timestamp, histogram, start)
        return hasNewBuckets ? .recoded : .appended
    }

    /// Gives a histogram the buckets that the chunk has.
    private func fill(
        _ histogram: inout Histogram, _ positive: BucketUnion, _ negative: BucketUnion,
        hasNewBuckets: Bool
    ) {
        let isGauge = histogram.counterResetHint == .gauge
        if !hasNewBuckets, !isGauge {
            histogram.positiveSpans = layout.positiveSpans
            histogram.negativeSpans = layout.negativeSpans
        } else {
            // The form of the spans shows in the chunk's bytes: upstream leaves a side of counters
            // as it is where it lacks nothing.
            if isGauge || positive.isWiderThanHistogram { histogram.positiveSpans = positive.spans }
            if isGauge || negative.isWiderThanHistogram { histogram.negativeSpans = negative.spans }
        }
        if positive.isWiderThanHistogram {
            histogram.positiveCounts = positive.expand(
                histogram.positiveCounts, positive.inHistogram)
        }
        if negative.isWiderThanHistogram {
            histogram.negativeCounts = negative.expand(
                histogram.negativeCounts, negative.inHistogram)
        }
    }

    /// Writes the chunk anew with the spans of a wider histogram.
    private mutating func recode(
        _ wider: Histogram, _ positive: BucketUnion, _ negative: BucketUnion
    ) -> Bool {
        var fresh = Self(header, storesStarts: storesStarts)
        let bytes = writer.bytes
        var decoder = HistogramDecoder<State>(bytes.raw, hasStarts: storesStarts)
        do throws(ChunkError) {
            while try decoder.next() {
                var old = decoder.histogram
                old.positiveSpans = wider.positiveSpans
                old.negativeSpans = wider.negativeSpans
                old.positiveCounts = positive.expand(old.positiveCounts, positive.inChunk)
                old.negativeCounts = negative.expand(old.negativeCounts, negative.inChunk)
                fresh.write(decoder.timestamp, old, decoder.startTimestamp)
            }
        } catch {
            return false
        }
        self = fresh
        return true
    }

    /// The samples and the header of a chunk that has room for start timestamps, in one that has
    /// none.
    static func withoutStarts(_ chunk: RawSpan) throws(ChunkError) -> EncodedChunk {
        var decoder = HistogramDecoder<State>(chunk, hasStarts: true)
        var fresh = Self(decoder.header)
        while try decoder.next() { fresh.write(decoder.timestamp, decoder.histogram, 0) }
        return fresh.chunk
    }

    private mutating func write(
        _ timestamp: Timestamp, _ histogram: Histogram, _ start: Timestamp
    ) {
        if count == 0 {
            layout = histogram.layout
            layout.write(to: &writer)
            writer.putVarbit(signed: timestamp)
            state.writeFirst(histogram, to: &writer)
            firstTimestamp = timestamp
        } else {
            let newDelta = timestamp &- self.timestamp
            writer.putVarbit(signed: newDelta &- delta)
            state.writeNext(histogram, to: &writer)
            delta = newDelta
        }
        if storesStarts {
            starts.write(
                start, sample: count, time: timestamp, previous: self.timestamp, to: &writer)
            writer[2] = starts.header
        }
        self.timestamp = timestamp
        count += 1
        let flags = storesStarts ? writer[0] & CounterResetHeader.mask : 0
        writer[0] = flags | UInt8(truncatingIfNeeded: count >> 8)
        writer[1] = UInt8(truncatingIfNeeded: count)
    }

    private static func isWellFormed(_ histogram: Histogram) -> Bool {
        HistogramLayout.bucketCount(histogram.positiveSpans) == histogram.positiveCounts.count
            && HistogramLayout.bucketCount(histogram.negativeSpans)
                == histogram.negativeCounts.count
    }
}

// MARK: Decisions

extension HistogramAppender {
    fileprivate enum Reason {
        /// A counter behind gauges.
        case otherKind
        case reset
        /// Nothing can be said without looking closer.
        case otherLayout
        case gauge
    }

    fileprivate enum Verdict {
        case fits(BucketUnion, BucketUnion)
        case cut(Reason)
    }

    /// Upstream tells apart less where histograms are of floats.
    fileprivate static func header(_ reason: Reason) -> CounterResetHeader {
        switch reason {
        case .gauge: .gauge
        case .reset: .reset
        case .otherLayout: .unknown
        case .otherKind: State.encoding == .floatHistogram ? .unknown : .notReset
        }
    }

    /// What the header of this chunk, which is empty, says when `histogram` is its first.
    fileprivate mutating func setHeader(_ histogram: Histogram, after previous: Self?) {
        if histogram.counterResetHint == .gauge {
            header = .gauge
        } else if histogram.counterResetHint == .reset {
            header = .reset
        } else if let previous {
            switch previous.verdict(histogram) {
            case .cut(.reset): header = .reset
            case .cut(.otherLayout):
                header = State.encoding == .floatHistogram ? .notReset : .unknown
            default: header = .notReset
            }
        }
    }

    fileprivate func verdict(_ histogram: Histogram) -> Verdict {
        if histogram.counterResetHint == .gauge { return gaugeVerdict(histogram) }
        if count > 0, header == .gauge { return .cut(.otherKind) }
        if histogram.counterResetHint == .reset { return .cut(.reset) }
        if histogram.isStale { return .fits(BucketUnion([], []), BucketUnion([], [])) }
        if StaleMarker.isStale(state.sum) { return .cut(.otherLayout) }
        if state.isCountReset(in: histogram) { return .cut(.reset) }
        if !hasSameBuckets(histogram) { return .cut(.otherLayout) }
        if !hasSameBounds(histogram) || state.isZeroCountReset(in: histogram) {
            return .cut(.reset)
        }
        let positive = BucketUnion(layout.positiveSpans, histogram.positiveSpans)
        let negative = BucketUnion(layout.negativeSpans, histogram.negativeSpans)
        if positive.isReset(from: state.positiveCounts, to: histogram.positiveCounts)
            || negative.isReset(from: state.negativeCounts, to: histogram.negativeCounts)
        {
            return .cut(.reset)
        }
        return .fits(positive, negative)
    }

    private func gaugeVerdict(_ histogram: Histogram) -> Verdict {
        let fits =
            header == .gauge && !StaleMarker.isStale(state.sum) && hasSameBuckets(histogram)
            && hasSameBounds(histogram)
        guard fits else { return .cut(.gauge) }
        return .fits(
            BucketUnion(layout.positiveSpans, histogram.positiveSpans),
            BucketUnion(layout.negativeSpans, histogram.negativeSpans))
    }

    private func hasSameBuckets(_ histogram: Histogram) -> Bool {
        histogram.schema == layout.schema && histogram.zeroThreshold == layout.zeroThreshold
    }

    private func hasSameBounds(_ histogram: Histogram) -> Bool {
        histogram.schema != FloatHistogram.customBucketsSchema
            || histogram.customBounds == layout.customBounds
    }
}
