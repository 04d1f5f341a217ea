// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import ChunkEncoding
internal import Model
internal import Platform
internal import Storage

/// A chunk of the head that can be read without its lock.
struct ChunkSource: Sendable {
    enum Place: Sendable {
        case full(HeadChunkFiles.Source)
        /// Bytes of a copy of open chunks.
        case open(Range<Int>, EncodedChunk.Encoding)
    }

    /// The times of the first and the last sample.
    var range: TimeRange
    var place: Place

    /// How the bytes are encoded; nil for an encoding that is not known.
    var encoding: EncodedChunk.Encoding? {
        switch place {
        case .full(let source): source.encoding
        case .open(_, let encoding): encoding
        }
    }
}

/// What it takes to read some neighbouring series of a selection without the head's lock: their
/// open chunks in one buffer, and where their full ones lie.
struct CapturedSeries: Sendable {
    /// Positions in the selection.
    private(set) var indices: Range<Int>
    private var sources: [ChunkSource] = []
    /// Where the sources of each series begin; the newest is the first.
    private var starts: [Int] = [0]
    private var openBytes: [UInt8] = []
    /// What is deleted of the series, by position.
    private var deletions: [Int: DeletedRanges] = [:]

    /// No series yet, from a position on.
    init(from index: Int) { indices = index..<index }

    /// How much memory the copied chunks take.
    private(set) var byteCount = 0

    // MARK: Filling

    mutating func addFull(_ source: HeadChunkFiles.Source, _ range: TimeRange) {
        if case .memory(let bytes, _) = source { byteCount += bytes.count }
        sources.append(ChunkSource(range: range, place: .full(source)))
    }

    mutating func addOpen(
        _ range: TimeRange, _ appendBytes: (inout [UInt8]) -> EncodedChunk.Encoding
    ) {
        let start = openBytes.count
        let encoding = appendBytes(&openBytes)
        byteCount += openBytes.count - start
        sources.append(ChunkSource(range: range, place: .open(start..<openBytes.count, encoding)))
    }

    /// Notes what is deleted of the series that is being added.
    mutating func addDeletions(_ deleted: DeletedRanges) {
        deletions[indices.upperBound] = deleted
    }

    mutating func finishSeries() {
        starts.append(sources.count)
        indices = indices.lowerBound..<(indices.upperBound + 1)
    }

    // MARK: Reading

    /// What is deleted of a series.
    func deletions(_ index: Int) -> DeletedRanges {
        deletions.isEmpty ? DeletedRanges() : deletions[index] ?? DeletedRanges()
    }

    /// The chunks of a series, the oldest first.
    func chunks(_ index: Int) -> ReversedCollection<ArraySlice<ChunkSource>> {
        let position = index - indices.lowerBound
        return sources[starts[position]..<starts[position + 1]].reversed()
    }

    /// Appends the samples of a series within the closed range.
    func decode(
        _ index: Int, _ range: TimeRange, into columns: inout SampleColumns
    ) throws(StorageError) {
        let first = columns.mark
        for chunk in chunks(index)
        where chunk.range.start <= range.end && chunk.range.end >= range.start {
            try decode(chunk, range, into: &columns)
        }
        if !deletions.isEmpty { columns.remove(deletions(index), from: first) }
    }

    func decode(
        _ chunk: ChunkSource, _ range: TimeRange, into columns: inout SampleColumns
    ) throws(StorageError) {
        switch chunk.place {
        case .full(let source): try source.decode(range, into: &columns)
        case .open(let bytes, let encoding):
            do throws(ChunkError) {
                try columns.append(openBytes.raw.extracting(bytes), encoding, within: range)
            } catch {
                throw StorageError(.damaged, "head: \(error)")
            }
        }
    }

    func bytes(_ chunk: ChunkSource) -> [UInt8] {
        switch chunk.place {
        case .full(.memory(let bytes, _)): bytes
        case .full(.file(let file, let data, _)):
            unsafe file.bytes.extracting(data).withUnsafeBytes { unsafe [UInt8]($0) }
        case .open(let bytes, _): Array(openBytes[bytes])
        }
    }
}

extension HeadChunkFiles.Source {
    /// How the bytes are encoded; nil for an encoding that is not known.
    var encoding: EncodedChunk.Encoding? {
        switch self {
        case .file(_, _, let encoding), .memory(_, let encoding):
            EncodedChunk.Encoding(rawValue: encoding)
        }
    }

    func decode(
        _ range: TimeRange, into columns: inout SampleColumns
    ) throws(StorageError) {
        guard let encoding else { return }
        do throws(ChunkError) {
            switch self {
            case .file(let file, let data, _):
                try columns.append(file.bytes.extracting(data), encoding, within: range)
            case .memory(let bytes, _):
                try columns.append(bytes.raw, encoding, within: range)
            }
        } catch {
            throw StorageError(.damaged, "head: \(error)")
        }
    }
}
