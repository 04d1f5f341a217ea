// SPDX-License-Identifier: Apache-2.0

import Bytes
import Compression
import JSON
import RemoteProtocol
import ScrapeClient
import YAML

private let limit = 1 << 20

func fuzzSnappy(_ bytes: [UInt8]) {
    if let plain = try? Snappy.decode(bytes.span.bytes, limit: limit) {
        precondition(plain.count <= limit, "the limit holds")
    }
    let packed = Snappy.encode(bytes.span.bytes)
    let again = try? Snappy.decode(packed.span.bytes, limit: bytes.count)
    precondition(again == bytes, "what is packed unpacks to the same")
    var room: [UInt8] = []
    let count = Snappy.encode(bytes.span.bytes, rowsFrom: Int(bytes.first ?? 0), into: &room)
    let rows = try? Snappy.decode(room.span.bytes.extracting(..<count), limit: bytes.count)
    precondition(rows == bytes, "what is packed as rows unpacks to the same")
}

func fuzzGzip(_ bytes: [UInt8]) {
    var room: [UInt8] = []
    let decoder = GzipDecoder()
    _ = try? decoder.decode(gzip: bytes.span.bytes, into: &room, limit: limit)
    _ = try? decoder.decode(zlib: bytes.span.bytes, into: &room, limit: limit)
    precondition(room.count <= limit, "the limit holds")
}

/// The bytes are float64s; what is written must read back to the same.
func fuzzFloatText(_ bytes: [UInt8]) {
    for start in stride(from: 0, to: bytes.count - 7, by: 8) {
        let bits = bytes[start..<start + 8].reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        let value = Double(bitPattern: bits)
        for style in [FloatStyle.plain, .general, .json, .exponent] where value.isFinite {
            let text = formatFloat(value, style: style)
            precondition(Double(text)?.bitPattern == bits, "digits read back to the value")
        }
    }
}

func fuzzJSON(_ bytes: [UInt8]) {
    guard let value = try? JSONValue(parsing: bytes.span.bytes) else { return }
    var writer = JSONWriter()
    write(value, to: &writer)
    let again = try? JSONValue(parsing: writer.output.bytes.span.bytes)
    precondition(again == value.withTextsForNumbers, "what is written reads back to the same")
}

extension JSONValue {
    /// Numbers keep their text, so the writer has no form of its own for them.
    fileprivate var withTextsForNumbers: JSONValue {
        switch self {
        case .number(let text): .string(text)
        case .array(let elements): .array(elements.map(\.withTextsForNumbers))
        case .object(let members):
            .object(members.map { Member($0.name, $0.value.withTextsForNumbers) })
        default: self
        }
    }
}

private func write(_ value: JSONValue, to writer: inout JSONWriter) {
    switch value {
    case .null: writer.null()
    case .boolean(let value): writer.boolean(value)
    case .number(let text): writer.string(text)
    case .string(let text): writer.string(text)
    case .array(let elements): writer.array(elements) { write($1, to: &$0) }
    case .object(let members):
        writer.object { writer in
            for member in members {
                writer.key(member.name)
                write(member.value, to: &writer)
            }
        }
    }
}

func fuzzZstandard(_ bytes: [UInt8]) {
    let plain = try? Zstandard.decode(bytes.span.bytes, limit: limit)
    precondition(plain?.count ?? 0 <= limit, "the limit holds")
}

/// The first byte says where the rest is cut in two.
func fuzzResponse(_ bytes: [UInt8]) {
    guard let first = bytes.first else { return }
    let answer = Array(bytes.dropFirst())
    let cut = answer.count * Int(first) / 256
    let whole = CapturedResponse([answer], bodyLimit: limit)
    let parts = CapturedResponse(
        [Array(answer[..<cut]), Array(answer[cut...])], bodyLimit: limit)
    precondition(whole == parts, "a cut makes no difference")
}

private let key = FingerprintKey()

func fuzzWriteRequest(_ bytes: [UInt8]) {
    var request = WriteRequest()
    guard (try? request.decode(bytes.span.bytes, key)) != nil else { return }
    precondition(request.values.count == request.timestamps.count, "columns are of one length")
    for series in request.series {
        guard let labels = try? series.makeLabels(bytes.span.bytes) else { continue }
        precondition(!labels.isEmpty, "a label set has a name")
    }
}

/// What was read is written, and what was written can be read.
func fuzzYAML(_ bytes: [UInt8]) {
    guard let node = try? YAMLNode(parsing: bytes) else { return }
    // An empty scalar is written as an empty document, which reads back as none.
    do {
        _ = try YAMLNode(parsing: node.yaml())
    } catch {
        preconditionFailure("written YAML reads back: \(error)")
    }
}
