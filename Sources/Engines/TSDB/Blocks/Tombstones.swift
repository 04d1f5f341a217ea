// SPDX-License-Identifier: Apache-2.0
//
// The deletions of a block: magic, version, stones (uvarint series, varint first and last time),
// crc32 over the stones. Source:
// https://github.com/prometheus/prometheus/blob/main/tsdb/docs/format/tombstones.md

internal import Bytes
internal import Model
internal import Platform
internal import Storage

/// Which times of which series of a block are deleted.
struct Tombstones: Sendable, Hashable {
    static let magic: UInt32 = 0x0130_BA30
    static let fileName = "tombstones"

    private(set) var ranges: [UInt64: DeletedRanges] = [:]

    var isEmpty: Bool { ranges.isEmpty }
    var count: Int { ranges.values.reduce(0) { $0 + $1.count } }

    init() {}

    /// Reads the file in a block's directory; none means no deletions.
    init(_ directory: String, _ fileSystem: any FileSystem) throws(StorageError) {
        let path = "\(directory)/\(Tombstones.fileName)"
        let file: MappedFile
        do {
            guard try fileSystem.status(of: path) != nil else { return }
            file = try fileSystem.map(path)
        } catch {
            throw StorageError(error)
        }
        do throws(ByteError) {
            try read(file.bytes)
        } catch {
            throw damaged(file, "tombstones", at: 0)
        }
    }

    private mutating func read(_ bytes: RawSpan) throws(ByteError) {
        guard bytes.byteCount >= 9 else { throw .truncated(offset: 0) }
        let end = bytes.byteCount - 4
        var trailer = ByteReader(bytes, at: end)
        var reader = ByteReader(bytes.extracting(0..<end))
        guard try reader.uint32BE() == Tombstones.magic, try reader.uint8() == 1,
            try trailer.uint32BE() == crc32c(bytes.extracting(5..<end))
        else { throw .truncated(offset: 0) }
        while !reader.isAtEnd {
            let series = try reader.uvarint()
            let start = try reader.varint()
            let end = try reader.varint()
            add(TimeRange(start: start, end: end), to: series)
        }
    }

    /// Adds a deletion, which merges with those it touches.
    mutating func add(_ range: TimeRange, to series: UInt64) {
        guard range.start <= range.end else { return }
        ranges[series, default: DeletedRanges()].add(range)
    }

    /// The file's bytes.
    func encoded() -> [UInt8] {
        var writer = ByteWriter()
        writer.uint32BE(Tombstones.magic)
        writer.uint8(1)
        var stones = ByteWriter()
        for (series, deleted) in ranges.sorted(by: { $0.key < $1.key }) {
            for range in deleted.ranges {
                stones.uvarint(series)
                stones.varint(range.start)
                stones.varint(range.end)
            }
        }
        writer.append(stones.bytes)
        writer.uint32BE(crc32c(stones.bytes))
        return writer.bytes
    }
}
