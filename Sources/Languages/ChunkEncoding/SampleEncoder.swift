// SPDX-License-Identifier: Apache-2.0

internal import Bytes
package import Model

/// A sample of any kind.
package enum SampleValue: Sendable, Hashable {
    case float(Double)
    case histogram(HistogramValue)
}

/// Puts samples of any kinds into chunks, as upstream does where it merges chunks or takes samples
/// out of them: a chunk ends where the kind changes, where it has so many samples, and, with
/// histograms, where the next one does not fit. What is known of counter resets before a chunk is
/// only said where the next histogram itself did not fit.
package struct SampleEncoder {
    private enum Open {
        case none
        case floats
        case integers(IntegerHistogramAppender)
        case floatHistograms(FloatHistogramAppender)
    }

    private let floats: FloatEncoding
    private let histogramStarts: Bool?
    private let samplesPerChunk: Int
    private var open = Open.none
    private var timestamps: [Timestamp] = []
    private var values: [Double] = []
    /// As long as the others, or empty where there are none.
    private var starts: [Timestamp] = []
    private var finished: [EncodedChunk] = []

    /// `floats` is how chunks of floats are written; `histogramStarts`, whether those of histograms
    /// have room for start timestamps, nil for those where the samples have some.
    package init(
        floats: FloatEncoding = .xor, histogramStarts: Bool? = nil,
        samplesPerChunk: Int = targetSampleCount
    ) {
        precondition(samplesPerChunk > 0, "chunks of no samples")
        self.floats = floats
        self.histogramStarts = histogramStarts
        self.samplesPerChunk = samplesPerChunk
    }

    /// Adds a sample that is later than the last one, with its start timestamp, 0 for none. False,
    /// with nothing done, where a histogram has not as many buckets as its spans say.
    package mutating func append(
        _ timestamp: Timestamp, _ value: SampleValue, start: Timestamp = 0
    ) -> Bool {
        switch value {
        case .float(let value):
            if case .floats = open {} else { finishChunk() }
            open = .floats
            if start != 0, starts.isEmpty {
                starts = [Timestamp](repeating: 0, count: timestamps.count)
            }
            if start != 0 || !starts.isEmpty { starts.append(start) }
            timestamps.append(timestamp)
            values.append(value)
            return true
        case .histogram(.integer(let histogram)):
            var chunk: IntegerHistogramAppender?
            if case .integers(let current) = open { chunk = current } else { finishChunk() }
            open = .none
            defer { open = chunk.map { .integers($0) } ?? .none }
            return append(timestamp, histogram, start, to: &chunk)
        case .histogram(.float(let histogram)):
            var chunk: FloatHistogramAppender?
            if case .floatHistograms(let current) = open { chunk = current } else { finishChunk() }
            open = .none
            defer { open = chunk.map { .floatHistograms($0) } ?? .none }
            return append(timestamp, histogram, start, to: &chunk)
        }
    }

    private mutating func append<State>(
        _ timestamp: Timestamp, _ histogram: State.Histogram, _ start: Timestamp,
        to chunk: inout HistogramAppender<State>?
    ) -> Bool {
        let storesStarts = histogramStarts ?? (start != 0)
        if let current = chunk,
            current.count >= samplesPerChunk || current.storesStarts != storesStarts
        {
            finished.append(current.chunk)
            chunk = nil
        }
        var outcome =
            chunk?.append(timestamp, histogram, start: start) ?? .startsChunk(.unknown)
        if outcome == .full { outcome = .startsChunk(.unknown) }
        guard case .startsChunk(let header) = outcome else { return outcome != .malformed }
        var next = HistogramAppender<State>(header, storesStarts: storesStarts)
        guard next.append(timestamp, histogram, start: start) != .malformed else { return false }
        if let current = chunk { finished.append(current.chunk) }
        chunk = next
        return true
    }

    private mutating func finishChunk() {
        switch open {
        case .none: break
        case .floats:
            finished += encodeFloats(
                timestamps, values, startTimestamps: starts, as: floats,
                samplesPerChunk: samplesPerChunk)
            starts.removeAll(keepingCapacity: true)
            timestamps.removeAll(keepingCapacity: true)
            values.removeAll(keepingCapacity: true)
        case .integers(let chunk): finished.append(chunk.chunk)
        case .floatHistograms(let chunk): finished.append(chunk.chunk)
        }
        open = .none
    }

    /// The chunks, in order. The encoder is empty afterwards.
    package mutating func finish() -> [EncodedChunk] {
        finishChunk()
        defer { finished = [] }
        return finished
    }
}

/// Calls `body` with each sample of a chunk of any encoding and its start timestamp, 0 for none, in
/// order. Histograms come in the form in which the chunk has them, with counter-reset hints as
/// upstream's iterators give them.
package func forEachSample(
    in chunk: RawSpan, _ encoding: EncodedChunk.Encoding,
    _ body: (Timestamp, SampleValue, _ start: Timestamp) -> Void
) throws(ChunkError) {
    let hasStarts = encoding.holdsHistogramStarts
    switch encoding {
    case .xor, .xor2:
        var timestamps: [Timestamp] = []
        var values: [Double] = []
        var starts: [Timestamp] = []
        let always = TimeRange(start: .min, end: .max)
        try decodeFloats(
            chunk, encoding, within: always, &timestamps, &values, startTimestamps: &starts)
        for index in timestamps.indices {
            let start = starts.isEmpty ? 0 : starts[index]
            body(timestamps[index], .float(values[index]), start)
        }
    case .histogram, .histogramWithStart:
        var decoder = HistogramDecoder<IntegerHistogramState>(chunk, hasStarts: hasStarts)
        while try decoder.next() {
            var histogram = decoder.histogram
            histogram.reduceResolution(to: 8)
            body(decoder.timestamp, .histogram(.integer(histogram)), decoder.startTimestamp)
        }
    case .floatHistogram, .floatHistogramWithStart:
        var decoder = HistogramDecoder<FloatHistogramState>(chunk, hasStarts: hasStarts)
        while try decoder.next() {
            body(
                decoder.timestamp, .histogram(.float(decoder.floating)), decoder.startTimestamp)
        }
    }
}
