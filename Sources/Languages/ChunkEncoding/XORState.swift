// SPDX-License-Identifier: Apache-2.0
//
// The appending side of XOR chunks, after Facebook's Gorilla (VLDB 2015) with Prometheus' changes.
//
//     u16 sample count | first sample | second sample | further samples, bit after bit, zero padded
//
//     first    varint timestamp, 64 bits of value              (ends on a byte)
//     second   uvarint delta of time, value
//     others   delta of the delta of time, value
//
//     delta of delta   0                  same delta
//                      10   + 14 bits     a field of n bits holds -(2^(n-1) - 1) ... 2^(n-1)
//                      110  + 17 bits
//                      1110 + 20 bits
//                      1111 + 64 bits
//     value            0                  same value
//                      10 + window        bits of (value xor previous) within the last window
//                      11 + 5 bits leading zeros + 6 bits length (0 means 64) + window
//
// The bytes equal those of upstream for the same samples, appended in the same order.

public import Model

/// What appending to an XOR chunk, or to an XOR2 chunk (XORState+XOR2.swift), has to remember
/// between samples. The chunk's memory belongs to the caller: the head keeps millions of these
/// states and chunks in slabs. 28 bytes, so that an owner can keep four bytes of its own beside it
/// in half a cache line.
///
/// What is public here is so for the compiler alone: no member of a `package` type is inlined
/// across modules.
public struct XORState: Sendable {
    /// What there is to know of an XOR2 chunk.
    package struct Traits: OptionSet, Sendable {
        package let rawValue: UInt8

        package init(rawValue: UInt8) { self.rawValue = rawValue }

        /// The chunk is one of XOR2.
        package static let xor2 = Traits(rawValue: 1)
        /// The last sample is a stale marker, which is no predecessor of the next value.
        package static let endsStale = Traits(rawValue: 2)

        static let all: Traits = [.xor2, .endsStale]
    }

    /// Time of the last sample, and the bits of the last value that others are written against.
    @usableFromInline package internal(set) var timestamp: Timestamp = 0
    @usableFromInline package internal(set) var valueBits: UInt64 = 0
    @usableFromInline package internal(set) var delta: UInt32 = 0
    /// How many bits of the chunk are written, the two or three bytes of its head among them.
    @usableFromInline package internal(set) var bitCount: UInt16 = 16
    @usableFromInline package internal(set) var count: UInt16 = 0
    /// The last window: zero bits before and after it. 255 leading zeros: no window yet.
    package internal(set) var leading: UInt8 = 255
    package internal(set) var trailing: UInt8 = 0
    package internal(set) var traits: Traits = []
    /// The third byte of an XOR2 chunk, which tells where start timestamps begin.
    package internal(set) var startHeader: UInt8 = 0

    /// Of an empty XOR chunk.
    package init() {}

    /// A state as it was before, from its fields. Nil where no appending leads to them.
    package init?(
        timestamp: Timestamp, valueBits: UInt64, delta: UInt32, bitCount: UInt16, count: UInt16,
        window: (leading: UInt8, trailing: UInt8), traits: Traits = [], startHeader: UInt8 = 0
    ) {
        let hasWindow = window.leading != 255
        let isXOR2 = traits.contains(.xor2)
        // The first sample takes 72 bits at least, the second 9, each further one two (XOR) or one.
        let least =
            isXOR2
            ? 24 + 72 + (count > 1 ? 8 : 0) + Int(count) - 1 : 16 + 72 + 2 * (Int(count) - 1)
        guard count > 0, Int(bitCount) >= least, hasWindow || window.trailing == 0,
            !hasWindow || window.leading < 32 && Int(window.leading) + Int(window.trailing) < 64,
            traits.isSubset(of: .all), isXOR2 || traits.isEmpty && startHeader == 0,
            Int(startHeader & 0x7F) < Int(count)
        else { return nil }
        self.timestamp = timestamp
        self.valueBits = valueBits
        self.delta = delta
        self.bitCount = bitCount
        self.count = count
        leading = window.leading
        trailing = window.trailing
        self.traits = traits
        self.startHeader = startHeader
    }

    /// That of the last sample.
    package var value: Double {
        traits.contains(.endsStale) ? StaleMarker.value : Double(bitPattern: valueBits)
    }

    package var isXOR2: Bool { traits.contains(.xor2) }
    package var encoding: EncodedChunk.Encoding { isXOR2 ? .xor2 : .xor }

    /// The length of the chunk so far.
    @inlinable public var byteCount: Int {
        @inline(__always) get { (Int(bitCount) + 7) >> 3 }
    }

    /// Whether a sample repeats the last one: the same value, as long after it as that one came
    /// after the one before. It takes two bits, both zero.
    @inlinable @inline(__always)
    public func isRepeated(by timestamp: Timestamp, _ bits: UInt64) -> Bool {
        bits == valueBits && timestamp &- self.timestamp == Int64(delta) && count > 1
    }

    /// A chunk never grows beyond this, whatever memory it is given.
    package static let maximumByteCount = (Int(UInt16.max) + 7) / 8

    /// The longest that one sample can become: 4 + 64 bits of time, 13 + 64 of value.
    @inlinable public static var maximumSampleByteCount: Int { 19 }

    /// Adds a sample and returns true, or leaves everything as it was and returns false where the
    /// memory is too small (copy the chunk to a larger one and try again) or the chunk cannot take
    /// the sample at all (`maximumByteCount` or 65,535 samples reached, or 49 days since the last
    /// one).
    ///
    /// `memory` need not be zeroed. Where everything behind the written bits is zero, as it stays
    /// then, the caller says so with `isZeroed`: a sample that repeats the last one is not written
    /// at all, and the memory not touched. Bound: nothing outside `capacity` bytes from `memory` is
    /// touched.
    @inline(__always)
    package mutating func append(
        _ timestamp: Timestamp, _ value: Double, to memory: UnsafeMutableRawPointer, capacity: Int,
        isZeroed: Bool = false
    ) -> Bool {
        let bits = value.bitPattern
        guard count > 1 else { return unsafe appendEarly(timestamp, bits, memory, capacity) }
        let step = UInt64(bitPattern: timestamp &- self.timestamp)
        let change = Int64(bitPattern: step &- UInt64(delta))
        let xor = bits ^ valueBits
        if change == 0, xor == 0 {
            if isZeroed {
                guard fits(2, capacity) else { return false }
                bitCount &+= 2
            } else {
                guard unsafe put(0, 2, memory, capacity) else { return false }
            }
        } else {
            guard step <= UInt64(UInt32.max) else { return false }
            guard unsafe put(change: change, xor: xor, memory, capacity) else { return false }
            valueBits = bits
            delta = UInt32(truncatingIfNeeded: step)
        }
        self.timestamp = timestamp
        count &+= 1
        return true
    }

    /// Writes the head of the chunk into its first two or three bytes. The chunk can be read then.
    package func seal(_ memory: UnsafeMutableRawPointer) {
        unsafe memory.storeBytes(of: count.bigEndian, as: UInt16.self)
        if isXOR2 { unsafe memory.storeBytes(of: startHeader, toByteOffset: 2, as: UInt8.self) }
    }

    // MARK: Fields

    struct Field {
        var bits: UInt64
        var length: Int
    }

    @inline(__always)
    private static func timeField(_ change: Int64) -> Field {
        func fits(_ length: Int64) -> Bool {
            let half = Int64(1) &<< (length &- 1)
            return change > -half && change <= half
        }
        func field(_ prefix: UInt64, _ length: UInt64) -> Field {
            let mask = (UInt64(1) &<< length) &- 1
            let bits = (prefix &<< length) | (UInt64(bitPattern: change) & mask)
            return Field(bits: bits, length: Int(length))
        }
        if change == 0 { return Field(bits: 0, length: 1) }
        if fits(14) {
            let field = field(0b10, 14)
            return Field(bits: field.bits, length: 16)
        }
        if fits(17) {
            let field = field(0b110, 17)
            return Field(bits: field.bits, length: 20)
        }
        if fits(20) {
            let field = field(0b1110, 20)
            return Field(bits: field.bits, length: 24)
        }
        return Field(bits: 0b1111, length: 4)  // the 64 bits follow
    }

    /// The control bits of a value, its significant bits, and the window they leave behind.
    @inline(__always)
    private func valueFields(_ xor: UInt64) -> (
        control: Field, significant: Field, leading: UInt8, trailing: UInt8
    ) {
        let none = Field(bits: 0, length: 0)
        if xor == 0 { return (Field(bits: 0, length: 1), none, leading, trailing) }
        let newLeading = UInt8(truncatingIfNeeded: min(31, xor.leadingZeroBitCount))
        let newTrailing = UInt8(truncatingIfNeeded: xor.trailingZeroBitCount)
        if leading != 255, newLeading >= leading, newTrailing >= trailing {
            let length = 64 &- Int(leading) &- Int(trailing)
            let field = Field(bits: xor &>> UInt64(trailing), length: length)
            return (Field(bits: 0b10, length: 2), field, leading, trailing)
        }
        let length = 64 &- Int(newLeading) &- Int(newTrailing)
        let control = (0b11 &<< 11) | (UInt64(newLeading) &<< 6) | (UInt64(length) & 63)
        let field = Field(bits: xor &>> UInt64(newTrailing), length: length)
        return (Field(bits: control, length: 13), field, newLeading, newTrailing)
    }

    /// A sample after the second.
    @inline(__always)
    private mutating func put(
        change: Int64, xor: UInt64, _ memory: UnsafeMutableRawPointer, _ capacity: Int
    ) -> Bool {
        let time = XORState.timeField(change)
        let value = valueFields(xor)
        let length = time.length &+ value.control.length
        let first = (time.bits &<< UInt64(value.control.length)) | value.control.bits
        if time.length != 4, length &+ value.significant.length <= 64 {
            let bits = (first &<< UInt64(value.significant.length)) | value.significant.bits
            // A window of 64 bits cannot stand here, so the shift is below 64.
            guard unsafe put(bits, length &+ value.significant.length, memory, capacity) else {
                return false
            }
        } else {
            let whole = time.length == 4 ? 64 : 0
            let total = length &+ whole &+ value.significant.length
            guard fits(total, capacity) else { return false }
            if time.length == 4 {
                _ = unsafe put(0b1111, 4, memory, capacity)
                _ = unsafe put(UInt64(bitPattern: change), 64, memory, capacity)
                _ = unsafe put(value.control.bits, value.control.length, memory, capacity)
            } else {
                _ = unsafe put(first, length, memory, capacity)
            }
            let significant = value.significant
            if significant.length > 0 {
                _ = unsafe put(significant.bits, significant.length, memory, capacity)
            }
        }
        leading = value.leading
        trailing = value.trailing
        return true
    }

    /// The first two samples, whose times are integers of whole bytes.
    private mutating func appendEarly(
        _ timestamp: Timestamp, _ bits: UInt64, _ memory: UnsafeMutableRawPointer, _ capacity: Int
    ) -> Bool {
        let step = UInt64(bitPattern: timestamp &- self.timestamp)
        var number =
            count == 0
            ? UInt64(bitPattern: (timestamp &<< 1) ^ (timestamp &>> 63)) : step
        if count == 1, step > UInt64(UInt32.max) { return false }
        let integerLength = max(1, (64 - number.leadingZeroBitCount + 6) / 7) * 8
        let value = valueFields(bits ^ valueBits)
        let valueLength = count == 0 ? 64 : value.control.length + value.significant.length
        guard fits(integerLength + valueLength, capacity) else { return false }
        while number >= 0x80 {
            _ = unsafe put((number & 0x7F) | 0x80, 8, memory, capacity)
            number &>>= 7
        }
        _ = unsafe put(number, 8, memory, capacity)
        if count == 0 {
            _ = unsafe put(bits, 64, memory, capacity)
        } else {
            _ = unsafe put(value.control.bits, value.control.length, memory, capacity)
            if value.significant.length > 0 {
                _ = unsafe put(
                    value.significant.bits, value.significant.length, memory, capacity)
            }
            leading = value.leading
            trailing = value.trailing
            delta = UInt32(truncatingIfNeeded: step)
        }
        self.timestamp = timestamp
        valueBits = bits
        count += 1
        return true
    }

    // MARK: Bits

    @inline(__always)
    func fits(_ length: Int, _ capacity: Int) -> Bool {
        let end = Int(bitCount) &+ length
        return (end &+ 7) &>> 3 <= capacity && end <= Int(UInt16.max) && count < UInt16.max
    }

    /// Writes the low `length` (1...64) bits of `bits`; those above must be zero. Returns false,
    /// with nothing written, where they do not fit. The bits behind them in the last byte become
    /// zero.
    @inline(__always)
    mutating func put(
        _ bits: UInt64, _ length: Int, _ memory: UnsafeMutableRawPointer, _ capacity: Int
    ) -> Bool {
        guard fits(length, capacity) else { return false }
        let at = Int(bitCount) &>> 3
        let offset = UInt64(bitCount & 7)
        let aligned = bits &<< UInt64(64 &- length)
        let kept =
            unsafe memory.load(fromByteOffset: at, as: UInt8.self) & ~(0xFF &>> UInt8(offset))
        let word = (UInt64(kept) &<< 56) | (aligned &>> offset)
        if at &+ 8 <= capacity {
            unsafe memory.storeBytes(of: word.bigEndian, toByteOffset: at, as: UInt64.self)
            if Int(offset) &+ length > 64 {
                let rest = UInt8(truncatingIfNeeded: (aligned &<< (64 &- offset)) &>> 56)
                unsafe memory.storeBytes(of: rest, toByteOffset: at &+ 8, as: UInt8.self)
            }
        } else {
            // The last bytes of the memory: byte after byte, none beyond.
            var rest = word
            for index in at..<capacity {
                let byte = UInt8(truncatingIfNeeded: rest &>> 56)
                unsafe memory.storeBytes(of: byte, toByteOffset: index, as: UInt8.self)
                rest &<<= 8
            }
        }
        bitCount &+= UInt16(truncatingIfNeeded: length)
        return true
    }
}
