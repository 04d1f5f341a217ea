// SPDX-License-Identifier: Apache-2.0
//
// Writes the postings of an index and the table of their offsets, from the series section that is
// already in the file. Label names are taken in groups, in order, so that no more than `budget`
// postings are in memory; each group takes one pass over the series. The table goes to a side file
// until the postings are complete.

internal import Bytes
internal import Model
internal import Platform
internal import Storage

struct PostingsWriter {
    /// How many postings are gathered in one pass, at eight bytes each.
    private static let budget = 1 << 23

    private let path: String
    private let layout: IndexLayout
    private let fileSystem: any FileSystem
    private let file: MappedFile
    private let contents: IndexContents
    private let seriesCount: Int
    private var table: FileOutput
    private var tableCount: UInt32 = 0

    /// `path` is an index whose sections up to the series are written.
    init(
        _ path: String, _ layout: IndexLayout, _ fileSystem: any FileSystem,
        _ contents: IndexContents, _ seriesCount: Int
    ) throws(StorageError) {
        self.path = path
        self.layout = layout
        self.fileSystem = fileSystem
        self.contents = contents
        self.seriesCount = seriesCount
        do { file = try fileSystem.map(path) } catch { throw StorageError(error) }
        table = try FileOutput(path + ".table", fileSystem)
    }

    /// Writes the list of all series, then those of every label, in the order of names and values.
    /// `nameUses` says which symbols are names, and how many series have them; `ranks` the place of
    /// each symbol in the order of texts.
    mutating func writeAll(
        _ nameUses: [UInt32: Int], _ ranks: [UInt32], _ output: inout FileOutput,
        text: (UInt32) -> [UInt8]
    ) throws(StorageError) {
        var all: [UInt32] = []
        all.reserveCapacity(seriesCount)
        try forEachSeries { series, _ in all.append(series) }
        try writeList([], [], all[...], &output)

        let names = nameUses.keys.sorted()
        var next = 0
        while next < names.count {
            let first = next
            var total = 0
            repeat {
                total += nameUses[names[next]]!
                next += 1
            } while next < names.count
                && total + nameUses[names[next]]! <= max(PostingsWriter.budget, seriesCount)
            try writeGroup(names[first]...names[next - 1], total, ranks, &output, text)
        }
    }

    /// Calls `body` with the ref of each series and a reader before its labels.
    private func forEachSeries(
        _ body: (_ series: UInt32, _ labels: inout ByteReader) throws(ByteError) -> Void
    ) throws(StorageError) {
        let file = file
        let section = file.bytes.extracting(0..<contents.labelIndices)
        let unit = layout.seriesUnit
        var at = contents.series
        do throws(ByteError) {
            while true {
                at = (at + unit - 1) & ~(unit - 1)
                guard at < section.byteCount else { return }
                var reader = ByteReader(section, at: at)
                let end = Int(try reader.uvarint()) + reader.offset + 4
                try body(UInt32(at / unit), &reader)
                at = end
            }
        } catch {
            throw damaged(file, "series", at: at)
        }
    }

    /// The lists of the names whose symbols are in a range (those in it that are no names have no
    /// uses): pairs are numbered as they appear, then their series are sorted by counting.
    private mutating func writeGroup(
        _ names: ClosedRange<UInt32>, _ total: Int, _ ranks: [UInt32],
        _ output: inout FileOutput, _ text: (UInt32) -> [UInt8]
    ) throws(StorageError) {
        var pairs = KeyNumbering()
        var pairOfUse: [UInt32] = []
        var seriesOfUse: [UInt32] = []
        pairOfUse.reserveCapacity(total)
        seriesOfUse.reserveCapacity(total)
        try forEachSeries { (series, labels) throws(ByteError) in
            for _ in 0..<(try labels.uvarint()) {
                let name = UInt32(truncatingIfNeeded: try labels.uvarint())
                let value = try labels.uvarint()
                guard names.contains(name) else { continue }
                pairOfUse.append(pairs.number(UInt64(name) << 32 | value))
                seriesOfUse.append(series)
            }
        }
        let keys = pairs.keys
        let places = keys.map { $0 & ~0xFFFF_FFFF | UInt64(ranks[Int($0 & 0xFFFF_FFFF)]) }
        let order = keys.indices.sorted { places[$0] < places[$1] }
        var starts = [Int](repeating: 0, count: keys.count + 1)
        for pair in pairOfUse { starts[Int(pair) + 1] += 1 }
        for index in 0..<keys.count { starts[index + 1] += starts[index] }
        var next = starts
        var sorted = [UInt32](repeating: 0, count: seriesOfUse.count)
        for (pair, series) in zip(pairOfUse, seriesOfUse) {
            sorted[next[Int(pair)]] = series
            next[Int(pair)] += 1
        }
        for pair in order {
            let name = text(UInt32(truncatingIfNeeded: keys[pair] >> 32))
            let value = text(UInt32(truncatingIfNeeded: keys[pair]))
            try writeList(name, value, sorted[starts[pair]..<starts[pair + 1]], &output)
        }
    }

    private mutating func writeList(
        _ name: [UInt8], _ value: [UInt8], _ series: ArraySlice<UInt32>,
        _ output: inout FileOutput
    ) throws(StorageError) {
        if !layout.isDense { try output.pad(to: 4) }
        var entry = ByteWriter(capacity: 64)
        entry.uvarint(2)
        entry.uvarint(UInt64(name.count))
        entry.append(name)
        entry.uvarint(UInt64(value.count))
        entry.append(value)
        entry.uvarint(UInt64(output.position))
        try table.write(entry.bytes)
        tableCount += 1

        var list = ByteWriter(capacity: 12 + 4 * series.count)
        if layout.isDense {
            PostingList.pack(series, to: &list)
        } else {
            list.uint32BE(UInt32(series.count))
            for ref in series { list.uint32BE(ref) }
        }
        let checksum = crc32c(list.bytes)
        var length = ByteWriter(capacity: 4)
        length.uint32BE(UInt32(list.count))
        list.uint32BE(checksum)
        try output.write(length.bytes)
        try output.write(list.bytes)
    }

    /// Writes the table of what was written so far and removes the side file.
    mutating func writeTable(_ output: inout FileOutput) throws(StorageError) {
        let length = table.position + 4
        guard length <= Int(UInt32.max) else {
            throw StorageError(.limit, "\(path): the postings offset table exceeds 4 GiB")
        }
        try table.flush()
        let entries: MappedFile
        do { entries = try fileSystem.map(path + ".table") } catch { throw StorageError(error) }
        var head = ByteWriter()
        head.uint32BE(UInt32(length))
        try output.write(head.bytes)
        head.removeAll()
        head.uint32BE(tableCount)
        try output.write(head.bytes)
        try output.write(entries.bytes)
        let checksum = crc32c(entries.bytes, continuing: crc32c(head.bytes))
        head.removeAll()
        head.uint32BE(checksum)
        try output.write(head.bytes)
        do { try fileSystem.remove(path + ".table") } catch { throw StorageError(error) }
    }
}
