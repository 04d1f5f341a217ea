// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import ChunkEncoding
internal import Model
internal import Storage

extension SampleStore {
    /// Fills the empty store with the samples of a snapshot. The slots are given out in the order
    /// of the file, from 0 on. `sizes` tells how long the head chunk files are that it may name.
    /// Full chunks that end before `minValidTime` are left out. Returns how many series there are.
    mutating func restore(
        _ file: SnapshotFile, minValidTime: Timestamp, sizes: [UInt32: Int]
    ) throws(SnapshotFault) -> Int {
        var chunks: [FullChunk] = []
        try file.forEachFrame(.samples) { reader in
            var fields = SampleFields()
            for _ in 0..<(try reader.uvarint()) {
                let ref = UInt64(bitPattern: try fields.ref.decode(&reader))
                guard ref != 0, ref < file.summary.nextRef else {
                    throw SnapshotFault("a series of ref \(ref)")
                }
                let slot = try series.add(ref: ref)
                let countAndForm = try reader.uvarint()
                guard let count = UInt16(exactly: countAndForm >> 2),
                    let form = SampleFields.Form(rawValue: countAndForm & 3)
                else { throw SnapshotFault("more samples than a chunk has") }
                guard count > 0 else { continue }
                if form == .integer || form == .float {
                    lanes[slot] = HistogramLane(isFloat: form == .float)
                }
                var start: Timestamp = 0
                guard
                    let encoder = try fields.decode(count: count, form, &reader, start: &start)
                else { throw SnapshotFault("a state that no encoder has") }
                try restoreXOR2(slot, encoder, start: start)
                // Never later than where the head itself would put it.
                series.chunkEnds[slot] = min(
                    try fields.chunkEnd.decode(&reader),
                    HistogramLane.endOfRange(encoder.timestamp, blockRange))
                var state = SeriesState()
                state.encoder = encoder
                let length = Int(clamping: try reader.uvarint())
                if length > 0 {
                    guard length == encoder.byteCount else {
                        throw SnapshotFault("an open chunk of \(length) bytes")
                    }
                    try restoreOpenChunk(&state, try reader.take(length))
                }
                series.states[slot] = state
                try decodeChunks(&reader, &fields, &chunks, minValidTime, sizes)
                try series.reserveChunks(chunks.count)
                for chunk in chunks.reversed() {
                    series.addChunk(
                        slot, chunk.range,
                        HeadChunkFiles.Place(file: chunk.file, offset: chunk.offset))
                }
            }
        }
        return series.end
    }

    private mutating func restoreXOR2(
        _ slot: UInt32, _ encoder: XORState, start: Timestamp
    ) throws(StorageError) {
        guard encoder.isXOR2 else { return }
        mayHoldXOR2 = true
        try reserveStarts()
        if encoder.hasStarts { starts[slot] = start }
    }

    private mutating func restoreOpenChunk(_ state: inout SeriesState, _ bytes: RawSpan) throws {
        var reader = ByteReader(bytes, at: state.encoder.isXOR2 ? 3 : 2)
        guard try reader.varint() <= state.encoder.timestamp else {
            throw SnapshotFault("an open chunk begins after its end")
        }
        try pieces.restore(&state, bytes)
    }

    /// Full chunks, the newest first.
    private func decodeChunks(
        _ reader: inout ByteReader, _ fields: inout SampleFields, _ chunks: inout [FullChunk],
        _ minValidTime: Timestamp, _ sizes: [UInt32: Int]
    ) throws {
        chunks.removeAll(keepingCapacity: true)
        let count = Int(clamping: try reader.uvarint())
        guard count <= reader.remaining else { throw ByteError.truncated(offset: reader.offset) }
        var known: (file: UInt32, size: Int) = (0, 0)
        for age in 0..<count {
            guard let chunk = try fields.decodeChunk(age: age, &reader) else {
                throw SnapshotFault("a chunk at no place")
            }
            guard chunk.end >= minValidTime else { continue }
            if chunk.file != known.file { known = (chunk.file, sizes[chunk.file] ?? 0) }
            guard Int(chunk.offset) + HeadChunkFormat.fixedSize <= known.size else {
                throw SnapshotFault("head chunk file \(chunk.file) is missing or too short")
            }
            chunks.append(chunk)
        }
    }
}
