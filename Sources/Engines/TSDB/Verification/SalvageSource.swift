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
            guard let found = self.chunks(place) else { continue }
            end = place.range.end
            for chunk in found {
                if deleted.touching(chunk.range).isEmpty {
                    chunks.append(chunk)
                } else if let rest = try? SampleMerge([(chunk, deleted: deleted)]).chunks() {
                    chunks += rest
                }
            }
        }
        return chunks
    }

    /// The samples of a chunk, where its checksum and its times are right.
    private func chunks(_ place: IndexedChunk) -> [EncodedChunk]? {
        var columns = SampleColumns()
        let always = TimeRange(start: .earliest, end: .latest)
        let isRead: Void? = try? block.chunks.read(place, within: always, into: &columns)
        let times =
            columns.timestamps.isEmpty ? columns.histogramTimestamps : columns.timestamps
        guard isRead != nil, times.first == place.range.start, times.last == place.range.end else {
            return nil
        }
        return try? block.chunks.encodedChunks(of: place)
    }
}
