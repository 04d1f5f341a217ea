// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import Model
internal import Platform
internal import Storage

/// The index of one block, read from a mapped file. Immutable, so any thread may use it. Opening
/// checks every table; series and postings are checked as they are read.
final class IndexReader: Sendable {
    let file: MappedFile
    let layout: IndexLayout
    let contents: IndexContents
    /// What the times of a dense block's index are counted from; zero in others.
    private let firstTime: Timestamp
    private let endTime: Timestamp
    let symbols: SymbolTable
    /// The labels in the order of their names.
    let labelNames: [IndexedLabel]
    let allPostings: PostingList

    /// Takes over a mapped index file.
    init(_ file: MappedFile) throws(StorageError) {
        let bytes = file.bytes
        guard bytes.byteCount > 25 else {
            throw StorageError(.damaged, "\(file.path): the index is too short")
        }
        var reader = ByteReader(bytes)
        guard let magic = try? reader.uint32BE(), magic == IndexFormat.magic else {
            throw StorageError(.damaged, "\(file.path): not an index: wrong magic number")
        }
        guard let layout = IndexLayout(reading: bytes[4]) else {
            throw StorageError(.unsupported, "\(file.path): unknown index version \(bytes[4])")
        }
        guard let contents = IndexContents(bytes, layout) else {
            throw StorageError(.damaged, "\(file.path): damaged table of contents")
        }
        self.file = file
        self.contents = contents
        self.layout = layout
        (firstTime, endTime) = layout.isDense ? try times(file) : (0, 0)
        symbols = try SymbolTable(file, at: contents.symbols, layout)
        let table = try PostingsTable.read(file, at: contents.postingsTable, layout)
        labelNames = table.labels
        allPostings =
            if let offset = table.allPostings {
                try PostingList(file, at: offset, layout)
            } else {
                PostingList.empty
            }
    }

    /// The postings at an offset of the table.
    func postings(at offset: Int) throws(StorageError) -> PostingList {
        try PostingList(file, at: offset, layout)
    }

    /// The number of series.
    var seriesCount: Int { allPostings.count }

    /// The label with this name; nil where no series has it.
    func label(_ name: String) -> IndexedLabel? {
        let file = file
        let wanted = Array(name.utf8)
        var low = 0
        var high = labelNames.count
        while low < high {
            let middle = (low + high) / 2
            let found = file.bytes.extracting(labelNames[middle].name)
            let order = compareBytes(found, wanted.raw)
            if order == 0 { return labelNames[middle] }
            if order < 0 { low = middle + 1 } else { high = middle }
        }
        return nil
    }

    // MARK: Series

    /// The checked payload of a series.
    @inline(__always)
    func payload(_ series: UInt32) throws(StorageError) -> Range<Int> {
        let file = file
        let bytes = file.bytes
        let offset = Int(series) * layout.seriesUnit
        guard offset >= layout.headerLength, offset < bytes.byteCount else {
            throw damaged(file, "series", at: offset)
        }
        var reader = ByteReader(bytes, at: offset)
        do throws(ByteError) {
            let length = try reader.uvarint()
            guard length <= UInt64(reader.remaining) else { throw .truncated(offset: offset) }
            let start = reader.offset
            let payload = try reader.take(Int(length))
            guard try reader.uint32BE() == crc32c(payload) else {
                throw .truncated(offset: offset)
            }
            return start..<(start + Int(length))
        } catch {
            throw damaged(file, "series", at: offset)
        }
    }

    /// Calls `body` with the symbols of each label of a series until it returns false.
    func forEachSymbolPair(
        of series: UInt32, _ body: (_ name: UInt32, _ value: UInt32) -> Bool
    ) throws(StorageError) {
        let payload = try payload(series)
        let file = file
        var reader = ByteReader(file.bytes.extracting(payload))
        do throws(ByteError) {
            var left = try reader.uvarint()
            while left > 0 {
                let name = UInt32(truncatingIfNeeded: try reader.uvarint())
                let value = UInt32(truncatingIfNeeded: try reader.uvarint())
                guard body(name, value) else { return }
                left -= 1
            }
        } catch {
            throw damaged(file, "labels of a series", at: payload.lowerBound)
        }
    }

    /// Appends the chunks of a series that overlap the closed `range`. Stops at the first one
    /// behind it.
    func appendChunks(
        of series: UInt32, overlapping range: TimeRange, to chunks: inout [IndexedChunk]
    ) throws(StorageError) {
        try forEachChunk(of: series) { chunk in
            if chunk.range.start > range.end { return false }
            if chunk.overlaps(range) { chunks.append(chunk) }
            return true
        }
    }

    /// Whether a chunk of the series overlaps the closed `range`.
    func hasChunks(of series: UInt32, overlapping range: TimeRange) throws(StorageError) -> Bool {
        var found = false
        try forEachChunk(of: series) { chunk in
            if chunk.range.start > range.end { return false }
            found = chunk.overlaps(range)
            return !found
        }
        return found
    }

    /// Calls `body` with the chunks of a series in order until it returns false.
    @inline(__always)
    func forEachChunk(
        of series: UInt32, _ body: (IndexedChunk) -> Bool
    ) throws(StorageError) {
        let payload = try payload(series)
        let file = file
        var reader = ByteReader(file.bytes.extracting(payload))
        do throws(ByteError) {
            var symbolsLeft = try reader.uvarint() &* 2
            while symbolsLeft > 0 {
                _ = try reader.uvarint()
                symbolsLeft -= 1
            }
            var left = try reader.uvarint()
            guard left > 0 else { return }
            let start = firstTime &+ (try reader.varint())
            var end = try end(of: start, isLast: left == 1, &reader)
            var ref = try reader.uvarint()
            var chunk = IndexedChunk(ref: ref, range: TimeRange(start: start, end: end))
            while body(chunk), left > 1 {
                let start = end &+ Int64(bitPattern: try reader.uvarint())
                end = try self.end(of: start, isLast: left == 2, &reader)
                ref = ref &+ UInt64(bitPattern: try reader.varint())
                chunk = IndexedChunk(ref: ref, range: TimeRange(start: start, end: end))
                left -= 1
            }
        } catch {
            throw damaged(file, "chunks of a series", at: payload.lowerBound)
        }
    }

    /// The last time of a chunk that begins at `start`.
    @inline(__always)
    private func end(
        of start: Timestamp, isLast: Bool, _ reader: inout ByteReader
    ) throws(ByteError) -> Timestamp {
        if isLast, layout.isDense { return endTime &- (try reader.varint()) }
        return start &+ Int64(bitPattern: try reader.uvarint())
    }
}

/// The range that the header of a dense block's index names.
private func times(_ file: MappedFile) throws(StorageError) -> (Timestamp, Timestamp) {
    let bytes = file.bytes
    var reader = ByteReader(bytes, at: 5)
    guard let start = try? reader.uint64BE(), let end = try? reader.uint64BE(),
        (try? reader.uint32BE()) == crc32c(bytes.extracting(5..<21))
    else { throw damaged(file, "header of an index", at: 5) }
    return (Int64(bitPattern: start), Int64(bitPattern: end))
}
