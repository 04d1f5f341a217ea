// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import ChunkEncoding
internal import Instrumentation
internal import Model
internal import Platform
internal import Storage

/// Everything that the head's lock guards.
final class HeadStore {
    let options: HeadOptions
    let metrics: HeadMetrics
    var series: SeriesTable
    var pieces: ChunkPieces
    var labels: LabelIndex
    let files: HeadChunkFiles
    /// Nil until the log was replayed, and for good where the folder is read-only.
    var log: WALWriter?
    var bounds: HeadBounds
    var writing = CommitBuffers()
    var restart = RestartNotes()

    init(
        _ directory: String, _ options: HeadOptions, minValidTime: Timestamp,
        _ metrics: HeadMetrics, _ fileSystem: any FileSystem
    ) throws(StorageError) {
        let series = try SeriesTable()
        let pieces = try ChunkPieces()
        let labels = try LabelIndex()
        self.series = series
        self.pieces = pieces
        self.labels = labels
        self.options = options
        self.metrics = metrics
        files = HeadChunkFiles("\(directory)/chunks_head", fileSystem)
        bounds = HeadBounds(minValidTime: minValidTime)
    }

    // MARK: Series

    /// The slot of the series with these packed labels, with a new ref where it is created.
    func findOrCreate(_ packed: RawSpan, ref: UInt64?) throws(StorageError) -> (UInt32, Bool) {
        let hash = xxHash64(packed)
        if let slot = labels.find(packed, hash: hash) { return (slot, false) }
        let ref = ref ?? restart.nextRef
        let slot = try series.add(ref: ref)
        try labels.add(slot, packed, hash: hash)
        restart.nextRef = max(restart.nextRef, ref + 1)
        metrics.seriesCreated.increment()
        return (slot, true)
    }

    func resolve(_ sets: [Labels]) throws(StorageError) -> [SeriesRef] {
        guard log != nil else { throw StorageError(.unavailable, "the head is read-only") }
        var found: [SeriesRef] = []
        found.reserveCapacity(sets.count)
        for set in sets {
            let packed = set.packed
            let (slot, isNew) = try findOrCreate(packed.raw, ref: nil)
            if isNew {
                writing.newSeries.append(series.refs[slot], packed.raw)
            }
            found.append(SeriesRef(slot: slot, generation: series.generations[slot]))
        }
        return found
    }

    // MARK: Samples

    /// Adds a sample that is newer than the series' last one. The bounds: pieces and full chunks were
    /// reserved. The chunk is cut as upstream cuts it.
    @inline(__always)
    func append(_ slot: Int, _ timestamp: Timestamp, _ value: Double) {
        let state = unsafe series.states.pointer(slot)
        let hasRoom =
            unsafe state.pointee.piece != 0
            && state.pointee.encoder.byteCount <= ChunkPieces.fullAt
        if hasRoom {
            let count = unsafe Int(state.pointee.encoder.count)
            if count == options.samplesPerChunk / 4 { unsafe estimateChunkEnd(slot, state.pointee) }
            if timestamp < series.chunkEnds[slot], count < options.samplesPerChunk * 2,
                unsafe pieces.append(&state.pointee, timestamp, value)
            {
                return
            }
        }
        unsafe beginChunk(slot, &state.pointee, timestamp, value)
    }

    private func beginChunk(
        _ slot: Int, _ state: inout SeriesState, _ timestamp: Timestamp, _ value: Double
    ) {
        if state.hasOpenChunk { finishChunk(UInt32(slot), &state) }
        pieces.begin(&state, timestamp, value)
        let width = options.blockRange
        let (end, isOverflow) = (timestamp / width * width).addingReportingOverflow(width)
        series.chunkEnds[slot] = isOverflow ? .max : end
        metrics.chunksCreated.increment()
    }

    /// Moves the open chunk to the files.
    private func finishChunk(_ slot: UInt32, _ state: inout SeriesState) {
        let range = TimeRange(
            start: pieces.firstTimestamp(state), end: state.encoder.timestamp)
        let finished = state
        let place = files.append(
            series.refs[slot], range, length: finished.encoder.byteCount
        ) { pieces.copy(finished, to: &$0) }
        series.addChunk(slot, range, place)
        pieces.release(&state)
    }

    /// Ends the open chunk, so that full chunks from elsewhere can follow. The bound: a full chunk was
    /// reserved.
    func closeChunk(_ slot: UInt32) {
        var state = series.states[slot]
        finishChunk(slot, &state)
        series.states[slot] = state
    }

    /// A quarter into a chunk: sets its end so that the rest of the block range divides evenly into
    /// chunks of about the wanted number of samples.
    private func estimateChunkEnd(_ slot: Int, _ state: SeriesState) {
        let start = pieces.firstTimestamp(state)
        let span = Double(series.chunkEnds[slot] &- start)
        let chunks = span / (Double(state.encoder.timestamp &- start &+ 1) * 4)
        guard chunks > 1 else { return }
        series.chunkEnds[slot] = Timestamp(Double(start) + span / chunks.rounded(.down))
    }

    /// The oldest sample that the head has of a series.
    func firstTimestamp(_ slot: UInt32) -> Timestamp? {
        var oldest: Timestamp?
        series.forEachChunk(slot) {
            oldest = $0.start
            return true
        }
        if oldest == nil, series.states[slot].hasOpenChunk {
            oldest = pieces.firstTimestamp(series.states[slot])
        }
        return oldest
    }
}

/// From when to when the head has samples, and from when it takes them.
struct HeadBounds {
    /// The end of the last block: nothing before it is taken or shown.
    var minValidTime: Timestamp
    /// Meaningless while the head is empty.
    var minTime = Timestamp.max
    var maxTime = Timestamp.min

    var isEmpty: Bool { maxTime == .min }

    mutating func include(_ timestamp: Timestamp) {
        minTime = min(minTime, timestamp)
        maxTime = max(maxTime, timestamp)
    }

    /// The earliest time that a sample may have, where `first` is the first one of a batch.
    func lowerBound(_ first: Timestamp, _ blockRange: Milliseconds) -> Timestamp {
        let newest = isEmpty ? first : maxTime
        let (bound, isOverflow) = newest.subtractingReportingOverflow(blockRange / 2)
        return max(minValidTime, isOverflow ? .min : bound)
    }
}

/// What a commit writes, kept between commits for the memory.
struct CommitBuffers {
    /// Series that were created and are not in the log yet.
    var newSeries = SeriesRecord()
    var samples = SamplesRecord()
    /// Positions in the batch of the samples that are taken.
    var accepted: [Int] = []
}

/// What the next start and the next checkpoint need to know.
struct RestartNotes {
    var nextRef: UInt64 = 1
    /// Refs of series that are gone or are known under another ref, with the time up to which the log
    /// may have samples under them: their series records stay in checkpoints for as long.
    var expiries: [UInt64: Timestamp] = [:]
    var lastTruncation = Timestamp.min
    var foreignData: String?
}
