// SPDX-License-Identifier: Apache-2.0
//
// Exemplars in the log (tsdb/record):
//
//     4 | ref BE64, time BE64 of the first | per exemplar: varint ref and varint time, both less
//         the first's, value BE64, uvarint label count, per label: name, value (uvarint length)

internal import Bytes
internal import Model

/// An exemplar as the log has it.
struct LoggedExemplar {
    var ref: UInt64
    var timestamp: Timestamp
    var exemplar: Exemplar
}

/// Builds an exemplars record.
struct ExemplarRecord {
    private(set) var writer = ByteWriter()
    private var firstRef: UInt64 = 0
    private var firstTimestamp: Timestamp = 0

    var isEmpty: Bool { writer.count == 0 }

    mutating func append(_ entry: LoggedExemplar) {
        if isEmpty {
            firstRef = entry.ref
            firstTimestamp = entry.timestamp
            writer.uint8(WALRecordKind.exemplars.rawValue)
            writer.uint64BE(firstRef)
            writer.uint64BE(UInt64(bitPattern: firstTimestamp))
        }
        writer.varint(Int64(bitPattern: entry.ref &- firstRef))
        writer.varint(entry.timestamp &- firstTimestamp)
        writer.uint64BE(entry.exemplar.value.bitPattern)
        writer.uvarint(UInt64(entry.exemplar.labels.count))
        entry.exemplar.labels.forEachSpan { name, value in
            writer.uvarint(UInt64(name.byteCount))
            writer.append(name)
            writer.uvarint(UInt64(value.byteCount))
            writer.append(value)
        }
    }
}

/// The exemplars of a record. They have no timestamps of their own: the record does not tell.
func decodeExemplars(_ record: RawSpan) throws(ByteError) -> [LoggedExemplar] {
    var reader = ByteReader(record)
    _ = try reader.uint8()
    var exemplars: [LoggedExemplar] = []
    if reader.isAtEnd { return exemplars }
    let firstRef = try reader.uint64BE()
    let firstTimestamp = Int64(bitPattern: try reader.uint64BE())
    while !reader.isAtEnd {
        let ref = firstRef &+ UInt64(bitPattern: try reader.varint())
        let timestamp = firstTimestamp &+ (try reader.varint())
        let value = Double(bitPattern: try reader.uint64BE())
        let count = try reader.uvarint()
        var packed: [UInt8] = []
        var index: UInt64 = 0
        while index < count {
            for _ in 0..<2 {
                let field = try reader.lengthPrefixed()
                guard field.byteCount < 1 << 24 else { throw .truncated(offset: reader.offset) }
                Labels.appendField(field, to: &packed)
            }
            index += 1
        }
        exemplars.append(
            LoggedExemplar(
                ref: ref, timestamp: timestamp,
                exemplar: Exemplar(labels: Labels(packed: packed), value: value, timestamp: nil)))
    }
    return exemplars
}
