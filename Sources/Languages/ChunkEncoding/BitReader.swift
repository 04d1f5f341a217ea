// SPDX-License-Identifier: Apache-2.0
//
// Reading foreign chunks bit by bit. A read beyond the end gives zeros and is remembered, so that a
// decoder looks for damage once a sample and not once a field; whatever repeats as often as the
// bytes say must be bounded by `remainingBits` first.

internal import Bytes

/// Reads the fields of bit streams, the first bit of a byte being its highest. A borrow.
package struct BitReader: ~Escapable {
    private let bytes: RawSpan
    private var position: Int
    /// A read went beyond the end.
    package private(set) var isExhausted = false
    /// A field was read that cannot stand there.
    package private(set) var isMalformed = false

    @_lifetime(copy bytes)
    package init(_ bytes: RawSpan, at offset: Int) {
        self.bytes = bytes
        position = min(max(0, offset), bytes.byteCount) * 8
    }

    package var remainingBits: Int { bytes.byteCount * 8 - position }
    package var isSound: Bool { !isExhausted && !isMalformed }

    /// The next 64 bits, zeros beyond the end.
    @inline(__always)
    private func peek() -> UInt64 {
        let at = position &>> 3
        let offset = UInt64(truncatingIfNeeded: position & 7)
        guard at &+ 9 <= bytes.byteCount else { return peekNearEnd(at, offset) }
        let word = unsafe UInt64(
            bigEndian: bytes.unsafeLoadUnaligned(fromUncheckedByteOffset: at, as: UInt64.self))
        let next = unsafe UInt64(
            bytes.unsafeLoad(fromUncheckedByteOffset: at &+ 8, as: UInt8.self))
        return (word &<< offset) | (next &>> (8 &- offset))
    }

    private func peekNearEnd(_ at: Int, _ offset: UInt64) -> UInt64 {
        var word: UInt64 = 0
        for index in 0..<8 {
            let byte = at + index < bytes.byteCount ? bytes[at + index] : 0
            word = word &<< 8 | UInt64(byte)
        }
        let next = at + 8 < bytes.byteCount ? UInt64(bytes[at + 8]) : 0
        return (word &<< offset) | (next &>> (8 &- offset))
    }

    @inline(__always)
    @_lifetime(self: copy self)
    private mutating func advance(_ count: Int) {
        position &+= count
        if position > bytes.byteCount &* 8 {
            position = bytes.byteCount &* 8
            isExhausted = true
        }
    }

    /// The next 1...64 bits.
    @inline(__always)
    @_lifetime(self: copy self)
    package mutating func bits(_ count: Int) -> UInt64 {
        let value = peek() &>> UInt64(64 &- count)
        advance(count)
        return value
    }

    /// The next 1...64 bits, in two's complement.
    @inline(__always)
    @_lifetime(self: copy self)
    package mutating func signedBits(_ count: Int) -> Int64 {
        let value = Int64(bitPattern: peek()) &>> Int64(64 &- count)
        advance(count)
        return value
    }

    @_lifetime(self: copy self)
    package mutating func double() -> Double { Double(bitPattern: bits(64)) }

    /// How many of the next bits are one, up to `limit`; they and the zero behind fewer are taken.
    @inline(__always)
    @_lifetime(self: copy self)
    package mutating func ones(upTo limit: Int) -> Int {
        let count = min((~peek()).leadingZeroBitCount, limit)
        advance(count < limit ? count &+ 1 : count)
        return count
    }

    /// Makes known that more is promised than there is left.
    @_lifetime(self: copy self)
    package mutating func markExhausted() { isExhausted = true }

    // MARK: Integers

    /// The widths behind 0...8 one bits.
    static func varbitWidth(_ ones: Int) -> Int {
        switch ones {
        case 0: 0
        case 1: 3
        case 2: 6
        case 3: 9
        case 4: 12
        case 5: 18
        case 6: 25
        case 7: 56
        default: 64
        }
    }

    /// An unsigned integer of variable width.
    @_lifetime(self: copy self)
    package mutating func varbitUnsigned() -> UInt64 {
        let width = Self.varbitWidth(ones(upTo: 8))
        return width == 0 ? 0 : bits(width)
    }

    /// A signed integer of variable width: `n` bits hold -(2^(n-1) - 1) ... 2^(n-1).
    @_lifetime(self: copy self)
    package mutating func varbitSigned() -> Int64 {
        let width = Self.varbitWidth(ones(upTo: 8))
        return width == 0 ? 0 : Self.varbit(bits(width), width: width)
    }

    /// The signed integer that so many bits hold, 1 to 64.
    static func varbit(_ field: UInt64, width: Int) -> Int64 {
        let raw = Int64(bitPattern: field)
        if width == 64 { return raw }
        return raw > 1 &<< Int64(width &- 1) ? raw &- (1 &<< Int64(width)) : raw
    }

    /// An unsigned LEB128 integer.
    @_lifetime(self: copy self)
    package mutating func uvarint() -> UInt64 {
        var value: UInt64 = 0
        for shift in stride(from: UInt64(0), through: 63, by: 7) {
            let byte = bits(8)
            if shift == 63, byte > 1 { break }
            value |= (byte & 0x7F) &<< shift
            if byte < 0x80 { return value }
        }
        isMalformed = true
        return 0
    }

    /// A zig-zag LEB128 integer.
    @_lifetime(self: copy self)
    package mutating func varint() -> Int64 {
        let raw = uvarint()
        return Int64(bitPattern: raw >> 1) ^ -Int64(bitPattern: raw & 1)
    }

    // MARK: Floats

    /// A float by its difference from the last one, as in XOR chunks.
    @_lifetime(self: copy self)
    package mutating func next(_ value: inout XORValue) {
        let control = ones(upTo: 2)
        if control == 0 { return }
        if control == 2 { readWindow(&value) }
        readSignificant(&value)
    }

    /// Five bits of leading zeros and six of length; 0 means 64.
    @_lifetime(self: copy self)
    package mutating func readWindow(_ value: inout XORValue) {
        let window = bits(11)
        let length = window & 63 == 0 ? 64 : window & 63
        let leading = window &>> 6
        guard leading + length <= 64 else {
            isMalformed = true
            return
        }
        value.leading = UInt8(leading)
        value.trailing = UInt8(64 - leading - length)
    }

    /// The bits within the window.
    @inline(__always)
    @_lifetime(self: copy self)
    package mutating func readSignificant(_ value: inout XORValue) {
        let leading = value.hasWindow ? Int(value.leading) : 0
        let length = 64 &- leading &- Int(value.trailing)
        value.bits ^= bits(length) &<< UInt64(value.trailing)
    }
}

/// A float that is written by its difference from the one before.
package struct XORValue: Sendable, Hashable {
    package var bits: UInt64 = 0
    /// The window of significant bits; no window yet: all 64.
    package var leading: UInt8 = 255
    package var trailing: UInt8 = 0

    package init() {}

    package init(_ value: Double) { bits = value.bitPattern }

    package var hasWindow: Bool { leading != 255 }
    package var value: Double { Double(bitPattern: bits) }
}
