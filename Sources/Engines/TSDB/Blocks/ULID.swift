// SPDX-License-Identifier: Apache-2.0

internal import Bytes

/// The name of a block: 48 bits of time in milliseconds, then 80 random bits, written as 26 digits
/// in Crockford's base 32. Sorted by text, blocks are sorted by when they were made.
/// Source: https://github.com/ulid/spec
package struct ULID: Sendable, Hashable, Comparable, CustomStringConvertible {
    private let high: UInt64
    private let low: UInt64

    private static let digits = Array("0123456789ABCDEFGHJKMNPQRSTVWXYZ".utf8)

    /// A new name. `milliseconds` is when the block is made.
    package init<Generator: RandomNumberGenerator>(
        milliseconds: Int64, using generator: inout Generator
    ) {
        self.init(milliseconds: milliseconds, high: generator.next(), low: generator.next())
    }

    /// A new name of the given random numbers.
    init(milliseconds: Int64, high: UInt64, low: UInt64) {
        let time = UInt64(bitPattern: milliseconds) & 0xFFFF_FFFF_FFFF
        self.high = time << 16 | high & 0xFFFF
        self.low = low
    }

    /// Nil for a text that is no ULID as upstream writes it (upper case).
    package init?(_ text: String) {
        let characters = Array(text.utf8)
        guard characters.count == 26, characters[0] <= UInt8(ascii: "7") else { return nil }
        var high: UInt64 = 0
        var low: UInt64 = 0
        for character in characters {
            guard let digit = ULID.digits.firstIndex(of: character) else { return nil }
            high = high << 5 | low >> 59
            low = low << 5 | UInt64(digit)
        }
        self.high = high
        self.low = low
    }

    package var description: String {
        var text: [UInt8] = []
        var (high, low) = (high, low)
        for _ in 0..<26 {
            text.append(ULID.digits[Int(low & 31)])
            low = low >> 5 | high << 59
            high >>= 5
        }
        return String(decoding: text.reversed(), as: UTF8.self)
    }

    /// When the block was made, in milliseconds since the epoch.
    package var milliseconds: Int64 { Int64(high >> 16) }

    package static func < (left: ULID, right: ULID) -> Bool {
        (left.high, left.low) < (right.high, right.low)
    }
}
