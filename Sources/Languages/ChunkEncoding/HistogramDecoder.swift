// SPDX-License-Identifier: Apache-2.0

internal import Bytes
package import Model

/// What is known of a counter reset between a chunk of histograms and what came before it. The raw
/// values are the two highest bits of the flags.
package enum CounterResetHeader: UInt8, Sendable, Hashable {
    case unknown = 0b0000_0000
    case notReset = 0b0100_0000
    case reset = 0b1000_0000
    case gauge = 0b1100_0000

    static let mask: UInt8 = 0b1100_0000

    init(flags: UInt8) { self = Self(rawValue: flags & Self.mask) ?? .unknown }
}

/// Walks the samples of a chunk of histograms.
package struct HistogramDecoder<State: HistogramState>: ~Escapable {
    private var reader: BitReader
    package let promised: Int
    package let header: CounterResetHeader
    package private(set) var samplesRead = 0
    package private(set) var layout = HistogramLayout()
    /// The time of the last sample that was read.
    package private(set) var timestamp: Timestamp = 0
    private var delta: Int64 = 0
    private var state = State()
    private var starts: StartTimestamps

    /// `hasStarts` says that the chunk has start timestamps (encodings 5 and 6): then the header
    /// stands above the count.
    @_lifetime(copy chunk)
    package init(_ chunk: RawSpan, hasStarts: Bool) {
        let isWhole = chunk.byteCount >= 3
        promised = promisedSampleCount(chunk, hasStarts ? .histogramWithStart : .histogram)
        let flags = isWhole ? chunk[hasStarts ? 0 : 2] : 0
        header = CounterResetHeader(flags: flags)
        starts = StartTimestamps(header: isWhole && hasStarts ? chunk[2] : 0)
        reader = BitReader(chunk, at: 3)
    }

    package var startTimestamp: Timestamp { starts.current }

    /// Reads the next sample; false at the end.
    @_lifetime(self: copy self)
    package mutating func next() throws(ChunkError) -> Bool {
        guard samplesRead < promised else { return false }
        let previous = timestamp
        if samplesRead == 0 {
            layout = HistogramLayout(reading: &reader)
            if reader.isSound, !layout.isKnown { throw .unknownSchema(layout.schema) }
            timestamp = reader.varbitSigned()
            if reader.isSound { state.readFirst(&reader, layout) }
        } else {
            delta &+= reader.varbitSigned()
            timestamp &+= delta
            state.readNext(&reader)
        }
        starts.read(&reader, sample: samplesRead, time: timestamp, previous: previous)
        if reader.isExhausted {
            throw .truncated(samplesRead: samplesRead, samplesPromised: promised)
        }
        if reader.isMalformed { throw .malformedWindow(sample: samplesRead) }
        samplesRead += 1
        return true
    }

    /// Within a chunk of counters nothing is reset. What the header says of the chunk before is not
    /// passed on, since that chunk may have been deleted since, or others put between.
    private var hint: CounterResetHint {
        if header == .gauge { return .gauge }
        return samplesRead > 1 ? .notReset : .unknown
    }

    /// The last sample that was read.
    package var histogram: State.Histogram {
        if StaleMarker.isStale(state.sum) { return State.Histogram(stale: state.sum) }
        return state.histogram(layout, hint)
    }

    /// The last sample that was read, in a resolution that queries compute with.
    package var floating: FloatHistogram {
        if StaleMarker.isStale(state.sum) { return FloatHistogram(stale: state.sum) }
        var result = state.floating(layout, hint)
        if layout.schema > 8 { result.reduceResolution(to: 8) }
        return result
    }
}

/// Appends the samples of a chunk of histograms that lie within the closed `range` to three
/// parallel columns, with counter-reset hints as upstream's iterators give them. Samples are taken
/// to be in time order; a start timestamp of 0 means none. On an error the columns are as they
/// were.
package func decodeHistograms(
    _ chunk: RawSpan, _ encoding: EncodedChunk.Encoding, within range: TimeRange,
    _ timestamps: inout [Timestamp], _ histograms: inout [FloatHistogram],
    startTimestamps: inout [Timestamp]
) throws(ChunkError) {
    let hasStarts = encoding == .histogramWithStart || encoding == .floatHistogramWithStart
    let before = (timestamps.count, histograms.count, startTimestamps.count)
    do throws(ChunkError) {
        switch encoding {
        case .histogram, .histogramWithStart:
            var decoder = HistogramDecoder<IntegerHistogramState>(chunk, hasStarts: hasStarts)
            try decoder.append(range, &timestamps, &histograms, &startTimestamps)
        case .floatHistogram, .floatHistogramWithStart:
            var decoder = HistogramDecoder<FloatHistogramState>(chunk, hasStarts: hasStarts)
            try decoder.append(range, &timestamps, &histograms, &startTimestamps)
        case .xor, .xor2: throw .unsupported(encoding)
        }
    } catch {
        timestamps.removeLast(timestamps.count - before.0)
        histograms.removeLast(histograms.count - before.1)
        startTimestamps.removeLast(startTimestamps.count - before.2)
        throw error
    }
}

extension HistogramDecoder {
    @_lifetime(self: copy self)
    fileprivate mutating func append(
        _ range: TimeRange, _ timestamps: inout [Timestamp], _ histograms: inout [FloatHistogram],
        _ startTimestamps: inout [Timestamp]
    ) throws(ChunkError) {
        while try next(), timestamp <= range.end {
            guard timestamp >= range.start else { continue }
            timestamps.append(timestamp)
            histograms.append(floating)
            startTimestamps.append(startTimestamp)
        }
    }
}
