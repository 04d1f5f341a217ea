// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import Platform
internal import Storage

/// A label of an index: its name and where its values stand in the postings offset table. The
/// values are in order; the position of every 32nd entry is kept (of every one in version 1, whose
/// table is not sorted).
struct IndexedLabel: Sendable {
    /// The name's bytes in the file.
    let name: Range<Int>
    /// How many values there are.
    let valueCount: Int
    fileprivate let stride: Int
    /// Offsets in the file.
    fileprivate let positions: [Int]
    /// What stands before the value in each entry: the count of keys and the name with its length.
    fileprivate let prefixLength: Int
}

/// An entry of the postings offset table.
private struct TableEntry {
    var name: Range<Int>
    var value: Range<Int>
    var postings: Int
    /// The offset of the entry, and of the next one.
    var start: Int
    var end: Int
}

enum PostingsTable {
    fileprivate static let stride = 32

    private static func entry(_ bytes: RawSpan, _ reader: inout ByteReader) throws(ByteError)
        -> TableEntry
    {
        let start = reader.offset
        guard try reader.uvarint() == 2 else { throw .truncated(offset: start) }
        let nameLength = try reader.lengthPrefixed().byteCount
        let nameEnd = reader.offset
        let valueLength = try reader.lengthPrefixed().byteCount
        let valueEnd = reader.offset
        let offset = try reader.uvarint()
        guard offset <= UInt64(bytes.byteCount) else { throw .truncated(offset: start) }
        return TableEntry(
            name: (nameEnd - nameLength)..<nameEnd, value: (valueEnd - valueLength)..<valueEnd,
            postings: Int(offset), start: start, end: reader.offset)
    }

    /// Reads the whole table once: the labels in order of their names, and where the list of all
    /// series is.
    static func read(
        _ file: MappedFile, at offset: Int, _ layout: IndexLayout
    ) throws(StorageError) -> (labels: [IndexedLabel], allPostings: Int?) {
        let payload = try checkedSection(file, at: offset, "postings offset table")
        let bytes = file.bytes
        do throws(ByteError) {
            var builder = TableBuilder(isSorted: layout.isOrdered)
            var all: Int?
            var reader = ByteReader(bytes, at: payload.lowerBound)
            var left = try reader.uint32BE()
            while left > 0 {
                let entry = try entry(bytes, &reader)
                guard entry.end <= payload.upperBound else { throw .truncated(offset: offset) }
                if entry.name.isEmpty, entry.value.isEmpty {
                    all = entry.postings
                } else {
                    try builder.add(entry, bytes)
                }
                left -= 1
            }
            return (builder.finish(bytes), all)
        } catch {
            throw damaged(file, "postings offset table", at: offset)
        }
    }
}

/// Gathers the entries of a table by label.
private struct TableBuilder {
    let isSorted: Bool
    var labels: [IndexedLabel] = []
    var open: TableEntry?
    var last: TableEntry?
    var positions: [Int] = []
    var valueCount = 0
    /// Version 1: all entries.
    var entries: [TableEntry] = []

    mutating func add(_ entry: TableEntry, _ bytes: RawSpan) throws(ByteError) {
        guard isSorted else { return entries.append(entry) }
        if let last {
            let order = compareBytes(bytes.extracting(last.name), bytes.extracting(entry.name))
            guard order <= 0 else { throw .truncated(offset: entry.start) }
            if order < 0 { close() }
        }
        if open == nil { open = entry }
        if valueCount % PostingsTable.stride == 0 { positions.append(entry.start) }
        valueCount += 1
        last = entry
    }

    private mutating func close() {
        guard let open else { return }
        labels.append(
            IndexedLabel(
                name: open.name, valueCount: valueCount, stride: PostingsTable.stride,
                positions: positions, prefixLength: open.name.upperBound - open.start))
        self.open = nil
        positions = []
        valueCount = 0
    }

    mutating func finish(_ bytes: RawSpan) -> [IndexedLabel] {
        guard !isSorted else {
            close()
            return labels
        }
        // A span cannot go into a closure that sorts, so the keys are copied; these indexes are old
        // and small.
        let keyed = entries.map { entry in
            var name = ByteWriter()
            name.append(bytes.extracting(entry.name))
            var value = ByteWriter()
            value.append(bytes.extracting(entry.value))
            return (name: name.bytes, value: value.bytes, entry: entry)
        }
        let sorted = keyed.sorted {
            $0.name == $1.name
                ? $0.value.lexicographicallyPrecedes($1.value)
                : $0.name.lexicographicallyPrecedes($1.name)
        }
        var start = 0
        while start < sorted.count {
            var end = start
            while end < sorted.count, sorted[end].name == sorted[start].name { end += 1 }
            let first = sorted[start].entry
            labels.append(
                IndexedLabel(
                    name: first.name, valueCount: end - start, stride: 1,
                    positions: sorted[start..<end].map(\.entry.start),
                    prefixLength: first.name.upperBound - first.start))
            start = end
        }
        return labels
    }
}

extension IndexReader {
    /// The value at a position of the table, where its postings are, and the next position.
    @inline(__always)
    private func tableEntry(
        _ label: IndexedLabel, at position: Int
    ) throws(StorageError) -> (value: Range<Int>, postings: Int, next: Int) {
        let file = file
        var reader = ByteReader(file.bytes, at: position)
        do throws(ByteError) {
            try reader.skip(label.prefixLength)
            let length = try reader.lengthPrefixed().byteCount
            let end = reader.offset
            let postings = try reader.uvarint()
            guard postings <= UInt64(file.count) else { throw .truncated(offset: position) }
            return ((end - length)..<end, Int(postings), reader.offset)
        } catch {
            throw damaged(file, "postings offset table", at: position)
        }
    }

    /// Calls `body` with each value of a label in order, and where its postings are, until it
    /// returns false.
    func forEachValue(
        of label: IndexedLabel,
        _ body: (_ value: RawSpan, _ postings: Int) throws(StorageError) -> Bool
    ) throws(StorageError) {
        let file = file
        let bytes = file.bytes
        var position = 0
        for index in 0..<label.valueCount {
            if index % label.stride == 0 { position = label.positions[index / label.stride] }
            let entry = try tableEntry(label, at: position)
            guard try body(bytes.extracting(entry.value), entry.postings) else { return }
            position = entry.next
        }
    }

    /// Where the postings of a value are; nil where no series has it.
    func postingsOffset(
        of value: String, in label: IndexedLabel
    ) throws(StorageError) -> Int? {
        let file = file
        let bytes = file.bytes
        let wanted = Array(value.utf8)
        // The last kept position whose value is not behind the wanted one.
        var low = 0
        var high = label.positions.count
        while low < high {
            let middle = (low + high) / 2
            let entry = try tableEntry(label, at: label.positions[middle])
            if compareBytes(bytes.extracting(entry.value), wanted.raw) <= 0 {
                low = middle + 1
            } else {
                high = middle
            }
        }
        guard low > 0 else { return nil }
        var position = label.positions[low - 1]
        let steps = min(label.stride, label.valueCount - (low - 1) * label.stride)
        for _ in 0..<steps {
            let entry = try tableEntry(label, at: position)
            let order = compareBytes(bytes.extracting(entry.value), wanted.raw)
            if order == 0 { return entry.postings }
            if order > 0 { return nil }
            position = entry.next
        }
        return nil
    }
}
