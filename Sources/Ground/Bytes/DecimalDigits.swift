// SPDX-License-Identifier: Apache-2.0

/// The ASCII digits of an integer below 10^17, without leading and trailing zeros (zero is one
/// digit), in one step and without a loop over digits.
struct DecimalDigits {
    /// Seventeen digits with leading zeros: one, then eight, then eight.
    private var first: UInt8
    private var middle: UInt64
    private var last: UInt64
    /// Where the digits begin and end within the seventeen.
    private let start: Int
    private let end: Int

    var count: Int { end - start }
    /// The trailing zeros that were left out.
    var droppedZeros: Int { 17 - end }

    @inline(__always)
    init(_ value: UInt64) {
        let zeros: UInt64 = 0x3030_3030_3030_3030
        if value < 100_000_000 {
            first = UInt8(ascii: "0")
            middle = zeros
            last = Self.eightDigits(value)
        } else {
            let upper = value / 100_000_000
            let top = upper / 100_000_000
            first = UInt8(ascii: "0") &+ UInt8(truncatingIfNeeded: top)
            middle = Self.eightDigits(upper &- top &* 100_000_000)
            last = Self.eightDigits(value &- upper &* 100_000_000)
        }
        // Bytes stand in memory order, so trailing zero bits are leading digits.
        let middleDigits = middle ^ zeros
        let lastDigits = last ^ zeros
        if first != UInt8(ascii: "0") {
            start = 0
        } else if middleDigits != 0 {
            start = 1 + middleDigits.trailingZeroBitCount / 8
        } else {
            start = 9 + min(7, lastDigits.trailingZeroBitCount / 8)
        }
        if lastDigits != 0 {
            end = 17 - lastDigits.leadingZeroBitCount / 8
        } else if middleDigits != 0 {
            end = 9 - middleDigits.leadingZeroBitCount / 8
        } else {
            end = first != UInt8(ascii: "0") ? 1 : 17
        }
    }

    /// Eight ASCII digits of a number below 10^8, the most significant in the lowest byte: the
    /// number is split into halves three times, each time in all lanes at once.
    @inline(__always)
    private static func eightDigits(_ value: UInt64) -> UInt64 {
        let upper = value / 10_000
        let fours = upper | (value &- upper &* 10_000) << 32
        let hundreds = (fours &* 10_486) >> 20 & 0x0000_007F_0000_007F
        let twos = hundreds | (fours &- hundreds &* 100) << 16
        let tens = (twos &* 103) >> 10 & 0x000F_000F_000F_000F
        let ones = tens | (twos &- tens &* 10) << 8
        return ones | 0x3030_3030_3030_3030
    }

    /// The room that `write` needs: it may write zeros behind the digits.
    static let width = 17

    /// Writes the digits to `target`.
    @inline(__always)
    func write(to target: UnsafeMutableRawPointer) {
        // The bytes before the first digit are shifted out; those behind the last are overwritten
        // by whatever follows.
        let skipped = start
        if skipped == 0 {
            unsafe target.storeBytes(of: first, as: UInt8.self)
            unsafe target.storeBytes(of: middle.littleEndian, toByteOffset: 1, as: UInt64.self)
            unsafe target.storeBytes(of: last.littleEndian, toByteOffset: 9, as: UInt64.self)
        } else if skipped < 9 {
            let shift = UInt64(skipped - 1) * 8
            unsafe target.storeBytes(of: (middle >> shift).littleEndian, as: UInt64.self)
            unsafe target.storeBytes(
                of: last.littleEndian, toByteOffset: 9 - skipped, as: UInt64.self)
        } else {
            let shift = UInt64(skipped - 9) * 8
            unsafe target.storeBytes(of: (last >> shift).littleEndian, as: UInt64.self)
        }
    }
}
