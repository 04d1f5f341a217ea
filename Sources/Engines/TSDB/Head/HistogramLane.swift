// SPDX-License-Identifier: Apache-2.0
//
// The open chunk of a series of native histograms. Chunks of histograms are cut by their size and
// not by their number of samples (tsdb/head_append.go, histogramsAppendPreprocessor):
//
//     at a quarter of the wanted size      the end is set so that the rest of the block range
//                                          divides evenly into chunks of about that size
//     at the end, or at twice the size     a new chunk, but not before ten samples
//     at the end of the block range        a new chunk in any case
//
// Whether a histogram fits into the chunk at all is decided by its appender (HistogramAppender).

internal import ChunkEncoding
internal import Model

struct HistogramLane {
    static let targetByteCount = 1024
    static let minimumSampleCount = 10

    /// Of the two at most one is there: the open chunk. Neither is there where the last sample lies
    /// in a full chunk, after a start.
    private var integers: IntegerHistogramAppender?
    private var floats: FloatHistogramAppender?
    /// The form of the last sample.
    private(set) var isFloat: Bool
    /// Whether the end of the open chunk was set by its size.
    private var hasEstimatedEnd = false
    /// Buckets of the last sample.
    private(set) var bucketCount = 0

    init(isFloat: Bool) { self.isFloat = isFloat }

    // MARK: Looking

    /// From the first to the last sample of the open chunk.
    var openRange: TimeRange? {
        if let chunk = integers {
            return TimeRange(start: chunk.firstTimestamp, end: chunk.timestamp)
        }
        if let chunk = floats {
            return TimeRange(start: chunk.firstTimestamp, end: chunk.timestamp)
        }
        return nil
    }

    var openChunk: EncodedChunk? { integers?.chunk ?? floats?.chunk }

    /// The last sample as the open chunk has it.
    var last: HistogramValue? {
        if let last = integers?.last { return .integer(last) }
        if let last = floats?.last { return .float(last) }
        return nil
    }

    /// What says, as a sample of this series, that it ended.
    func staleMarker(_ value: Double) -> HistogramValue {
        isFloat ? .float(FloatHistogram(stale: value)) : .integer(IntegerHistogram(stale: value))
    }

    // MARK: Appending

    /// How chunks are begun.
    struct Form {
        var blockRange: Milliseconds
        /// Whether they have room for start timestamps.
        var storesStarts: Bool
    }

    /// What came of a sample.
    struct Outcome {
        /// The chunk that thereby ended.
        var finished: EncodedChunk?
        var beganChunk = false
    }

    /// Adds a sample that is later than the last one, and whose buckets are as many as its spans
    /// say. `end` is the time from which a sample begins a new chunk.
    mutating func append(
        _ timestamp: Timestamp, _ value: HistogramValue, start: Timestamp,
        _ end: inout Timestamp, _ form: Form
    ) -> Outcome {
        var outcome: Outcome
        switch value {
        case .integer(let histogram):
            var chunk = integers
            integers = nil
            outcome = append(timestamp, histogram, start, to: &chunk, &end, form)
            integers = chunk
            if let other = floats {
                outcome.finished = other.chunk
                floats = nil
            }
        case .float(let histogram):
            var chunk = floats
            floats = nil
            outcome = append(timestamp, histogram, start, to: &chunk, &end, form)
            floats = chunk
            if let other = integers {
                outcome.finished = other.chunk
                integers = nil
            }
        }
        isFloat = value.isFloat
        bucketCount = value.bucketCount
        return outcome
    }

    private mutating func append<State>(
        _ timestamp: Timestamp, _ histogram: State.Histogram, _ start: Timestamp,
        to chunk: inout HistogramAppender<State>?, _ end: inout Timestamp, _ form: Form
    ) -> Outcome {
        let first = First(timestamp: timestamp, histogram: histogram, start: start, form: form)
        if let current = chunk, isFull(current, timestamp, &end, form.blockRange) {
            return begin(&chunk, .unknown, first, after: current, &end)
        }
        guard chunk != nil else { return begin(&chunk, .unknown, first, after: nil, &end) }
        switch chunk!.append(timestamp, histogram, start: start) {
        case .appended, .recoded: return Outcome()
        case .malformed: preconditionFailure("a histogram was not checked")
        case .full:
            let full = chunk
            return begin(&chunk, .unknown, first, after: full, &end)
        case .startsChunk(let header):
            // Upstream keeps the mark here, so that this chunk is not measured again.
            let wasEstimated = hasEstimatedEnd
            defer { hasEstimatedEnd = wasEstimated }
            return begin(&chunk, header, first, after: nil, &end)
        }
    }

    /// Whether the chunk ends before a sample at `timestamp`; may set the end.
    private mutating func isFull<State>(
        _ chunk: HistogramAppender<State>, _ timestamp: Timestamp, _ end: inout Timestamp,
        _ blockRange: Milliseconds
    ) -> Bool {
        let rangeEnd =
            hasEstimatedEnd ? Self.endOfRange(chunk.firstTimestamp, blockRange) : end
        let size = chunk.byteCount
        if !hasEstimatedEnd, size >= Self.targetByteCount / 4 {
            end = Self.estimatedEnd(
                TimeRange(start: chunk.firstTimestamp, end: chunk.timestamp), end,
                ratioToFull: Double(Self.targetByteCount) / Double(size))
            hasEstimatedEnd = true
        }
        guard timestamp >= end || size >= 2 * Self.targetByteCount else { return false }
        return chunk.count >= Self.minimumSampleCount || timestamp >= rangeEnd
    }

    /// The sample that a chunk begins with.
    private struct First<Histogram> {
        var timestamp: Timestamp
        var histogram: Histogram
        var start: Timestamp
        var form: Form
    }

    /// Begins a chunk with a first sample. `previous` decides what its header says of a reset.
    private mutating func begin<State>(
        _ chunk: inout HistogramAppender<State>?, _ header: CounterResetHeader,
        _ first: First<State.Histogram>, after previous: HistogramAppender<State>?,
        _ end: inout Timestamp
    ) -> Outcome {
        var next = HistogramAppender<State>(header, storesStarts: first.form.storesStarts)
        let outcome = next.append(
            first.timestamp, first.histogram, start: first.start, after: previous)
        precondition(outcome == .appended, "an empty chunk takes any histogram that was checked")
        let finished = chunk?.chunk
        chunk = next
        end = Self.endOfRange(first.timestamp, first.form.blockRange)
        hasEstimatedEnd = false
        return Outcome(finished: finished, beganChunk: true)
    }

    // MARK: Ends

    /// The end of the block range that a time lies in.
    static func endOfRange(_ timestamp: Timestamp, _ width: Milliseconds) -> Timestamp {
        let (end, isOverflow) = (timestamp / width * width).addingReportingOverflow(width)
        return isOverflow ? .max : end
    }

    /// The end of a chunk that has been filled by one part in `ratioToFull`, so that the rest of
    /// the time up to `latest` divides evenly.
    static func estimatedEnd(
        _ range: TimeRange, _ latest: Timestamp, ratioToFull: Double
    ) -> Timestamp {
        let span = Double(latest &- range.start)
        let chunks = span / (Double(range.end &- range.start &+ 1) * ratioToFull)
        guard chunks > 1 else { return latest }
        return Timestamp(Double(range.start) + span / chunks.rounded(.down))
    }
}
