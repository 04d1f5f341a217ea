// SPDX-License-Identifier: Apache-2.0

/// What a reader found instead of the bytes it was asked for.
package enum ByteError: Error, Hashable {
    /// Fewer bytes were left than the value needs.
    case truncated(offset: Int)
    /// A variable-length integer did not end within ten bytes.
    case overlongInteger(offset: Int)
}

/// Reads integers and runs of bytes from foreign memory, in order, with every access checked.
/// A borrow: it lives no longer than the bytes it reads.
package struct ByteReader: ~Escapable {
    package let bytes: RawSpan
    package internal(set) var offset: Int

    @_lifetime(copy bytes)
    package init(_ bytes: RawSpan, at offset: Int = 0) {
        self.bytes = bytes
        self.offset = min(max(0, offset), bytes.byteCount)
    }

    package var remaining: Int { bytes.byteCount - offset }
    package var isAtEnd: Bool { remaining == 0 }

    private func require(_ count: Int) throws(ByteError) {
        guard count >= 0, count <= remaining else { throw .truncated(offset: offset) }
    }

    @_lifetime(self: copy self)
    package mutating func skip(_ count: Int) throws(ByteError) {
        try require(count)
        offset += count
    }

    @_lifetime(self: copy self)
    package mutating func uint8() throws(ByteError) -> UInt8 {
        try require(1)
        defer { offset += 1 }
        return unsafe bytes.unsafeLoad(fromUncheckedByteOffset: offset, as: UInt8.self)
    }

    @_lifetime(self: copy self)
    private mutating func word<T: FixedWidthInteger & BitwiseCopyable>(
        _ type: T.Type
    ) throws(ByteError) -> T {
        try require(MemoryLayout<T>.size)
        defer { offset += MemoryLayout<T>.size }
        return unsafe bytes.unsafeLoadUnaligned(fromUncheckedByteOffset: offset, as: T.self)
    }

    @_lifetime(self: copy self)
    package mutating func uint16BE() throws(ByteError) -> UInt16 {
        UInt16(bigEndian: try word(UInt16.self))
    }
    @_lifetime(self: copy self)
    package mutating func uint32BE() throws(ByteError) -> UInt32 {
        UInt32(bigEndian: try word(UInt32.self))
    }
    @_lifetime(self: copy self)
    package mutating func uint64BE() throws(ByteError) -> UInt64 {
        UInt64(bigEndian: try word(UInt64.self))
    }
    @_lifetime(self: copy self)
    package mutating func uint32LE() throws(ByteError) -> UInt32 {
        UInt32(littleEndian: try word(UInt32.self))
    }
    @_lifetime(self: copy self)
    package mutating func uint64LE() throws(ByteError) -> UInt64 {
        UInt64(littleEndian: try word(UInt64.self))
    }

    /// An unsigned LEB128 integer, as Go's `binary.Uvarint`. Most have one byte.
    @inline(__always)
    @_lifetime(self: copy self)
    package mutating func uvarint() throws(ByteError) -> UInt64 {
        if offset < bytes.byteCount {
            let byte = unsafe bytes.unsafeLoad(fromUncheckedByteOffset: offset, as: UInt8.self)
            if byte < 0x80 {
                offset &+= 1
                return UInt64(byte)
            }
        }
        return try longUvarint()
    }

    @_lifetime(self: copy self)
    private mutating func longUvarint() throws(ByteError) -> UInt64 {
        let start = offset
        var value: UInt64 = 0
        var shift: UInt64 = 0
        while true {
            let byte = try uint8()
            if shift == 63, byte > 1 { throw .overlongInteger(offset: start) }
            value |= UInt64(byte & 0x7F) &<< shift
            if byte < 0x80 { return value }
            shift += 7
        }
    }

    /// A zig-zag integer, as Go's `binary.Varint`.
    @_lifetime(self: copy self)
    package mutating func varint() throws(ByteError) -> Int64 {
        let raw = try uvarint()
        return Int64(bitPattern: raw >> 1) ^ -Int64(bitPattern: raw & 1)
    }

    @_lifetime(copy self)
    @_lifetime(self: copy self)
    package mutating func take(_ count: Int) throws(ByteError) -> RawSpan {
        try require(count)
        defer { offset += count }
        return bytes.extracting(offset..<(offset + count))
    }

    /// A run of bytes behind its length as a uvarint.
    @_lifetime(copy self)
    @_lifetime(self: copy self)
    package mutating func lengthPrefixed() throws(ByteError) -> RawSpan {
        let length = try uvarint()
        guard length <= UInt64(remaining) else { throw .truncated(offset: offset) }
        return try take(Int(length))
    }
}
