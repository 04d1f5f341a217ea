// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import ChunkEncoding
internal import Model
internal import Platform
internal import Storage

/// What can be read of a damaged block: series and chunks that cannot are left out, and so is what
/// is deleted.
struct SalvageSource: BlockSource {
    private let block: Block

    init(_ block: Block) { self.block = block }

    func forEachSeries(
        _ body: (Labels, [EncodedChunk]) throws(StorageError) -> Void
    ) throws(StorageError) {
        var refs: [UInt32] = []
        let file = block.index.file
        block.index.allPostings.appendAll(file.bytes, to: &refs)
        var previous: Labels?
        for series in refs {
            guard let labels = try? block.index.labels(of: series) else { continue }
            if let previous, previous >= labels { continue }
            let chunks = chunks(of: series)
            guard !chunks.isEmpty else { continue }
            try body(labels, chunks)
            previous = labels
        }
    }

    private func chunks(of series: UInt32) -> [EncodedChunk] {
        var places: [IndexedChunk] = []
        let isRead: Void? = try? block.index.forEachChunk(of: series) {
            places.append($0)
            return true
        }
        guard isRead != nil else { return [] }
        let deleted = block.tombstones.ranges[UInt64(series)] ?? DeletedRanges()
        var end: Timestamp?
        var chunks: [EncodedChunk] = []
        for place in places {
            if let end, place.range.start <= end { continue }
            guard let chunk = chunk(place) else { continue }
            end = place.range.end
            if deleted.touching(place.range).isEmpty {
                chunks.append(chunk)
            } else if let rest = try? SampleMerge([(chunk, deleted: deleted)]).chunks() {
                chunks += rest
            }
        }
        return chunks
    }

    /// The chunk, where its checksum and its times are right.
    private func chunk(_ place: IndexedChunk) -> EncodedChunk? {
        let found = try? block.chunks.withChunk(place.ref) {
            (encoding, data) throws(StorageError) in
            var writer = ByteWriter(capacity: data.byteCount)
            writer.append(data)
            return EncodedChunk(
                encoding: encoding, range: place.range,
                sampleCount: promisedSampleCount(data, encoding), bytes: writer.bytes)
        }
        guard let chunk = found else { return nil }
        var columns = SampleColumns()
        let always = TimeRange(start: .earliest, end: .latest)
        let isRead: Void? = try? columns.append(chunk.bytes.raw, chunk.encoding, within: always)
        let times =
            columns.timestamps.isEmpty ? columns.histogramTimestamps : columns.timestamps
        guard isRead != nil, times.first == place.range.start, times.last == place.range.end else {
            return nil
        }
        return chunk
    }
}
