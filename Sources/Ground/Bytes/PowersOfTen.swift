// SPDX-License-Identifier: Apache-2.0

/// Powers of ten as 128-bit fractions, as the shortest-digits algorithm needs them.
///
/// For each k the table holds g = ceil(10^k / 2^r) with r chosen so that 2^127 <= g < 2^128. The
/// 617 entries are computed exactly at first use, in some fifty microseconds, with two walks over
/// one long number: upwards 10^k by multiplication, downwards floor(2^1216 / 10^k) by division.
struct PowersOfTen: Sendable {
    static let lowest = -292
    static let highest = 324
    static let shared = PowersOfTen()

    /// High and low half of the entry for `lowest + index / 2`, one behind the other.
    private let words: [UInt64]

    /// The entry for 10^k, `lowest <= power <= highest`.
    @inline(__always)
    subscript(power: Int) -> (high: UInt64, low: UInt64) {
        let index = (power - Self.lowest) * 2
        return (words[index], words[index + 1])
    }

    private init() {
        var words = [UInt64](repeating: 0, count: (Self.highest - Self.lowest + 1) * 2)
        func store(_ entry: UInt128, _ power: Int) {
            let index = (power - Self.lowest) * 2
            words[index] = UInt64(truncatingIfNeeded: entry >> 64)
            words[index + 1] = UInt64(truncatingIfNeeded: entry)
        }
        var number = LongNumber(powerOfTwo: 0)
        for power in 0...Self.highest {
            let (top, isExact) = number.top128()
            store(isExact ? top : top + 1, power)
            number.multiplyByTen()
        }
        number = LongNumber(powerOfTwo: 1216)
        for power in stride(from: -1, through: Self.lowest, by: -1) {
            number.divideByTen()
            store(number.top128().top + 1, power)
        }
        self.words = words
    }
}

/// An unsigned integer of 1280 bits, least significant word first.
private struct LongNumber {
    private var words = [UInt64](repeating: 0, count: 20)

    init(powerOfTwo exponent: Int) { words[exponent / 64] = 1 << UInt64(exponent % 64) }

    mutating func multiplyByTen() {
        var carry: UInt64 = 0
        for index in words.indices {
            let (high, low) = words[index].multipliedFullWidth(by: 10)
            let (sum, overflow) = low.addingReportingOverflow(carry)
            words[index] = sum
            carry = high + (overflow ? 1 : 0)
        }
    }

    mutating func divideByTen() {
        var remainder: UInt64 = 0
        for index in words.indices.reversed() {
            let (quotient, rest) = UInt64(10).dividingFullWidth((remainder, words[index]))
            words[index] = quotient
            remainder = rest
        }
    }

    /// The 128 most significant bits, from the first one bit on, and whether all others are zero.
    func top128() -> (top: UInt128, isExact: Bool) {
        let highest = words.lastIndex { $0 != 0 } ?? 0
        func word(_ index: Int) -> UInt128 { index < 0 ? 0 : UInt128(words[index]) }
        let shift = UInt128(words[highest].leadingZeroBitCount)
        let upper = word(highest) << 64 | word(highest - 1)
        let lower = word(highest - 2) << 64
        let top = shift == 0 ? upper : upper << shift | lower >> (128 - shift)
        let isLowerEmpty = (lower << shift) == 0
        return (top, isLowerEmpty && words.prefix(max(0, highest - 2)).allSatisfy { $0 == 0 })
    }
}
