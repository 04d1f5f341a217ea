// SPDX-License-Identifier: Apache-2.0
//
// The series of a snapshot, a slice of slots at a time. Neighbours are much alike (the series of
// one target), so most fields are written as differences to the series before, which take a byte.
//
//     labels   uvarint count of series, then for each: uvarint count of labels, uvarint mask of the
//              positions (below 63) whose pair is not that of the series before, those pairs
//     samples  uvarint count of series, then for each: see `SampleFields`

internal import Bytes
internal import ChunkEncoding
internal import Model

/// Builds the two frames of a slice.
struct SnapshotSlice {
    struct OpenHistograms: Sendable {
        var ref: UInt64
        var chunk: EncodedChunk
    }

    private(set) var labels = ByteWriter()
    private(set) var samples = ByteWriter()
    private(set) var count = 0
    /// The open chunks of histograms, which are not part of the frames.
    private(set) var histograms: [OpenHistograms] = []
    private var pairs: [UInt32] = []
    private var fields = SampleFields()
    /// Series and their chunks, in front of which the count is put at the end.
    private var labelBytes = ByteWriter()
    private var sampleBytes = ByteWriter()

    mutating func finish() {
        labels.removeAll()
        labels.uvarint(UInt64(count))
        labels.append(labelBytes.bytes)
        samples.removeAll()
        samples.uvarint(UInt64(count))
        samples.append(sampleBytes.bytes)
    }

    mutating func add(_ slot: UInt32, _ index: borrowing LabelIndex, _ store: borrowing SampleStore)
    {
        count += 1
        add(index.pairs(of: slot))
        let lane = store.lanes.isEmpty ? nil : store.lanes[slot]
        let state = lastState(slot, lane, store)
        fields.ref.encode(Int64(bitPattern: store.series.refs[slot]), to: &sampleBytes)
        let form =
            lane.map { $0.isFloat ? SampleFields.Form.float : .integer }
            ?? (state.encoder.isXOR2 ? .xor2 : .noHistogram)
        sampleBytes.uvarint(UInt64(state.encoder.count) << 2 | form.rawValue)
        guard state.hasSamples else { return }
        fields.encode(state.encoder, to: &sampleBytes)
        if form == .xor2 {
            let start = state.encoder.hasStarts ? store.starts[slot] : 0
            SampleFields.encodeXOR2(state.encoder, start: start, to: &sampleBytes)
        }
        fields.chunkEnd.encode(store.series.chunkEnds[slot], to: &sampleBytes)
        if state.hasOpenChunk {
            sampleBytes.uvarint(UInt64(state.encoder.byteCount))
            store.pieces.copy(state, to: &sampleBytes.bytes)
        } else {
            sampleBytes.uvarint(0)
        }
        var chunks: [FullChunk] = []
        store.series.forEachChunk(slot) {
            chunks.append($0)
            return true
        }
        sampleBytes.uvarint(UInt64(chunks.count))
        for (age, chunk) in chunks.enumerated() {
            fields.encode(chunk, age: age, to: &sampleBytes)
        }
    }

    /// The state of a series without its open chunk of histograms, which is noted.
    private mutating func lastState(
        _ slot: UInt32, _ lane: HistogramLane?, _ store: borrowing SampleStore
    ) -> SeriesState {
        guard let open = lane?.openChunk else { return store.series.states[slot] }
        histograms.append(OpenHistograms(ref: store.series.refs[slot], chunk: open))
        guard let before = store.series.newestChunk(slot) else { return SeriesState() }
        return .closed(lastTimestamp: before.end, lastValue: 0)
    }

    private mutating func add(_ numbers: Span<UInt32>) {
        labelBytes.uvarint(UInt64(numbers.count))
        var mask: UInt64 = 0
        for index in 0..<min(numbers.count, 63)
        where index >= pairs.count || pairs[index] != numbers[index] {
            mask |= 1 << UInt64(index)
        }
        labelBytes.uvarint(mask)
        for index in numbers.indices where index >= 63 || mask >> UInt64(index) & 1 != 0 {
            labelBytes.uvarint(UInt64(numbers[index]))
        }
        pairs.removeAll(keepingCapacity: true)
        for index in numbers.indices { pairs.append(numbers[index]) }
    }
}

/// A number that is written as the difference to the one before.
struct RunningNumber {
    private var last: Int64 = 0

    mutating func encode(_ value: Int64, to writer: inout ByteWriter) {
        writer.varint(value &- last)
        last = value
    }

    mutating func decode(_ reader: inout ByteReader) throws(ByteError) -> Int64 {
        last &+= try reader.varint()
        return last
    }
}

/// The fields of a series' samples, for writing and reading: its ref; count and form; the encoder's
/// state; when the
/// open chunk ends at the latest; the open chunk; the full chunks, the newest first, each against
/// that of the same age of the series before.
struct SampleFields {
    /// What the newest sample in a full chunk is, or that the newest chunk is one of XOR2.
    enum Form: UInt64 {
        case noHistogram = 0
        case integer = 1
        case float = 2
        case xor2 = 3
    }

    var ref = RunningNumber()
    var timestamp = RunningNumber()
    var delta = RunningNumber()
    var chunkEnd = RunningNumber()
    private var chunks: [ChunkFields] = []

    private struct ChunkFields {
        var file = RunningNumber()
        var offset = RunningNumber()
        var start = RunningNumber()
        var duration = RunningNumber()
    }

    mutating func encode(_ state: XORState, to writer: inout ByteWriter) {
        timestamp.encode(state.timestamp, to: &writer)
        writer.uint64LE(state.valueBits)
        delta.encode(Int64(state.delta), to: &writer)
        writer.uvarint(UInt64(state.bitCount))
        writer.uint8(state.leading)
        writer.uint8(state.trailing)
    }

    /// What there is to say of an XOR2 chunk besides, and the start timestamp of its last sample.
    static func encodeXOR2(
        _ state: XORState, start: Timestamp, to writer: inout ByteWriter
    ) {
        writer.uint8(state.traits.rawValue)
        writer.uint8(state.startHeader)
        if state.hasStarts { writer.varint(state.timestamp &- start) }
    }

    /// Nil for fields that no encoder has. `start` becomes that of the last sample of an XOR2 chunk
    /// that says anything of them.
    mutating func decode(
        count: UInt16, _ form: Form, _ reader: inout ByteReader, start: inout Timestamp
    ) throws(ByteError) -> XORState? {
        let time = try timestamp.decode(&reader)
        let bits = try reader.uint64LE()
        let step = UInt32(exactly: try delta.decode(&reader))
        let bitCount = UInt16(exactly: try reader.uvarint())
        let window = (leading: try reader.uint8(), trailing: try reader.uint8())
        var traits = XORState.Traits()
        var startHeader: UInt8 = 0
        if form == .xor2 {
            traits = XORState.Traits(rawValue: try reader.uint8())
            startHeader = try reader.uint8()
            if startHeader != 0 { start = time &- (try reader.varint()) }
        }
        guard let step, let bitCount, traits.contains(.xor2) == (form == .xor2) else { return nil }
        return XORState(
            timestamp: time, valueBits: bits, delta: step, bitCount: bitCount, count: count,
            window: window, traits: traits, startHeader: startHeader)
    }

    private mutating func makeRoom(_ age: Int) {
        while chunks.count <= age { chunks.append(ChunkFields()) }
    }

    mutating func encode(_ chunk: FullChunk, age: Int, to writer: inout ByteWriter) {
        makeRoom(age)
        chunks[age].file.encode(Int64(chunk.file), to: &writer)
        chunks[age].offset.encode(Int64(chunk.offset), to: &writer)
        chunks[age].start.encode(chunk.start, to: &writer)
        chunks[age].duration.encode(Int64(chunk.duration), to: &writer)
    }

    /// Nil for numbers that no chunk has.
    mutating func decodeChunk(
        age: Int, _ reader: inout ByteReader
    ) throws(ByteError) -> FullChunk? {
        makeRoom(age)
        let file = UInt32(exactly: try chunks[age].file.decode(&reader))
        let offset = UInt32(exactly: try chunks[age].offset.decode(&reader))
        let start = try chunks[age].start.decode(&reader)
        let duration = UInt32(exactly: try chunks[age].duration.decode(&reader))
        guard let file, let offset, let duration else { return nil }
        return FullChunk(
            start: start, offset: offset, duration: duration, previous: 0, file: file)
    }
}
