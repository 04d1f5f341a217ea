// SPDX-License-Identifier: Apache-2.0
//
// Writes an index: in format version 2 its bytes equal upstream's for the same series.
//
// Series arrive once, in label order, but symbols stand before them in the file and are numbered in
// the order of their texts. So series go to a side file with provisional numbers, given in order of
// appearance; `finish` sorts the texts and writes the index from front to end. In memory are the
// symbols, and a bounded number of postings at a time (PostingsWriter.swift).

internal import Bytes
internal import Model
internal import Platform
internal import Storage

struct IndexWriter {
    private let path: String
    private let layout: IndexLayout
    /// Of the block, half-open.
    private let range: TimeRange
    private let fileSystem: any FileSystem
    private var symbols = TextNumbering()
    /// Which of the symbols are names of labels.
    private var names: Set<UInt32> = []
    private var side: FileOutput
    private var entry = ByteWriter(capacity: 4096)
    private var lastLabels: Labels = .empty
    private(set) var seriesCount = 0

    /// `path` must not exist; a side file is kept beside it until `finish`. `range` is that of
    /// the block, half-open.
    init(
        _ path: String, _ layout: IndexLayout, _ range: TimeRange, _ fileSystem: any FileSystem
    ) throws(StorageError) {
        self.path = path
        self.layout = layout
        self.range = range
        self.fileSystem = fileSystem
        side = try FileOutput(path + ".series", fileSystem)
    }

    /// Makes a text part of the symbol table even where no series uses it.
    mutating func add(symbol: RawSpan) { _ = symbols.number(symbol) }

    /// Adds the next series. Its labels must be behind those of the last one, its chunks in order.
    mutating func add(_ labels: Labels, _ chunks: [IndexedChunk]) throws(StorageError) {
        guard seriesCount == 0 || lastLabels < labels else {
            throw StorageError(
                .damaged, "out-of-order series added with label set \"\(labels.description)\"")
        }
        var previousEnd: Timestamp?
        for chunk in chunks {
            guard chunk.range.start <= chunk.range.end,
                previousEnd.map({ chunk.range.start > $0 }) ?? true
            else {
                throw StorageError(
                    .damaged, "chunks of \(labels.description) overlap or are out of order")
            }
            previousEnd = chunk.range.end
        }
        lastLabels = labels
        seriesCount += 1

        entry.removeAll()
        entry.uvarint(UInt64(labels.count))
        labels.forEachSpan { name, value in
            let name = symbols.number(name)
            if layout.isDense { names.insert(name) }
            entry.uvarint(UInt64(name))
            entry.uvarint(UInt64(symbols.number(value)))
        }
        encode(chunks)
        var length = ByteWriter(capacity: 4)
        length.uvarint(UInt64(entry.count))
        try side.write(length.bytes)
        try side.write(entry.bytes)
    }

    private mutating func encode(_ chunks: [IndexedChunk]) {
        entry.uvarint(UInt64(chunks.count))
        guard let first = chunks.first else { return }
        entry.varint(first.range.start &- (layout.isDense ? range.start : 0))
        encodeEnd(of: first, isLast: chunks.count == 1)
        entry.uvarint(first.ref)
        var previous = first
        for (place, chunk) in chunks.enumerated().dropFirst() {
            entry.uvarint(UInt64(bitPattern: chunk.range.start &- previous.range.end))
            encodeEnd(of: chunk, isLast: place == chunks.count - 1)
            entry.varint(Int64(bitPattern: chunk.ref &- previous.ref))
            previous = chunk
        }
    }

    private mutating func encodeEnd(of chunk: IndexedChunk, isLast: Bool) {
        if isLast, layout.isDense {
            entry.varint(range.end &- chunk.range.end)
        } else {
            entry.uvarint(UInt64(bitPattern: chunk.range.end &- chunk.range.start))
        }
    }

    // MARK: Finishing

    /// Writes the index and waits until it is on the device.
    mutating func finish() throws(StorageError) {
        try side.flush()
        var output = try FileOutput(path, fileSystem)
        var contents = IndexContents()
        var header = ByteWriter()
        header.uint32BE(IndexFormat.magic)
        header.uint8(layout.version)
        if layout.isDense {
            var times = ByteWriter()
            times.uint64BE(UInt64(bitPattern: range.start))
            times.uint64BE(UInt64(bitPattern: range.end))
            times.uint32BE(crc32c(times.bytes))
            header.append(times.bytes)
        }
        try output.write(header.bytes)

        contents.symbols = output.position
        let sorted = symbols.sortedOrder()
        let order =
            layout.isDense
            ? sorted.filter(names.contains) + sorted.filter { !names.contains($0) } : sorted
        try writeSymbols(order, &output)
        contents.series = output.position
        let nameUses = try writeSeries(order, &output)
        contents.labelIndices = output.position
        try output.flush()

        try output.pad(to: 4)
        contents.postings = output.position
        var postings = try PostingsWriter(path, layout, fileSystem, contents, seriesCount)
        let ranks = ranks(of: order, in: sorted)
        try postings.writeAll(nameUses, ranks, &output) { symbols.bytes(of: order[Int($0)]) }
        contents.labelIndexTable = output.position
        contents.postingsTable = output.position
        try postings.writeTable(&output)
        try output.write(contents.encoded())
        guard output.position <= layout.maximumLength else {
            throw StorageError(
                .limit, "\(path): the index exceeds \(layout.maximumLength >> 30) GiB")
        }
        try output.finish()
        do { try fileSystem.remove(path + ".series") } catch { throw StorageError(error) }
    }

    /// The place of each symbol's text in the order of texts.
    private func ranks(of order: [UInt32], in sorted: [UInt32]) -> [UInt32] {
        var ranks = [UInt32](repeating: 0, count: order.count)
        for (rank, number) in sorted.enumerated() { ranks[Int(number)] = UInt32(rank) }
        return order.map { ranks[Int($0)] }
    }

    private func writeSymbols(
        _ order: [UInt32], _ output: inout FileOutput
    ) throws(StorageError) {
        var payload = ByteWriter(capacity: symbols.byteCount + 5 * order.count)
        payload.uint32BE(UInt32(order.count))
        if layout.isDense { payload.uint32BE(UInt32(names.count)) }
        for number in order {
            let text = symbols.bytes(of: number)
            payload.uvarint(UInt64(text.count))
            payload.append(text)
        }
        guard payload.count <= Int(UInt32.max) else {
            throw StorageError(.limit, "\(path): the symbol table exceeds 4 GiB")
        }
        var length = ByteWriter()
        length.uint32BE(UInt32(payload.count))
        try output.write(length.bytes)
        payload.uint32BE(crc32c(payload.bytes))
        try output.write(payload.bytes)
    }

    /// Copies the series with their final symbols. Returns how many series use each symbol as a
    /// name.
    private func writeSeries(
        _ order: [UInt32], _ output: inout FileOutput
    ) throws(StorageError) -> [UInt32: Int] {
        var finals = [UInt32](repeating: 0, count: order.count)
        for (final, number) in order.enumerated() { finals[Int(number)] = UInt32(final) }
        var nameUses: [UInt32: Int] = [:]
        let file: MappedFile
        do { file = try fileSystem.map(path + ".series") } catch { throw StorageError(error) }
        let bytes = file.bytes
        var at = 0
        var series = ByteWriter(capacity: 4096)
        var length = ByteWriter(capacity: 4)
        while at < bytes.byteCount {
            do throws(ByteError) {
                at = try renumber(bytes, at, finals, &series, &nameUses)
            } catch {
                throw damaged(file, "side file", at: at)
            }
            length.removeAll()
            length.uvarint(UInt64(series.count))
            series.uint32BE(crc32c(series.bytes))
            try output.pad(to: layout.seriesUnit)
            try output.write(length.bytes)
            try output.write(series.bytes)
        }
        return nameUses
    }

    /// Reads a series of the side file and leaves its final form in `series`. Returns where the
    /// next one begins.
    private func renumber(
        _ bytes: RawSpan, _ at: Int, _ finals: [UInt32], _ series: inout ByteWriter,
        _ nameUses: inout [UInt32: Int]
    ) throws(ByteError) -> Int {
        var reader = ByteReader(bytes, at: at)
        let end = Int(try reader.uvarint()) + reader.offset
        series.removeAll()
        let count = try reader.uvarint()
        series.uvarint(count)
        for _ in 0..<count {
            let name = finals[Int(try reader.uvarint())]
            let value = finals[Int(try reader.uvarint())]
            nameUses[name, default: 0] += 1
            series.uvarint(UInt64(name))
            series.uvarint(UInt64(value))
        }
        series.append(try reader.take(end - reader.offset))
        return end
    }
}
