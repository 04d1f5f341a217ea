// SPDX-License-Identifier: Apache-2.0
//
// Chunk segments of dense blocks. They differ from upstream's (ChunkSegments.swift) by their magic
// number and by two kinds of records more, which take the place of XOR chunks:
//
//     0xD0  a dense chunk of floats (DenseEncoder.swift)
//     0xD1  times that the dense chunks behind it in the segment share
//
// Histograms are held as in other blocks.

internal import Bytes
internal import ChunkEncoding
internal import Model
internal import Platform
internal import Storage

enum DenseSegment {
    /// "NXDC"
    static let magic: UInt32 = 0x4E58_4443
    static let chunk: UInt8 = 0xD0
    static let times: UInt8 = 0xD1
}

extension ChunkSegments {
    /// Appends the samples of a chunk within the closed range to the columns, which on an error are
    /// as they were.
    @inline(__always)
    func read(
        _ chunk: IndexedChunk, within range: TimeRange, into columns: inout SampleColumns
    ) throws(StorageError) {
        let (segment, place) = try place(of: chunk.ref)
        let file = files[segment]
        let bytes = file.bytes
        let kind = bytes[place.lowerBound - 1]
        do throws(ChunkError) {
            if let encoding = EncodedChunk.Encoding(rawValue: kind) {
                return try columns.append(bytes.extracting(place), encoding, within: range)
            }
            if kind == DenseSegment.chunk, encoding == .dense {
                return try readDense(
                    bytes, chunk, place, from: chunk.range.start, range, into: &columns)
            }
        } catch {
            throw StorageError(
                .damaged, "\(file.path): \(error) in the chunk at offset \(chunk.offset)")
        }
        throw StorageError(
            .unsupported, "\(file.path): unknown chunk encoding at offset \(chunk.offset)")
    }

    private func readDense(
        _ bytes: RawSpan, _ chunk: IndexedChunk, _ place: Range<Int>, from start: Timestamp,
        _ range: TimeRange, into columns: inout SampleColumns
    ) throws(ChunkError) {
        let decoder = try DenseDecoder(bytes.extracting(place))
        var record = 0..<0
        if case .apart(let distance) = decoder.times {
            guard let found = ChunkSegments.timesRecord(bytes, distance, before: chunk.offset)
            else { throw .malformed("the times of a dense chunk") }
            record = found.data
        }
        try decoder.decode(
            from: start, record: bytes.extracting(record), within: range, &columns.timestamps,
            &columns.values)
        if !columns.startTimestamps.isEmpty {
            let missing = columns.timestamps.count - columns.startTimestamps.count
            columns.startTimestamps += repeatElement(0, count: missing)
        }
    }

    /// The record of times so many bytes before a chunk; nil where there is none.
    private static func timesRecord(
        _ bytes: RawSpan, _ distance: UInt64, before offset: Int
    ) -> (offset: Int, data: Range<Int>)? {
        guard distance > 0, distance < UInt64(offset) else { return nil }
        let start = offset - Int(distance)
        guard let data = place(bytes, start), bytes[data.lowerBound - 1] == DenseSegment.times
        else { return nil }
        return (start, data)
    }

    /// The samples of a chunk as chunks that any block can hold; one that is no dense chunk as it
    /// is.
    func encodedChunks(of chunk: IndexedChunk) throws(StorageError) -> [EncodedChunk] {
        let (segment, place) = try place(of: chunk.ref)
        let file = files[segment]
        guard file.bytes[place.lowerBound - 1] != DenseSegment.chunk || encoding == .xor else {
            var columns = SampleColumns()
            let always = TimeRange(start: .earliest, end: .latest)
            try read(chunk, within: always, into: &columns)
            return encodeXOR(columns.timestamps, columns.values)
        }
        return try withChunk(chunk.ref) { encoding, data in
            var bytes = ByteWriter(capacity: data.byteCount)
            bytes.append(data)
            return [
                EncodedChunk(
                    encoding: encoding, range: chunk.range,
                    sampleCount: promisedSampleCount(data, encoding), bytes: bytes.bytes)
            ]
        }
    }

    /// The parts of a segment that a chunk occupies: its own, and the times it shares with others.
    func extents(
        of chunk: IndexedChunk
    ) throws(StorageError) -> (chunk: Range<Int>, times: Range<Int>?) {
        let (segment, place) = try place(of: chunk.ref)
        let file = files[segment]
        let bytes = file.bytes
        let own = chunk.offset..<(place.upperBound + 4)
        guard encoding == .dense, bytes[place.lowerBound - 1] == DenseSegment.chunk,
            let decoder = try? DenseDecoder(bytes.extracting(place)),
            case .apart(let distance) = decoder.times,
            let record = ChunkSegments.timesRecord(bytes, distance, before: chunk.offset)
        else { return (own, nil) }
        return (own, record.offset..<(record.data.upperBound + 4))
    }
}

/// Makes dense chunks of the floats of series, and knows which times were written before.
struct DenseChunkSource {
    /// How many bytes of times are remembered; then what was written is forgotten.
    private static let memory = 16 << 20

    private var encoder = DenseEncoder()
    /// Where in the segment each record of times begins.
    private var records: [[UInt8]: Int] = [:]
    private var remembered = 0

    init() {}

    /// Forgets the times of the segment before.
    mutating func beginSegment() {
        records.removeAll()
        remembered = 0
    }

    /// The record of these times, for times without a common step.
    mutating func times(_ timestamps: [Timestamp]) -> [UInt8] { encoder.times(timestamps) }

    func offset(of record: [UInt8]) -> Int? { records[record] }

    mutating func remember(_ record: [UInt8], at offset: Int) {
        if remembered > Self.memory { beginSegment() }
        records[record] = offset
        remembered += record.count
    }

    mutating func chunk(_ values: [Double], _ times: DenseTimes) -> [UInt8] {
        encoder.chunk(values, times)
    }
}

extension ChunkSegmentWriter {
    /// Writes the chunks of one series, those of floats without start timestamps as dense ones.
    mutating func writeDense(_ chunks: [EncodedChunk]) throws(StorageError) -> [IndexedChunk] {
        var indexed: [IndexedChunk] = []
        var timestamps: [Timestamp] = []
        var values: [Double] = []
        let always = TimeRange(start: .earliest, end: .latest)
        for chunk in chunks {
            guard chunk.encoding.holdsFloats,
                !holdsStartTimestamps(chunk.bytes.raw, chunk.encoding)
            else {
                try writeFloats(timestamps, values, &indexed)
                timestamps.removeAll(keepingCapacity: true)
                values.removeAll(keepingCapacity: true)
                try makeRoom(chunk.bytes.count + 10)
                let ref = try put(chunk.encoding.rawValue, chunk.bytes)
                indexed.append(IndexedChunk(ref: ref, range: chunk.range))
                continue
            }
            do throws(ChunkError) {
                try decodeFloats(
                    chunk.bytes.raw, chunk.encoding, within: always, &timestamps, &values)
            } catch {
                throw StorageError(.damaged, "encoding a chunk anew: \(error)")
            }
        }
        try writeFloats(timestamps, values, &indexed)
        return indexed
    }

    private mutating func writeFloats(
        _ timestamps: [Timestamp], _ values: [Double], _ indexed: inout [IndexedChunk]
    ) throws(StorageError) {
        for part in DenseChunk.parts(of: timestamps.count) {
            let times = Array(timestamps[part])
            // More than the worst that times and values may take.
            try makeRoom(24 * part.count + 256)
            let chunk: [UInt8]
            if let step = DenseEncoder.step(of: times) {
                chunk = dense.chunk(Array(values[part]), .step(step))
            } else {
                let record = dense.times(times)
                let offset: Int
                if let known = dense.offset(of: record) {
                    offset = known
                } else {
                    offset = Int(try put(DenseSegment.times, record) & 0xFFFF_FFFF)
                    dense.remember(record, at: offset)
                }
                chunk = dense.chunk(
                    Array(values[part]), .apart(distance: UInt64(position - offset)))
            }
            let ref = try put(DenseSegment.chunk, chunk)
            let range = TimeRange(start: times[0], end: times[times.count - 1])
            indexed.append(IndexedChunk(ref: ref, range: range))
        }
    }
}
