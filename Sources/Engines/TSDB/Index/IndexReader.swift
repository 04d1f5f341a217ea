// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import Model
internal import Platform
internal import Storage

/// The index of one block, read from a mapped file. Immutable, so any thread may use it. Opening
/// checks every table; series and postings are checked as they are read.
final class IndexReader: Sendable {
    let file: MappedFile
    let version: UInt8
    let contents: IndexContents
    let symbols: SymbolTable
    /// The labels in the order of their names.
    let labelNames: [IndexedLabel]
    let allPostings: PostingList

    /// Takes over a mapped index file.
    init(_ file: MappedFile) throws(StorageError) {
        let bytes = file.bytes
        guard bytes.byteCount > IndexFormat.headerLength else {
            throw StorageError(.damaged, "\(file.path): the index is too short")
        }
        var reader = ByteReader(bytes)
        guard let magic = try? reader.uint32BE(), magic == IndexFormat.magic else {
            throw StorageError(.damaged, "\(file.path): not an index: wrong magic number")
        }
        version = bytes[4]
        guard IndexFormat.readableVersions.contains(version) else {
            throw StorageError(.unsupported, "\(file.path): unknown index version \(version)")
        }
        guard let contents = IndexContents(bytes) else {
            throw StorageError(.damaged, "\(file.path): damaged table of contents")
        }
        self.file = file
        self.contents = contents
        symbols = try SymbolTable(file, at: contents.symbols, version: version)
        let table = try PostingsTable.read(file, at: contents.postingsTable, version: version)
        labelNames = table.labels
        allPostings =
            if let offset = table.allPostings {
                try PostingList(file, at: offset)
            } else {
                PostingList.empty
            }
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
        let offset = version == 1 ? Int(series) : Int(series) * IndexFormat.seriesAlignment
        guard offset >= IndexFormat.headerLength, offset < bytes.byteCount else {
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
            let start = try reader.varint()
            var end = start &+ Int64(bitPattern: try reader.uvarint())
            var ref = try reader.uvarint()
            var chunk = IndexedChunk(ref: ref, range: TimeRange(start: start, end: end))
            while body(chunk), left > 1 {
                let start = end &+ Int64(bitPattern: try reader.uvarint())
                end = start &+ Int64(bitPattern: try reader.uvarint())
                ref = ref &+ UInt64(bitPattern: try reader.varint())
                chunk = IndexedChunk(ref: ref, range: TimeRange(start: start, end: end))
                left -= 1
            }
        } catch {
            throw damaged(file, "chunks of a series", at: payload.lowerBound)
        }
    }
}
