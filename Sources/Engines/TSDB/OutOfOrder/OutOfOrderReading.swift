// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import ChunkEncoding
internal import Model
internal import Platform
internal import Storage

/// The late chunks of one series, which can be read without the head's lock: open samples as they
/// were when the series was selected, and where the full chunks lie.
struct LateChunks: Sendable {
    private enum Place: Sendable {
        case full(HeadChunkFiles.Source)
        case open([Sample])
        case encoded(EncodedChunk)
    }

    private struct Chunk: Sendable {
        var range: TimeRange
        var place: Place
    }

    /// In the order in which they were written, the open samples last.
    private var chunks: [Chunk] = []
    /// What is deleted of the series.
    let deleted: DeletedRanges

    init(deleted: DeletedRanges) { self.deleted = deleted }

    var isEmpty: Bool { chunks.isEmpty }

    mutating func add(_ source: HeadChunkFiles.Source, _ range: TimeRange) {
        chunks.append(Chunk(range: range, place: .full(source)))
    }

    mutating func addOpen(_ series: OutOfOrderSeries, _ range: TimeRange) {
        guard !series.holdsPlainFloats else {
            return chunks.append(Chunk(range: range, place: .open(series.open)))
        }
        for chunk in series.encodedOpen(.xor) {
            chunks.append(Chunk(range: chunk.range, place: .encoded(chunk)))
        }
    }

    /// Whether all samples in full chunks are floats.
    var holdsFloatsOnly: Bool {
        chunks.allSatisfy {
            if case .full(let source) = $0.place { source.holdsFloats } else { true }
        }
    }

    /// Copies of the full chunks, by their start; those that overlap one another together.
    var overlappingGroups: [[EncodedChunk]] {
        var groups: [[EncodedChunk]] = []
        var end = Timestamp.min
        for chunk in fullChunks {
            if groups.isEmpty || end < chunk.range.start { groups.append([]) }
            groups[groups.count - 1].append(chunk)
            end = max(end, chunk.range.end)
        }
        return groups
    }

    private var fullChunks: [EncodedChunk] {
        var found: [EncodedChunk] = []
        for chunk in chunks {
            guard case .full(let source) = chunk.place, let encoding = source.encoding else {
                continue
            }
            let bytes = source.copy
            found.append(
                EncodedChunk(
                    encoding: encoding, range: chunk.range,
                    sampleCount: promisedSampleCount(bytes.raw, encoding), bytes: bytes))
        }
        return found.sorted { $0.range.start < $1.range.start }
    }

    /// Appends the samples within the closed range, in time order.
    func decode(_ range: TimeRange, into columns: inout SampleColumns) throws(StorageError) {
        try decode(range, merging: [], into: &columns) { (_, _) throws(StorageError) in }
    }

    /// Appends the samples within the closed range, merged with those of chunks in order, whose
    /// times are given and which `decodeInOrder` decodes by their position.
    func decode(
        _ range: TimeRange, merging inOrder: [TimeRange], into columns: inout SampleColumns,
        _ decodeInOrder: (Int, inout SampleColumns) throws(StorageError) -> Void
    ) throws(StorageError) {
        let mark = columns.mark
        // Of chunks with one start those in order come first, and each kind as it was written.
        let spans = inOrder + chunks.map(\.range)
        let order = spans.indices.filter { spans[$0].touches(range) }
            .sorted { (spans[$0].start, $0) < (spans[$1].start, $1) }
        var first = 0
        while first < order.count {
            var last = first
            var end = spans[order[first]].end
            while last + 1 < order.count, spans[order[last + 1]].start <= end {
                last += 1
                end = max(end, spans[order[last]].end)
            }
            var sources: [SampleColumns] = []
            for index in order[first...last] {
                var source = SampleColumns()
                if index < inOrder.count {
                    try decodeInOrder(index, &source)
                } else {
                    try decode(chunks[index - inOrder.count], range, into: &source)
                }
                sources.append(source)
            }
            ChainedMerge.merge(sources, into: &columns)
            first = last + 1
        }
        columns.remove(deleted, from: mark)
    }

    private func decode(
        _ chunk: Chunk, _ range: TimeRange, into columns: inout SampleColumns
    ) throws(StorageError) {
        switch chunk.place {
        case .full(let source): try source.decode(range, into: &columns)
        case .encoded(let chunk):
            do throws(ChunkError) {
                try columns.append(chunk.bytes.raw, chunk.encoding, within: range)
            } catch {
                throw StorageError(.damaged, "head: \(error)")
            }
        case .open(let samples):
            for sample in samples
            where range.start <= sample.timestamp && sample.timestamp <= range.end {
                columns.timestamps.append(sample.timestamp)
                columns.values.append(sample.value)
            }
        }
    }
}

extension HeadChunkFiles.Source {
    fileprivate var holdsFloats: Bool { encoding?.holdsFloats ?? false }

    fileprivate var copy: [UInt8] {
        switch self {
        case .memory(let bytes, _): return bytes
        case .file(let file, let data, _):
            var writer = ByteWriter(capacity: data.count)
            writer.append(file.bytes.extracting(data))
            return writer.bytes
        }
    }
}

extension HeadStore {
    /// The late chunks of a series, as a selection saw them, in the closed range: those behind one
    /// place, up to another. The lock is held.
    func lateChunks(
        _ late: OutOfOrderSeries, of slot: UInt32, _ range: TimeRange,
        after hidden: HeadChunkFiles.Place, upTo last: HeadChunkFiles.Place? = nil
    ) throws(StorageError) -> LateChunks {
        var found = LateChunks(deleted: deletions[slot] ?? DeletedRanges())
        for chunk in late.chunks where hidden < chunk.place && chunk.range.touches(range) {
            if let last, last < chunk.place { continue }
            guard let source = files.source(chunk.place) else {
                throw StorageError(.damaged, "a head chunk file cannot be read any more")
            }
            found.add(source, chunk.range)
        }
        if last == nil, let open = late.openRange, open.touches(range) {
            found.addOpen(late, open)
        }
        return found
    }
}
