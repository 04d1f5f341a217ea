// SPDX-License-Identifier: Apache-2.0

import Bytes
import Protobuf
import Testing

@Suite struct ProtobufTests {
    /// Walks over all fields without looking at values.
    private func walk(_ bytes: [UInt8]) throws -> [UInt64] {
        var numbers: [UInt64] = []
        var reader = ProtobufReader(bytes.span.bytes)
        while let field = try reader.next() {
            numbers.append(field.number)
            try reader.skip(field)
        }
        return numbers
    }

    @Test func whatIsWrittenIsReadBack() throws {
        var inner = ProtobufWriter()
        inner.text(1, "é")
        var writer = ProtobufWriter()
        writer.int64(1, -5)
        writer.uint64(2, 1 << 63)
        writer.double(3, 0.1)
        writer.message(4, inner)
        let bytes = writer.bytes
        var reader = ProtobufReader(bytes.span.bytes)
        guard let first = try reader.next() else { return #expect(Bool(false)) }
        let negative = try reader.int64(first)
        _ = try reader.next()
        let large = try reader.varint()
        guard let third = try reader.next() else { return #expect(Bool(false)) }
        let fraction = try reader.double(third)
        guard let fourth = try reader.next() else { return #expect(Bool(false)) }
        let range = try reader.range(fourth)
        let end = try reader.next()
        #expect(negative == -5 && large == 1 << 63 && fraction == 0.1 && end == nil)
        var nested = ProtobufReader(bytes.span.bytes, range)
        guard let text = try nested.next() else { return #expect(Bool(false)) }
        let found = try nested.range(text)
        #expect(Array(bytes[found]) == Array("é".utf8))
    }

    @Test(
        arguments: [
            ([], []),
            ([0x08, 1, 0x15, 0, 0, 0, 0, 0x1A, 1, 9], [1, 2, 3]),
            // A group in a group.
            ([0x0B, 0x13, 0x18, 5, 0x14, 0x0C, 0x20, 1], [1, 4]),
            ([0x08, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x01], [1]),
        ] as [([UInt8], [UInt64])])
    func fieldsOfAllKindsAreSkipped(_ bytes: [UInt8], _ numbers: [UInt64]) throws {
        let found = try walk(bytes)
        #expect(found == numbers)
    }

    @Test(
        arguments: [
            ([0x08], "unexpected EOF"), ([0x08, 0x80], "unexpected EOF"),
            ([0x0A, 2, 1], "unexpected EOF"), ([0x09, 1, 2], "unexpected EOF"),
            ([0x0F], "proto: illegal wireType 7"), ([0x00], "proto: illegal tag 0 (wire type 0)"),
            ([0x0C], "proto: unexpected end of group"), ([0x0B, 0x08, 1], "unexpected EOF"),
            (
                [0x08, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF],
                "proto: integer overflow"
            ),
            (
                [0x0A, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x7F],
                "unexpected EOF"
            ),
        ] as [([UInt8], String)])
    func whatIsNoMessageIsRefused(_ bytes: [UInt8], _ message: String) {
        let error = #expect(throws: ProtobufError.self) { _ = try walk(bytes) }
        #expect(error?.description == message)
    }

    @Test func anotherWireTypeThanExpectedIsRefused() {
        func read() throws {
            let bytes: [UInt8] = [0x08, 1]
            var reader = ProtobufReader(bytes.span.bytes)
            if let field = try reader.next() { _ = try reader.double(field) }
        }
        #expect(throws: ProtobufError.wrongWireType(.varint, field: 1)) { try read() }
    }
}
