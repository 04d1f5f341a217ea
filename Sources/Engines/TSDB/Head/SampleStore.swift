// SPDX-License-Identifier: Apache-2.0

internal import ChunkEncoding
internal import Instrumentation
internal import Model
internal import Storage

/// The samples of the head: the columns of its series, open chunks, and full chunks by way of the
/// files. A struct, so that a batch is one access to it and not one for every sample.
///
/// Owned by the head and touched under its lock.
struct SampleStore: ~Copyable {
    var series: SeriesTable
    var pieces: ChunkPieces
    var lanes = HistogramLanes()
    let files: HeadChunkFiles
    let blockRange: Milliseconds
    let samplesPerChunk: Int
    let chunksCreated: Counter
    /// How new chunks of floats are written. Those that are open stay as they are.
    var floatEncoding: FloatEncoding {
        didSet { if floatEncoding == .xor2 { mayHoldXOR2 = true } }
    }
    /// Whether every sample comes with a start timestamp, and XOR chunks are not gone on with.
    let storesStarts: Bool
    /// Whether chunks of histograms have room for start timestamps.
    let hasHistogramStarts: Bool
    /// Whether there may be open chunks of XOR2: then each append has to look.
    var mayHoldXOR2: Bool
    /// The start timestamps of the last samples of those open chunks that say anything of them.
    var starts: Column<Timestamp>

    init(
        _ options: HeadOptions, _ files: HeadChunkFiles, _ chunksCreated: Counter
    ) throws(StorageError) {
        let series = try SeriesTable()
        let pieces = try ChunkPieces()
        let starts = try Column<Timestamp>(capacity: SeriesTable.capacity)
        self.starts = starts
        self.series = series
        self.pieces = pieces
        self.files = files
        blockRange = options.blockRange
        samplesPerChunk = options.samplesPerChunk
        floatEncoding = options.floatEncoding
        storesStarts = options.storesStarts
        hasHistogramStarts = options.hasHistogramStarts
        mayHoldXOR2 = options.floatEncoding == .xor2
        self.chunksCreated = chunksCreated
    }

    /// Adds a sample that is newer than the series' last one, where there are no chunks of XOR2.
    /// The bounds: pieces and full chunks were reserved. The chunk is cut as upstream cuts it, but
    /// for the first one of a block range (`estimateChunkEnd`).
    @inline(__always)
    mutating func append(_ slot: Int, _ timestamp: Timestamp, _ value: Double) {
        let state = unsafe series.states.pointer(slot)
        series.noteSteadiness(
            slot, timestamp, value, after: unsafe state.pointee.encoder.timestamp)
        let hasRoom =
            unsafe state.pointee.piece != 0
            && state.pointee.encoder.byteCount <= ChunkPieces.fullAt
        if hasRoom {
            let count = unsafe Int(state.pointee.encoder.count)
            if count == samplesPerChunk / 4 { unsafe estimateChunkEnd(slot, state.pointee) }
            if timestamp < series.chunkEnds[slot], count < samplesPerChunk * 2,
                unsafe pieces.append(&state.pointee, timestamp, value)
            {
                return
            }
        }
        unsafe beginChunk(slot, &state.pointee, timestamp, value)
    }

    mutating func beginChunk(
        _ slot: Int, _ state: inout SeriesState, _ timestamp: Timestamp, _ value: Double,
        start: Timestamp = 0
    ) {
        if state.hasOpenChunk { finishChunk(UInt32(slot), &state) }
        if !lanes.isEmpty { finishLane(UInt32(slot)) }
        switch floatEncoding {
        case .xor: pieces.begin(&state, timestamp, value)
        case .xor2:
            pieces.beginXOR2(&state, timestamp, value, start: start)
            if start != 0 { starts[slot] = start }
        }
        series.chunkEnds[slot] = HistogramLane.endOfRange(timestamp, blockRange)
        chunksCreated.increment()
    }

    /// Moves the open chunk to the files.
    private mutating func finishChunk(_ slot: UInt32, _ state: inout SeriesState) {
        let range = TimeRange(
            start: pieces.firstTimestamp(state), end: state.encoder.timestamp)
        let finished = state
        let place = files.append(
            series.refs[slot], range, finished.encoder.encoding, length: finished.encoder.byteCount
        ) { pieces.copy(finished, to: &$0) }
        series.addChunk(slot, range, place)
        pieces.release(&state)
    }

    /// Ends the open chunk, so that full chunks from elsewhere can follow. The bound: a full chunk
    /// was reserved.
    mutating func closeChunk(_ slot: UInt32) {
        finishLane(slot)
        finishFloats(slot)
    }

    /// Moves the open chunk of floats, if there is one, to the files. The bound as above.
    mutating func finishFloats(_ slot: UInt32) {
        var state = series.states[slot]
        guard state.hasOpenChunk else { return }
        finishChunk(slot, &state)
        series.states[slot] = state
    }

    /// Gives the open chunk up where a full one begins as it does and goes as far; false where not.
    mutating func dropOpenChunk(_ slot: UInt32, coveredBy range: TimeRange) -> Bool {
        var state = series.states[slot]
        guard state.hasOpenChunk, state.encoder.timestamp <= range.end,
            pieces.firstTimestamp(state) == range.start
        else { return false }
        pieces.release(&state)
        series.states[slot] = state
        return true
    }

    /// A quarter into a chunk: sets its end so that the rest of the block range divides evenly into
    /// chunks of about the wanted number of samples.
    ///
    /// The first chunk of a range ends up to half a chunk sooner or later than that, by slot:
    /// series that began together would else have their chunks full together, and the memory of
    /// that moment, twice the mean, would stay.
    mutating func estimateChunkEnd(_ slot: Int, _ state: SeriesState) {
        let start = pieces.firstTimestamp(state)
        let rangeEnd = series.chunkEnds[slot]
        let end = HistogramLane.estimatedEnd(
            TimeRange(start: start, end: state.encoder.timestamp), rangeEnd, ratioToFull: 4)
        series.chunkEnds[slot] = end
        let isFirst =
            series.newestChunk(UInt32(slot)).map { $0.end < rangeEnd &- blockRange } ?? true
        guard isFirst, end < rangeEnd else { return }
        let place = Double(UInt32(truncatingIfNeeded: slot) &* 0x9E37_79B1) / 0x1p32
        let length = Double(end &- start) * (0.5 + place)
        series.chunkEnds[slot] = min(rangeEnd, start &+ Timestamp(length))
    }

    /// Memory of pieces and slots that nothing uses now and that the next series will use.
    var reusableByteCount: Int {
        pieces.reusableByteCount + series.freeSlotCount * SeriesTable.bytesPerSlot
    }

    /// The oldest sample that the head has of a series.
    func firstTimestamp(_ slot: UInt32) -> Timestamp? {
        var oldest: Timestamp?
        series.forEachChunk(slot) {
            oldest = $0.start
            return true
        }
        return oldest ?? openRange(slot)?.start
    }
}
