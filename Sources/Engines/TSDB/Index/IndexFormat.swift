// SPDX-License-Identifier: Apache-2.0
//
// The index file of a block.
//
//     magic, version | symbols | series | postings | postings offset table | table of contents
//
//     symbols    len32 { count32, count × (uvarint length, text) } crc32     sorted, unique
//     series     each at a multiple of 16: uvarint len { labels, chunks } crc32
//                labels: uvarint n, n × (name symbol, value symbol)
//                chunks: uvarint n, first (varint start, uvarint length, uvarint ref), then
//                        n-1 × (uvarint gap, uvarint length, varint ref step)
//     postings   each at a multiple of 4: len32 { count32, count × ref32 } crc32
//     table      len32 { count32, count × (2, name, value, uvarint offset) } crc32   sorted
//     contents   six offsets of 64 bits, crc32
//
// A series is named by its offset / 16, so that the order of refs is the order of labels. In
// version 1, symbols and series are named by their plain offsets and the table may be unsorted.
// Integers are big-endian; each crc is CRC-32C over what stands in braces.
//
// The index of a dense block says the same in less room:
//
//     magic, version | start64, end64, crc32: the range of the block | as above
//     symbols    len32 { count32, names32, … } crc32: the names of labels, whose numbers so are
//                short, before all other texts; both sorted
//     series     each at a multiple of 4, which its ref counts. The start of the first chunk is
//                less the range's start; in place of the length of the last one stands how far
//                before the range's end it ends, as varint.
//     postings   len32 { uvarint count, width, firsts, offsets } crc32, see PostingList.swift
//
// Source: https://github.com/prometheus/prometheus/blob/main/tsdb/docs/format/index.md

internal import Bytes
internal import Model
internal import Storage

enum IndexFormat {
    static let magic: UInt32 = 0xBAAA_D700
    static let contentsLength = 6 * 8 + 4
}

/// How an index is laid out, as its version says.
struct IndexLayout: Sendable, Hashable {
    let version: UInt8

    /// What Prometheus writes.
    static let written = IndexLayout(2)
    /// Of dense blocks.
    static let dense = IndexLayout(0xD2)

    private init(_ version: UInt8) { self.version = version }

    /// Nil for a version that cannot be read.
    init?(reading version: UInt8) {
        guard 1...3 ~= version || version == Self.dense.version else { return nil }
        self.version = version
    }

    var isDense: Bool { self == .dense }

    /// Version 1 knows neither an order of symbols nor of the table.
    var isOrdered: Bool { version > 1 }

    var headerLength: Int { isDense ? 25 : 5 }

    /// What the refs of series count: they stand at multiples of so many bytes.
    @inline(__always)
    var seriesUnit: Int { isDense ? 4 : version == 1 ? 1 : 16 }

    /// Refs of series must fit into 32 bits.
    var maximumLength: Int { seriesUnit * Int(UInt32.max) }
}

/// Where the sections of an index begin.
struct IndexContents: Sendable, Hashable {
    var symbols = 0
    var series = 0
    /// Sections that are no longer written; what is named here is the end of the series.
    var labelIndices = 0
    var labelIndexTable = 0
    var postings = 0
    var postingsTable = 0

    func encoded() -> [UInt8] {
        var writer = ByteWriter(capacity: IndexFormat.contentsLength)
        for offset in [symbols, series, labelIndices, labelIndexTable, postings, postingsTable] {
            writer.uint64BE(UInt64(offset))
        }
        writer.uint32BE(crc32c(writer.bytes))
        return writer.bytes
    }

    init() {}

    /// Reads the last bytes of an index; nil where they are damaged or point outside the file.
    init?(_ file: RawSpan, _ layout: IndexLayout) {
        let start = file.byteCount - IndexFormat.contentsLength
        guard start >= layout.headerLength else { return nil }
        var reader = ByteReader(file, at: start)
        var offsets: [Int] = []
        do {
            for _ in 0..<6 {
                let offset = try reader.uint64BE()
                guard offset <= UInt64(start) else { return nil }
                offsets.append(Int(offset))
            }
            let payload = file.extracting(start..<(file.byteCount - 4))
            guard try reader.uint32BE() == crc32c(payload) else { return nil }
        } catch {
            return nil
        }
        symbols = offsets[0]
        series = offsets[1]
        labelIndices = offsets[2]
        labelIndexTable = offsets[3]
        postings = offsets[4]
        postingsTable = offsets[5]
    }
}

/// A chunk as the index knows it: where it is and which times it covers (closed).
struct IndexedChunk: Sendable, Hashable {
    /// The chunk segment's number, from zero, in the upper half; the offset in the lower.
    var ref: UInt64
    var range: TimeRange

    /// Where in its segment the chunk begins.
    var offset: Int { Int(truncatingIfNeeded: ref & 0xFFFF_FFFF) }

    func overlaps(_ other: TimeRange) -> Bool {
        range.start <= other.end && other.start <= range.end
    }
}
