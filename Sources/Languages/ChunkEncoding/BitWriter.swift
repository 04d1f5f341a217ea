// SPDX-License-Identifier: Apache-2.0

/// Writes the fields of bit streams, the counterpart of `BitReader`.
package struct BitWriter: Sendable {
    /// What is written so far; the last byte is filled up with zeros.
    package private(set) var bytes: [UInt8]
    /// How many bits of the last byte are free.
    private var free = 0

    /// Begins behind whole bytes.
    package init(_ bytes: [UInt8] = []) { self.bytes = bytes }

    /// Sets a byte that was written before.
    package subscript(offset: Int) -> UInt8 {
        get { bytes[offset] }
        set { bytes[offset] = newValue }
    }

    /// The low 1...64 bits of `value`.
    package mutating func put(_ value: UInt64, _ count: Int) {
        var rest = count == 64 ? value : value & ((1 &<< UInt64(count)) &- 1)
        var left = count
        while left > 0 {
            if free == 0 {
                bytes.append(0)
                free = 8
            }
            let taken = min(free, left)
            left -= taken
            let part = UInt8(truncatingIfNeeded: rest &>> UInt64(left))
            rest &= (1 &<< UInt64(left)) &- 1
            free -= taken
            bytes[bytes.count - 1] |= part &<< UInt8(free)
        }
    }

    package mutating func put(_ value: Double) { put(value.bitPattern, 64) }

    // MARK: Integers

    /// The widths of variable integers, narrowest first. The n-th is behind n one bits and a zero.
    static var widths: [7 of Int] { [3, 6, 9, 12, 18, 25, 56] }

    private mutating func put(_ value: UInt64, widthNumber index: Int) {
        let ones = index + 1
        put(((1 &<< UInt64(ones)) &- 1) &<< 1, ones + 1)
        put(value, Self.widths[index])
    }

    package mutating func putVarbit(unsigned value: UInt64) {
        if value == 0 { return put(0, 1) }
        let length = 64 - value.leadingZeroBitCount
        for index in 0..<7 where length <= Self.widths[index] {
            return put(value, widthNumber: index)
        }
        put(0xFF, 8)
        put(value, 64)
    }

    package mutating func putVarbit(signed value: Int64) {
        if value == 0 { return put(0, 1) }
        for index in 0..<7 {
            let half = Int64(1) &<< Int64(Self.widths[index] - 1)
            guard value > -half, value <= half else { continue }
            return put(UInt64(bitPattern: value), widthNumber: index)
        }
        put(0xFF, 8)
        put(UInt64(bitPattern: value), 64)
    }

    /// A zig-zag integer of whole bytes, wherever they begin.
    package mutating func put(varint value: Int64) {
        var rest = UInt64(bitPattern: (value &<< 1) ^ (value &>> 63))
        while rest >= 0x80 {
            put((rest & 0x7F) | 0x80, 8)
            rest &>>= 7
        }
        put(rest, 8)
    }

    // MARK: Floats

    /// Writes a float by its difference from the last one, which it becomes.
    package mutating func put(_ next: Double, after last: inout XORValue) {
        let xor = next.bitPattern ^ last.bits
        last.bits = next.bitPattern
        if xor == 0 { return put(0, 1) }
        let leading = UInt8(min(31, xor.leadingZeroBitCount))
        let trailing = UInt8(xor.trailingZeroBitCount)
        if last.hasWindow, leading >= last.leading, trailing >= last.trailing {
            put(0b10, 2)
        } else {
            last.leading = leading
            last.trailing = trailing
            put(0b11, 2)
            put(UInt64(leading), 5)
            put(UInt64(64 - leading - trailing) & 63, 6)
        }
        let length = 64 - Int(last.leading) - Int(last.trailing)
        put(xor &>> UInt64(last.trailing), length)
    }
}
