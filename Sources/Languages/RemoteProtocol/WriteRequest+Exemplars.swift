// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import Model
internal import Protobuf

/// Reads an exemplar: its labels in order, without those that have no value. A timestamp of 0 is
/// none.
func decodeExemplar(_ bytes: RawSpan, _ range: Range<Int>) throws(ProtobufError) -> Exemplar {
    var fields: [(name: Range<Int>, value: Range<Int>)] = []
    var value = 0.0
    var timestamp: Int64 = 0
    var reader = ProtobufReader(bytes, range)
    while let field = try reader.next() {
        switch field.number {
        case 1: fields.append(try decodeLabel(bytes, try reader.range(field)))
        case 2: value = try reader.double(field)
        case 3: timestamp = try reader.int64(field)
        default: try reader.skip(field)
        }
    }
    fields.sort { compareBytes(bytes.extracting($0.name), bytes.extracting($1.name)) < 0 }
    var packed: [UInt8] = []
    for field in fields where !field.value.isEmpty {
        // The packed form has three bytes for a length; nothing so long is ever stored.
        for part in [field.name, field.value] {
            let length = min(part.count, 1 << 24 - 1)
            Labels.appendField(
                bytes.extracting(part.lowerBound..<(part.lowerBound + length)), to: &packed)
        }
    }
    return Exemplar(
        labels: Labels(packed: packed), value: value,
        timestamp: timestamp == 0 ? nil : Timestamp(timestamp))
}

private func decodeLabel(
    _ bytes: RawSpan, _ range: Range<Int>
) throws(ProtobufError) -> (name: Range<Int>, value: Range<Int>) {
    var label = (name: 0..<0, value: 0..<0)
    var reader = ProtobufReader(bytes, range)
    while let field = try reader.next() {
        switch field.number {
        case 1: label.name = try reader.range(field)
        case 2: label.value = try reader.range(field)
        default: try reader.skip(field)
        }
    }
    return label
}
