// SPDX-License-Identifier: Apache-2.0

extension RawSpan {
    /// Whether the text can stand between quotes as it is: it has no control character, no quote
    /// and no backslash. Looks at eight bytes at once.
    @inline(__always)
    package var isPlainText: Bool {
        var at = 0
        while at &+ 8 <= byteCount {
            let word = unsafe unsafeLoadUnaligned(fromUncheckedByteOffset: at, as: UInt64.self)
            if Self.hasSpecial(word) { return false }
            at &+= 8
        }
        if at == byteCount { return true }
        var word: UInt64 = 0x2020_2020_2020_2020
        while at < byteCount {
            let byte = unsafe unsafeLoad(fromUncheckedByteOffset: at, as: UInt8.self)
            word = word &<< 8 | UInt64(byte)
            at &+= 1
        }
        return !Self.hasSpecial(word)
    }

    /// Whether one of eight bytes is below 0x20, a quote or a backslash. The tests of lanes: a byte
    /// less a number borrows its top bit where it is smaller, which counts if that was not set.
    @inline(__always)
    private static func hasSpecial(_ word: UInt64) -> Bool {
        let ones: UInt64 = 0x0101_0101_0101_0101
        let quotes = word ^ (ones &* UInt64(UInt8(ascii: "\"")))
        let slashes = word ^ (ones &* UInt64(UInt8(ascii: "\\")))
        let found =
            ((word &- ones &* 0x20) & ~word) | ((quotes &- ones) & ~quotes)
            | ((slashes &- ones) & ~slashes)
        return found & (ones &* 0x80) != 0
    }
}

extension ByteWriter {
    /// Writes plain text between quotes.
    package mutating func quoted(_ text: RawSpan) {
        let count = text.byteCount
        withRoom(count + 2) { room in
            room.byte(UInt8(ascii: "\""))
            unsafe text.withUnsafeBytes { bytes in
                if let base = bytes.baseAddress {
                    unsafe room.copy(base, bytes.count, length: bytes.count)
                }
            }
            room.byte(UInt8(ascii: "\""))
        }
    }
}
