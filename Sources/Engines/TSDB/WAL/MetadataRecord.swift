// SPDX-License-Identifier: Apache-2.0
//
// Metadata of series in the log (tsdb/record):
//
//     6 | per series: ref uvarint, type 1 (as in `MetricType.allCases`), uvarint count of fields,
//         per field: name and value (uvarint length); the names are UNIT and HELP
//
// Fields that are not known are kept as they are.

internal import Bytes
internal import Model

/// The metadata of one series as the log has it.
struct LoggedMetadata: Hashable {
    var ref: UInt64
    var type: UInt8
    var fields: [UInt8]
    var fieldCount: UInt64

    init(ref: UInt64, _ metadata: Metadata) {
        self.ref = ref
        type = UInt8(MetricType.allCases.firstIndex(of: metadata.type) ?? 0)
        var writer = ByteWriter()
        for text in ["UNIT", metadata.unit, "HELP", metadata.help] { writer.lengthPrefixed(text) }
        fields = writer.bytes
        fieldCount = 2
    }

    init(_ reader: inout ByteReader) throws(ByteError) {
        ref = try reader.uvarint()
        type = try reader.uint8()
        fieldCount = try reader.uvarint()
        var writer = ByteWriter()
        var index: UInt64 = 0
        while index < fieldCount {
            for _ in 0..<2 {
                let text = try reader.lengthPrefixed()
                writer.uvarint(UInt64(text.byteCount))
                writer.append(text)
            }
            index += 1
        }
        fields = writer.bytes
    }
}

extension LoggedMetadata {
    /// Without fields that are not known.
    func metadata() throws(ByteError) -> Metadata {
        let types = MetricType.allCases
        var metadata = Metadata(type: Int(type) < types.count ? types[Int(type)] : .unknown)
        var reader = ByteReader(fields.raw)
        while !reader.isAtEnd {
            let name = try reader.lengthPrefixed().text
            let value = try reader.lengthPrefixed().text
            if name == "UNIT" { metadata.unit = value }
            if name == "HELP" { metadata.help = value }
        }
        return metadata
    }
}

/// Builds a metadata record.
struct MetadataRecord {
    private(set) var writer = ByteWriter()

    var isEmpty: Bool { writer.count == 0 }
    var byteCount: Int { writer.count }

    mutating func append(_ entry: LoggedMetadata) {
        if isEmpty { writer.uint8(WALRecordKind.metadata.rawValue) }
        writer.uvarint(entry.ref)
        writer.uint8(entry.type)
        writer.uvarint(entry.fieldCount)
        writer.append(entry.fields)
    }
}

/// The entries of a record.
func decodeMetadata(_ record: RawSpan) throws(ByteError) -> [LoggedMetadata] {
    var reader = ByteReader(record)
    _ = try reader.uint8()
    var entries: [LoggedMetadata] = []
    while !reader.isAtEnd { entries.append(try LoggedMetadata(&reader)) }
    return entries
}
