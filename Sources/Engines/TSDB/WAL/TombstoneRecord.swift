// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import Model

/// Builds a record of deletions: kind 3, then per deletion the ref (BE64) and the first and the
/// last time (varints). One that reaches from the earliest to the latest time says that the series
/// left the head: what it had is in a block.
struct TombstoneRecord {
    private(set) var writer = ByteWriter()
    private(set) var count = 0

    /// Larger records are split, so that none comes near the length of a segment.
    static let countLimit = 1 << 16
    static let wholeSeries = TimeRange(start: .min, end: .max)

    var isEmpty: Bool { count == 0 }

    mutating func removeAll() { self = TombstoneRecord() }

    mutating func append(_ ref: UInt64, _ range: TimeRange) {
        if isEmpty { writer.uint8(WALRecordKind.tombstones.rawValue) }
        writer.uint64BE(ref)
        writer.varint(range.start)
        writer.varint(range.end)
        count += 1
    }
}

/// Decodes the deletions of a record one by one.
func forEachTombstone<Failure: Error>(
    in record: RawSpan, _ body: (_ ref: UInt64, _ range: TimeRange) throws(Failure) -> Void
) throws {
    var reader = ByteReader(record)
    _ = try reader.uint8()
    while !reader.isAtEnd {
        let ref = try reader.uint64BE()
        let start = try reader.varint()
        let end = try reader.varint()
        try body(ref, TimeRange(start: start, end: end))
    }
}
