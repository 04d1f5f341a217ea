// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import CPlatform
internal import ChunkEncoding
internal import Model
internal import Platform
internal import Storage

/// A chunk of the head that can be read without its lock.
struct ChunkSource: Sendable {
    enum Place: Sendable {
        /// The entry at an offset of one of the captured files; not checked yet.
        case file(Int, offset: Int)
        /// A part of the captured bytes.
        case copy(Range<Int>, encoding: UInt8)
    }

    /// The times of the first and the last sample.
    var range: TimeRange
    var place: Place
}

/// What it takes to read some neighbouring series of a selection without the head's lock: their
/// open chunks in one buffer, and where their full ones lie. Checksums are compared when a chunk is
/// read, so that nobody waits for that under the lock.
struct CapturedSeries: Sendable {
    /// Positions in the selection.
    private(set) var indices: Range<Int>
    private var sources: [ChunkSource] = []
    /// Where the sources of each series begin; the newest is the first.
    private var starts: [Int] = [0]
    private var files: [MappedFile] = []
    private var lastFile: UInt32 = 0
    private var copies: [UInt8] = []
    /// What is deleted of the series, by position.
    private var deletions: [Int: DeletedRanges] = [:]

    /// No series yet, from a position on. `byteCount`: how much will be copied, about.
    init(from index: Int, count: Int, byteCount: Int) {
        indices = index..<index
        starts.reserveCapacity(count + 1)
        sources.reserveCapacity(2 * count)
        copies.reserveCapacity(byteCount)
    }

    /// How much memory the copied chunks take.
    var byteCount: Int { copies.count }

    // MARK: Filling

    /// Adds a full chunk; false where it is gone.
    mutating func addFull(_ chunk: FullChunk, _ chunks: HeadChunkFiles) -> Bool {
        let place = HeadChunkFiles.Place(file: chunk.file, offset: chunk.offset)
        if let file = chunks.wholeFile(place) {
            if lastFile != place.file || files.isEmpty || files[files.count - 1] !== file {
                files.append(file)
                lastFile = place.file
            }
            let source = ChunkSource.Place.file(files.count - 1, offset: Int(place.offset))
            sources.append(ChunkSource(range: chunk.range, place: source))
            return true
        }
        guard case .memory(let bytes, let encoding) = chunks.source(place) else { return false }
        addCopy(chunk.range, bytes, encoding: encoding)
        return true
    }

    mutating func addCopy(_ range: TimeRange, _ bytes: [UInt8], encoding: UInt8) {
        let start = copies.count
        copies += bytes
        sources.append(
            ChunkSource(range: range, place: .copy(start..<copies.count, encoding: encoding)))
    }

    /// Adds an open chunk of floats that `appendBytes` copies, unless it begins behind `end`.
    mutating func addOpen(
        from end: Timestamp, last: Timestamp, _ encoding: EncodedChunk.Encoding,
        _ appendBytes: (inout [UInt8]) -> Void
    ) {
        let start = copies.count
        appendBytes(&copies)
        var reader = ByteReader(copies.raw, at: start + (encoding == .xor2 ? 3 : 2))
        guard let first = try? reader.varint(), first <= end else {
            return copies.removeLast(copies.count - start)
        }
        sources.append(
            ChunkSource(
                range: TimeRange(start: first, end: last),
                place: .copy(start..<copies.count, encoding: encoding.rawValue)))
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
        let position = index - indices.lowerBound
        // Who reads a series mostly reads the one behind it next.
        if position + 2 < starts.count { fetch(starts[position + 2] - 1) }
        var next = starts[position + 1]
        while next > starts[position] {
            next -= 1
            fetch(next - 1)
            let chunk = sources[next]
            guard chunk.range.start <= range.end, chunk.range.end >= range.start else { continue }
            try decode(chunk, range, into: &columns)
        }
        if !deletions.isEmpty { columns.remove(deletions(index), from: first) }
    }

    /// Has the memory of a chunk fetched while another one is decoded: they lie anywhere in files.
    @inline(__always)
    private func fetch(_ number: Int) {
        guard number >= 0, case .file(let place, let offset) = sources[number].place else {
            return
        }
        let file = files[place]
        let bytes = file.bytes
        let length = 5 * 64
        guard offset + length <= bytes.byteCount else { return }
        // Bound: the lines lie in the file.
        unsafe bytes.withUnsafeBytes { bytes in
            for line in stride(from: offset, to: offset + length, by: 64) {
                unsafe narthex_prefetch(bytes.baseAddress! + line)
            }
        }
    }

    /// Appends the samples of the newest chunk that has any within the closed range.
    func decodeNewest(
        _ index: Int, _ range: TimeRange, into columns: inout SampleColumns
    ) throws(StorageError) {
        let first = columns.mark
        let position = index - indices.lowerBound
        for next in starts[position]..<starts[position + 1] where sources[next].range.touches(range)
        {
            try decode(sources[next], range, into: &columns)
            if !deletions.isEmpty { columns.remove(deletions(index), from: first) }
            if columns.mark != first { return }
        }
    }

    func decode(
        _ chunk: ChunkSource, _ range: TimeRange, into columns: inout SampleColumns
    ) throws(StorageError) {
        try withBytes(chunk) { (encoding, bytes) throws(StorageError) in
            guard let encoding = EncodedChunk.Encoding(rawValue: encoding) else { return }
            do throws(ChunkError) {
                try columns.append(bytes, encoding, within: range)
            } catch {
                throw StorageError(.damaged, "head: \(error)")
            }
        }
    }

    /// The chunk with a copy of its bytes; nil for an encoding that is not known.
    func encoded(_ chunk: ChunkSource) throws(StorageError) -> EncodedChunk? {
        try withBytes(chunk) { (encoding, bytes) throws(StorageError) in
            guard let encoding = EncodedChunk.Encoding(rawValue: encoding) else { return nil }
            return EncodedChunk(
                encoding: encoding, range: chunk.range,
                sampleCount: promisedSampleCount(bytes, encoding),
                bytes: unsafe bytes.withUnsafeBytes { unsafe [UInt8]($0) })
        }
    }

    /// Lends the bytes of a chunk, checked.
    @inline(__always)
    private func withBytes<Result>(
        _ chunk: ChunkSource,
        _ body: (_ encoding: UInt8, RawSpan) throws(StorageError) -> Result
    ) throws(StorageError) -> Result {
        switch chunk.place {
        case .copy(let place, let encoding):
            return try body(encoding, copies.raw.extracting(place))
        case .file(let number, let offset):
            let file = files[number]
            let bytes = file.bytes
            guard let data = HeadChunkEntry.soundData(bytes, at: offset) else {
                throw HeadChunkFiles.unreadable
            }
            return try body(data.encoding, bytes.extracting(data.place))
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
