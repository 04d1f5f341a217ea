// SPDX-License-Identifier: Apache-2.0
//
// Blocks as one source: their series merged by labels, one series in memory at a time. A chunk that
// overlaps no other and has nothing deleted in it goes through as it is; only those that do are
// decoded, merged by time and encoded anew.

internal import Bytes
package import ChunkEncoding
package import Model
internal import Platform
package import Storage

package struct BlockMerge: BlockSource {
    /// In order of time.
    private let blocks: [Block]
    private let isExact: Bool
    /// What of some blocks is left out.
    private let expiries: [ULID: SeriesExpiry]
    /// How floats of chunks that overlap are encoded.
    private let floats: FloatEncoding

    /// `isExact` leaves deletions unapplied and keeps symbols that no series uses.
    package init(_ blocks: [Block], isExact: Bool = false) {
        self.init(blocks, isExact: isExact, [:])
    }

    /// Leaves out the chunks that `expiries` hides as a whole, by the names of the blocks.
    init(
        _ blocks: [Block], isExact: Bool = false, _ expiries: [ULID: SeriesExpiry],
        floats: FloatEncoding = .xor
    ) {
        self.isExact = isExact
        self.expiries = expiries
        self.floats = floats
        self.blocks = blocks.sorted {
            ($0.meta.range.start, $0.meta.id) < ($1.meta.range.start, $1.meta.id)
        }
    }

    /// The meta of what comes out, but for the statistics.
    package func meta(id: ULID) -> BlockMeta {
        let metas = blocks.map(\.meta)
        let start = metas.map(\.range.start).min() ?? 0
        let end = metas.map(\.range.end).max() ?? 0
        var meta = BlockMeta(id: id, range: TimeRange(start: start, end: end))
        meta.compaction.level = (metas.map(\.compaction.level).max() ?? 0) + 1
        meta.compaction.sources = Set(metas.flatMap(\.compaction.sources)).sorted()
        meta.compaction.parents = metas.map { BlockMeta.Parent(id: $0.id, range: $0.range) }
        // Partial data makes the whole partial; out-of-order data where all of it is, or that from
        // the end of the rest on: the head may still take samples there.
        for hint in [BlockMeta.Hint.staleSeries, BlockMeta.Hint.selectedSeries]
        where metas.contains(where: { $0.compaction.hints.contains(hint) }) {
            meta.compaction.hints.append(hint)
        }
        let others = metas.filter { !$0.compaction.hints.contains(BlockMeta.Hint.outOfOrder) }
        if others.allSatisfy({ $0.range.end < end }) {
            meta.compaction.hints.append(BlockMeta.Hint.outOfOrder)
        }
        return meta
    }

    package func forEachSeries(
        _ body: (Labels, [EncodedChunk]) throws(StorageError) -> Void
    ) throws(StorageError) {
        var cursors: [SeriesCursor] = []
        for block in blocks {
            cursors.append(try SeriesCursor(block, isExact, expiries[block.meta.id]))
        }
        var pieces: [ChunkPiece] = []
        while true {
            var smallest: Labels?
            for cursor in cursors {
                guard let labels = cursor.labels else { continue }
                if let current = smallest, current <= labels { continue }
                smallest = labels
            }
            guard let labels = smallest else { return }
            pieces.removeAll(keepingCapacity: true)
            for index in cursors.indices where cursors[index].labels == labels {
                try cursors[index].appendChunks(to: &pieces)
                try cursors[index].advance()
            }
            let chunks = try merged(pieces)
            if !chunks.isEmpty { try body(labels, chunks) }
        }
    }

    package func forEachExtraSymbol(
        _ body: (RawSpan) throws(StorageError) -> Void
    ) throws(StorageError) {
        guard isExact else { return }
        for block in blocks {
            let file = block.index.file
            try block.index.symbols.forEach(file.bytes) { (_, text) throws(StorageError) in
                try body(text)
            }
        }
    }

    /// The chunks of one series, in order, without overlaps and without what is deleted.
    private func merged(_ pieces: [ChunkPiece]) throws(StorageError) -> [EncodedChunk] {
        let sorted = pieces.sorted {
            let (left, right) = ($0.chunk.range, $1.chunk.range)
            return (left.start, left.end, $0.order) < (right.start, right.end, $1.order)
        }
        var chunks: [EncodedChunk] = []
        chunks.reserveCapacity(sorted.count)
        var first = 0
        while first < sorted.count {
            var last = first
            var end = sorted[first].chunk.range.end
            while last + 1 < sorted.count, sorted[last + 1].chunk.range.start <= end {
                last += 1
                end = max(end, sorted[last].chunk.range.end)
            }
            let group = sorted[first...last]
            if group.count == 1, sorted[first].deleted.isEmpty {
                chunks.append(sorted[first].chunk)
            } else if group.allSatisfy({
                $0.chunk == sorted[first].chunk && $0.deleted.isEmpty
            }) {
                chunks.append(sorted[first].chunk)
            } else {
                chunks += try encodedAnew(group)
            }
            first = last + 1
        }
        return chunks
    }

    private func encodedAnew(_ group: ArraySlice<ChunkPiece>) throws(StorageError) -> [EncodedChunk]
    {
        // As upstream's compactChunkIterator hands them to its merge (storage/merge.go): the first
        // chunk comes last, and one that says again what the one before it says is left out.
        var previous = group.first
        var pieces: [ChunkPiece] = []
        for piece in group.dropFirst() {
            if piece.chunk == previous?.chunk, piece.deleted == previous?.deleted { continue }
            pieces.append(piece)
            previous = piece
        }
        pieces += group.prefix(1)
        guard pieces.allSatisfy({ $0.chunk.encoding.holdsFloats }) else {
            return try SampleMerge(pieces.map { ($0.chunk, $0.deleted) }, floats: floats).chunks()
        }
        var sources: [SampleColumns] = []
        let always = TimeRange(start: .earliest, end: .latest)
        for piece in pieces {
            var source = SampleColumns()
            do throws(ChunkError) {
                try source.append(piece.chunk.bytes.raw, piece.chunk.encoding, within: always)
            } catch {
                throw StorageError(.damaged, "merging a chunk: \(error)")
            }
            source.remove(piece.deleted, from: .start)
            sources.append(source)
        }
        var columns = SampleColumns()
        ChainedMerge.merge(sources, into: &columns)
        // One chunk with samples left out stays one chunk, and of its encoding.
        guard pieces.count == 1, let encoding = pieces[0].chunk.encoding.ofFloats else {
            return columns.encodedFloats(as: floats)
        }
        return columns.encodedFloats(as: encoding, samplesPerChunk: Int(UInt16.max))
    }
}

/// A chunk of one of the merged blocks, and the deletions that touch it.
private struct ChunkPiece {
    var chunk: EncodedChunk
    /// The place in the order of blocks, and within each of times.
    var order: Int
    var deleted: DeletedRanges
}

/// Walks the series of a block in order.
private struct SeriesCursor {
    private let block: Block
    private let stones: Tombstones
    /// From when on each series is kept; empty where all are.
    private let starts: [Timestamp]
    private var next = 0
    private var indexed: [IndexedChunk] = []
    /// The labels of the series it stands at; nil at the end.
    private(set) var labels: Labels?

    init(_ block: Block, _ isExact: Bool, _ expiry: SeriesExpiry?) throws(StorageError) {
        self.block = block
        stones = isExact ? Tombstones() : block.tombstones
        starts = try expiry?.starts(of: block.index.series(matching: []), in: block) ?? []
        try load()
    }

    private var series: UInt32 {
        let file = block.index.file
        return block.index.allPostings.series(next, in: file.bytes)
    }

    private mutating func load() throws(StorageError) {
        labels =
            next < block.index.allPostings.count ? try block.index.labels(of: series) : nil
    }

    mutating func advance() throws(StorageError) {
        next += 1
        try load()
    }

    mutating func appendChunks(to pieces: inout [ChunkPiece]) throws(StorageError) {
        indexed.removeAll(keepingCapacity: true)
        let always = TimeRange(start: .earliest, end: .latest)
        try block.index.appendChunks(of: series, overlapping: always, to: &indexed)
        let stones = stones.ranges[UInt64(series)] ?? DeletedRanges()
        let start = starts.isEmpty ? Timestamp.earliest : starts[next]
        for place in indexed {
            if stones.cover(place.range) || place.range.end < start { continue }
            for chunk in try block.chunks.encodedChunks(of: place) {
                if stones.cover(chunk.range) || chunk.range.end < start { continue }
                let deleted = stones.touching(chunk.range)
                pieces.append(ChunkPiece(chunk: chunk, order: pieces.count, deleted: deleted))
            }
        }
    }
}
