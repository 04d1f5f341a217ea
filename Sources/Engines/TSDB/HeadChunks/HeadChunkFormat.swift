// SPDX-License-Identifier: Apache-2.0
//
// Head chunk files, in upstream's format (tsdb/docs/format/head_chunks.md): full chunks of the head
// without an index, so that memory holds open chunks only. Files are numbered from 1, at most 128
// MiB.
//
//     magic 0x0130BC91, version 1, three zero bytes
//     per chunk: series ref 8, first time 8, last time 8, encoding 1 (top bit: out of order),
//                length uvarint, data, CRC-32C of all that
//
// A file may be longer than its contents: zeros where a chunk would begin mean the end.

internal import Bytes
internal import Model

enum HeadChunkFormat {
    static let magic: UInt32 = 0x0130_BC91
    static let headerSize = 8
    static let maximumFileSize = 128 << 20
    static let outOfOrderFlag: UInt8 = 0x80
    /// Ref, two times and encoding.
    static let fixedSize = 25

    static var header: [UInt8] {
        var writer = ByteWriter(capacity: headerSize)
        writer.uint32BE(magic)
        writer.uint8(1)
        writer.append([0, 0, 0])
        return writer.bytes
    }

    static func name(ofFile number: UInt32) -> String {
        let digits = String(number)
        return String(repeating: "0", count: max(0, 6 - digits.utf8.count)) + digits
    }
}

/// A chunk as it stands in a file.
struct HeadChunkEntry {
    var ref: UInt64
    var range: TimeRange
    /// Without the flag.
    var encoding: UInt8
    var isOutOfOrder: Bool
    var data: Range<Int>
    /// Behind the checksum.
    var end: Int

    /// The entry at an offset, without its checksum compared; nil where it does not fit.
    init?(_ bytes: RawSpan, at offset: Int) {
        var reader = ByteReader(bytes, at: offset)
        do {
            ref = try reader.uint64BE()
            let start = Int64(bitPattern: try reader.uint64BE())
            range = TimeRange(start: start, end: Int64(bitPattern: try reader.uint64BE()))
            let kind = try reader.uint8()
            encoding = kind & ~HeadChunkFormat.outOfOrderFlag
            isOutOfOrder = kind & HeadChunkFormat.outOfOrderFlag != 0
            let length = try reader.uvarint()
            guard length <= UInt64(reader.remaining) else { return nil }
            data = reader.offset..<(reader.offset + Int(length))
            try reader.skip(Int(length) + 4)
            end = reader.offset
        } catch {
            return nil
        }
    }

    /// Whether the checksum behind the entry is right.
    func isSound(_ bytes: RawSpan, at offset: Int) -> Bool {
        let stored = (0..<4).reduce(UInt32(0)) { $0 << 8 | UInt32(bytes[data.upperBound + $1]) }
        return crc32c(bytes.extracting(offset..<data.upperBound)) == stored
    }

    /// Encoding (without the flag) and place of the data of the entry at an offset, for those who
    /// know the rest; nil where it does not fit or its checksum is wrong.
    static func soundData(
        _ bytes: RawSpan, at offset: Int
    ) -> (encoding: UInt8, place: Range<Int>)? {
        let kindAt = offset + HeadChunkFormat.fixedSize - 1
        guard offset >= 0, kindAt < bytes.byteCount else { return nil }
        var reader = ByteReader(bytes, at: kindAt + 1)
        guard let length = try? reader.uvarint(), length <= UInt64(reader.remaining) else {
            return nil
        }
        let start = reader.offset
        var checksum = ByteReader(bytes, at: start + Int(length))
        guard let stored = try? checksum.uint32BE(),
            crc32c(bytes.extracting(offset..<(start + Int(length)))) == stored
        else { return nil }
        let encoding = bytes[kindAt] & ~HeadChunkFormat.outOfOrderFlag
        return (encoding, start..<(start + Int(length)))
    }
}
