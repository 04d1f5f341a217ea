// SPDX-License-Identifier: Apache-2.0
//
// Samples that came late: older than the newest sample of their series, but within the window that
// the configuration allows. Few series have any, so they stand beside the columns of the head:
//
//     slot ─▶ open      up to 32 samples in the order of time, not encoded; a histogram has its
//                       value in a table beside them
//             chunks    full ones, in head chunk files with the out-of-order bit; they may overlap
//                       one another and the chunks in order
//
// Both are arrays that are copied when they are changed while somebody else has them. So a
// selection takes the value of each of its series, which costs nothing, and sees just what was
// there; a commit changes a copy and puts it in place when the logs have it.

internal import ChunkEncoding
internal import Model
internal import Storage

/// A full chunk of late samples.
struct OutOfOrderChunk: Sendable {
    var place: HeadChunkFiles.Place
    var range: TimeRange
}

/// The late samples of one series.
struct OutOfOrderSeries: Sendable {
    /// In the order of time, one for each.
    private(set) var open: [Sample] = []
    /// Those of the open samples that are histograms, by time.
    private(set) var histograms: [Timestamp: HistogramValue] = [:]
    /// Those of the open samples' start timestamps that are known, by time.
    private(set) var starts: [Timestamp: Timestamp] = [:]
    /// In the order in which they became full.
    private(set) var chunks: [OutOfOrderChunk] = []

    var isEmpty: Bool { open.isEmpty && chunks.isEmpty }

    /// The times of the first and the last open sample.
    var openRange: TimeRange? {
        guard let first = open.first, let last = open.last else { return nil }
        return TimeRange(start: first.timestamp, end: last.timestamp)
    }

    /// From the oldest to the newest sample.
    var range: TimeRange? {
        var range = openRange
        for chunk in chunks { range = chunk.range.union(range) }
        return range
    }

    /// Puts a sample among the open ones; false where there is one of its time already, whatever
    /// its value.
    mutating func insert(
        _ timestamp: Timestamp, _ value: SampleValue, start: Timestamp
    ) -> Bool {
        switch value {
        case .float(let value):
            guard insert(Sample(timestamp: timestamp, value: value)) else { return false }
        case .histogram(let histogram):
            guard insert(Sample(timestamp: timestamp, value: histogram.sum)) else { return false }
            histograms[timestamp] = histogram
        }
        if start != 0 { starts[timestamp] = start }
        return true
    }

    private mutating func insert(_ sample: Sample) -> Bool {
        if open.last.map({ $0.timestamp < sample.timestamp }) ?? true {
            open.append(sample)
            return true
        }
        var low = 0
        var high = open.count
        while low < high {
            let middle = (low + high) / 2
            if open[middle].timestamp < sample.timestamp { low = middle + 1 } else { high = middle }
        }
        if open[low].timestamp == sample.timestamp { return false }
        open.insert(sample, at: low)
        return true
    }

    /// The open samples are in chunks.
    mutating func forgetOpen() {
        open = []
        histograms = [:]
        starts = [:]
    }

    /// Whether all open samples are floats without start timestamps.
    var holdsPlainFloats: Bool { histograms.isEmpty && starts.isEmpty }

    /// The open samples, each with its value and its start timestamp, 0 for none.
    func forEachOpen(_ body: (Timestamp, SampleValue, _ start: Timestamp) -> Void) {
        for sample in open {
            let histogram = histograms.isEmpty ? nil : histograms[sample.timestamp]
            let start = starts.isEmpty ? 0 : starts[sample.timestamp] ?? 0
            body(
                sample.timestamp, histogram.map { .histogram($0) } ?? .float(sample.value), start)
        }
    }

    /// The open samples as chunks.
    func encodedOpen(_ encoding: FloatEncoding) -> [EncodedChunk] {
        guard !holdsPlainFloats else {
            return encodeFloats(
                open.map(\.timestamp), open.map(\.value), as: encoding,
                samplesPerChunk: OutOfOrderStore.openLimit)
        }
        var encoder = SampleEncoder(
            floats: encoding, samplesPerChunk: OutOfOrderStore.openLimit)
        // Histograms were checked when they came.
        forEachOpen { _ = encoder.append($0, $1, start: $2) }
        return encoder.finish()
    }

    /// Adds a chunk that was written after those that are there.
    mutating func attach(_ chunk: OutOfOrderChunk) { chunks.append(chunk) }

    /// Forgets the chunks up to a place, which blocks hold now.
    mutating func removeChunks(upTo place: HeadChunkFiles.Place) {
        chunks.removeAll { $0.place <= place }
    }
}

extension TimeRange {
    /// From the earlier start to the later end.
    func union(_ other: TimeRange?) -> TimeRange {
        guard let other else { return self }
        return TimeRange(start: min(start, other.start), end: max(end, other.end))
    }

    /// Whether closed ranges have times in common.
    func touches(_ other: TimeRange) -> Bool { start <= other.end && other.start <= end }
}
