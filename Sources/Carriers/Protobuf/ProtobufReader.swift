// SPDX-License-Identifier: Apache-2.0
//
// The protobuf wire format: a message is a run of fields, each a key and a value. The key is a
// varint that holds the field's number and, in its three low bits, how the value is written:
//
//     0  varint                      3, 4  group, begin and end (only skipped)
//     1  eight bytes, little-endian  5     four bytes, little-endian
//     2  a length and so many bytes: text, bytes, a message, packed numbers
//
// Source: https://protobuf.dev/programming-guides/encoding/

package enum WireType: UInt8, Sendable {
    case varint = 0
    case eightBytes = 1
    case lengthDelimited = 2
    case groupStart = 3
    case groupEnd = 4
    case fourBytes = 5
}

/// Why bytes are no message, in the words of upstream's decoder.
package enum ProtobufError: Error, Sendable, Hashable, CustomStringConvertible {
    case unexpectedEnd
    case integerOverflow
    case illegalWireType(UInt8)
    case illegalTag(number: UInt64, wireType: UInt8)
    case wrongWireType(WireType, field: UInt64)
    case unexpectedEndOfGroup

    package var description: String {
        switch self {
        case .unexpectedEnd: "unexpected EOF"
        case .integerOverflow: "proto: integer overflow"
        case .illegalWireType(let type): "proto: illegal wireType \(type)"
        case .illegalTag(let number, let type):
            "proto: illegal tag \(number) (wire type \(type))"
        case .wrongWireType(let type, let field):
            "proto: wrong wireType = \(type.rawValue) for field \(field)"
        case .unexpectedEndOfGroup: "proto: unexpected end of group"
        }
    }
}

package struct ProtobufField: Sendable, Hashable {
    package let number: UInt64
    package let type: WireType
}

/// Walks over the fields of a message that lies in a longer run of bytes. Ranges are those of the
/// whole run, so that they can be kept and a reader be opened on them later. Every access is
/// checked.
package struct ProtobufReader: ~Escapable {
    private let bytes: RawSpan
    /// Where the next field or value begins.
    package private(set) var offset: Int
    private let end: Int

    @_lifetime(copy bytes)
    package init(_ bytes: RawSpan) {
        self.bytes = bytes
        offset = 0
        end = bytes.byteCount
    }

    /// A message inside `bytes`; the range must lie in them.
    @_lifetime(copy bytes)
    package init(_ bytes: RawSpan, _ range: Range<Int>) {
        precondition(
            range.lowerBound >= 0 && range.upperBound <= bytes.byteCount,
            "the message lies in the bytes")
        self.bytes = bytes
        offset = range.lowerBound
        end = range.upperBound
    }

    /// The key of the next field; nil at the end of the message. Its value must be read or skipped
    /// before the next.
    @inline(__always)
    @_lifetime(self: copy self)
    package mutating func next() throws(ProtobufError) -> ProtobufField? {
        guard offset < end else { return nil }
        let key = try varint()
        guard let type = WireType(rawValue: UInt8(key & 7)) else {
            throw .illegalWireType(UInt8(key & 7))
        }
        // The number has 29 bits.
        guard key >> 3 > 0, key >> 3 < 1 << 29 else {
            throw .illegalTag(number: key >> 3, wireType: type.rawValue)
        }
        return ProtobufField(number: key >> 3, type: type)
    }

    /// A varint, whatever it stands for.
    @inline(__always)
    @_lifetime(self: copy self)
    package mutating func varint() throws(ProtobufError) -> UInt64 {
        guard offset < end else { throw .unexpectedEnd }
        let first = unsafe bytes.unsafeLoad(fromUncheckedByteOffset: offset, as: UInt8.self)
        if first < 0x80 {
            offset += 1
            return UInt64(first)
        }
        return try longVarint()
    }

    @_lifetime(self: copy self)
    private mutating func longVarint() throws(ProtobufError) -> UInt64 {
        var value: UInt64 = 0
        for index in 0..<10 {
            guard offset < end else { throw .unexpectedEnd }
            let byte = unsafe bytes.unsafeLoad(fromUncheckedByteOffset: offset, as: UInt8.self)
            offset += 1
            // Of the tenth byte one bit counts; upstream drops the others silently too.
            value |= UInt64(byte & 0x7F) << UInt64(7 * index)
            if byte < 0x80 { return value }
        }
        throw .integerOverflow
    }

    @inline(__always)
    @_lifetime(self: copy self)
    package mutating func int64(_ field: ProtobufField) throws(ProtobufError) -> Int64 {
        try expect(.varint, field)
        return Int64(bitPattern: try varint())
    }

    @_lifetime(self: copy self)
    package mutating func uint64(_ field: ProtobufField) throws(ProtobufError) -> UInt64 {
        try expect(.varint, field)
        return try varint()
    }

    /// A `sint32` or `sint64`: small whatever its sign.
    @_lifetime(self: copy self)
    package mutating func signedInteger(_ field: ProtobufField) throws(ProtobufError) -> Int64 {
        try expect(.varint, field)
        return try zigZag()
    }

    @_lifetime(self: copy self)
    private mutating func zigZag() throws(ProtobufError) -> Int64 {
        let raw = try varint()
        return Int64(bitPattern: raw >> 1) ^ -Int64(bitPattern: raw & 1)
    }

    /// What one occurrence of a repeated `sint` field holds: one number, or a packed run of them.
    @_lifetime(self: copy self)
    package mutating func signedIntegers(
        _ field: ProtobufField, into target: inout [Int64]
    ) throws(ProtobufError) {
        guard field.type == .lengthDelimited else {
            return target.append(try signedInteger(field))
        }
        var packed = ProtobufReader(bytes, try range(field))
        while packed.offset < packed.end { target.append(try packed.zigZag()) }
    }

    /// The same of a repeated `double`.
    @_lifetime(self: copy self)
    package mutating func doubles(
        _ field: ProtobufField, into target: inout [Double]
    ) throws(ProtobufError) {
        guard field.type == .lengthDelimited else { return target.append(try double(field)) }
        var packed = ProtobufReader(bytes, try range(field))
        let one = ProtobufField(number: field.number, type: .eightBytes)
        while packed.offset < packed.end { target.append(try packed.double(one)) }
    }

    @inline(__always)
    @_lifetime(self: copy self)
    package mutating func double(_ field: ProtobufField) throws(ProtobufError) -> Double {
        try expect(.eightBytes, field)
        guard end - offset >= 8 else { throw .unexpectedEnd }
        let bits = unsafe bytes.unsafeLoadUnaligned(
            fromUncheckedByteOffset: offset, as: UInt64.self)
        offset += 8
        return Double(bitPattern: UInt64(littleEndian: bits))
    }

    @inline(__always)
    private func byte(_ at: Int) -> Int {
        unsafe Int(bytes.unsafeLoad(fromUncheckedByteOffset: at, as: UInt8.self))
    }

    /// Passes over fields of a number below 16 for as long as each is a message of two texts, 1 and
    /// 2, and all is shorter than 128 bytes: most labels of all write requests. Bound: every offset
    /// that is looked at lies before `end`.
    @_lifetime(self: copy self)
    package mutating func passTextPairs(_ number: Int) {
        var at = offset
        while end - at >= 6, byte(at) == number << 3 | 2, byte(at + 1) < 0x80 {
            let next = at + 2 + byte(at + 1)
            let value = at + 4 + byte(at + 3)
            guard next <= end, byte(at + 2) == 1 << 3 | 2, value + 2 <= next,
                byte(value) == 2 << 3 | 2, value + 2 + byte(value + 1) == next
            else { break }
            at = next
        }
        offset = at
    }

    /// Reads a field of a number below 16 that is a message of a double, 1, or none, which is zero,
    /// and a non-negative integer of up to 56 bits, 2; nil, with nothing read, where the next field
    /// is anything else. Bound: 20 bytes are looked at, which lie in the whole run.
    @_lifetime(self: copy self)
    package mutating func doubleAndInteger(_ number: Int) -> (double: Double, integer: Int64)? {
        let start = offset
        guard bytes.byteCount - start >= 20, end - start >= 4, byte(start) == number << 3 | 2
        else { return nil }
        var at = start + 2
        var bits: UInt64 = 0
        if byte(at) == 1 << 3 | 1 {
            unsafe bits = bytes.unsafeLoadUnaligned(
                fromUncheckedByteOffset: at + 1, as: UInt64.self)
            at += 9
        }
        guard byte(at) == 2 << 3 else { return nil }
        let word = unsafe UInt64(
            littleEndian: bytes.unsafeLoadUnaligned(
                fromUncheckedByteOffset: at + 1, as: UInt64.self))
        // The first byte without a high bit is the integer's last.
        let stop = ~word & 0x8080_8080_8080_8080
        at += 2 + stop.trailingZeroBitCount / 8
        guard stop != 0, at <= end, byte(start + 1) == at - start - 2 else { return nil }
        // Of each byte seven bits count: they are moved together in pairs, fours, eights.
        var groups = word & (stop ^ (stop &- 1)) & 0x7F7F_7F7F_7F7F_7F7F
        groups = (groups & 0x007F_007F_007F_007F) | (groups & 0x7F00_7F00_7F00_7F00) >> 1
        groups = (groups & 0x0000_3FFF_0000_3FFF) | (groups & 0x3FFF_0000_3FFF_0000) >> 2
        groups = (groups & 0x0000_0000_0FFF_FFFF) | (groups & 0x0FFF_FFFF_0000_0000) >> 4
        offset = at
        return (Double(bitPattern: UInt64(littleEndian: bits)), Int64(groups))
    }

    /// Where the bytes of a text, byte or message field lie.
    @inline(__always)
    @_lifetime(self: copy self)
    package mutating func range(_ field: ProtobufField) throws(ProtobufError) -> Range<Int> {
        try expect(.lengthDelimited, field)
        let length = try varint()
        guard length <= UInt64(end - offset) else { throw .unexpectedEnd }
        let start = offset
        offset += Int(length)
        return start..<offset
    }

    @inline(__always)
    private func expect(_ type: WireType, _ field: ProtobufField) throws(ProtobufError) {
        guard field.type == type else { throw .wrongWireType(field.type, field: field.number) }
    }

    /// Passes over the value of a field that is of no interest. Groups are passed over whole,
    /// however deep they are nested.
    @_lifetime(self: copy self)
    package mutating func skip(_ field: ProtobufField) throws(ProtobufError) {
        var depth = 0
        var current = field
        while true {
            switch current.type {
            case .varint: _ = try varint()
            case .eightBytes: try pass(8)
            case .fourBytes: try pass(4)
            case .lengthDelimited: _ = try range(current)
            case .groupStart: depth += 1
            case .groupEnd:
                guard depth > 0 else { throw .unexpectedEndOfGroup }
                depth -= 1
            }
            if depth == 0 { return }
            guard let inner = try next() else { throw .unexpectedEnd }
            current = inner
        }
    }

    @_lifetime(self: copy self)
    private mutating func pass(_ count: Int) throws(ProtobufError) {
        guard end - offset >= count else { throw .unexpectedEnd }
        offset += count
    }
}
