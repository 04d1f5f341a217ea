// SPDX-License-Identifier: Apache-2.0

internal import Bytes

extension TextRoom {
    /// Milliseconds as seconds with no fraction, or one of exactly three digits: `1.5` is `1.500`.
    @inline(__always)
    mutating func seconds(_ milliseconds: Int64) {
        if milliseconds < 0 { byte(UInt8(ascii: "-")) }
        let magnitude = milliseconds.magnitude
        let whole = magnitude / 1000
        decimal(whole)
        let fraction = magnitude &- whole &* 1000
        if fraction == 0 { return }
        byte(UInt8(ascii: "."))
        threeDigits(fraction)
    }
}

extension ByteWriter {
    /// The text in quotes. Runs without a character to escape are copied whole.
    mutating func quotedJSON(_ text: RawSpan, _ escaping: JSONEscaping) {
        if escaping == .plain, text.isPlainText { return quoted(text) }
        uint8(UInt8(ascii: "\""))
        var copied = 0
        var index = 0
        while index < text.byteCount {
            let width = escapedWidth(text, index, escaping)
            if width > 0 {
                append(text.extracting(copied..<index))
                escape(text, index, width, escaping)
                copied = index + width
            }
            index += max(1, width)
        }
        append(text.extracting(copied..<text.byteCount))
        uint8(UInt8(ascii: "\""))
    }

    /// How many bytes of the character at `index` an escape replaces; 0 where it stands for itself.
    @inline(__always)
    private func escapedWidth(_ text: RawSpan, _ index: Int, _ escaping: JSONEscaping) -> Int {
        let byte = text[index]
        switch byte {
        case ..<0x20, UInt8(ascii: "\""), UInt8(ascii: "\\"): return 1
        case UInt8(ascii: "<"), UInt8(ascii: ">"), UInt8(ascii: "&"):
            return escaping == .plain ? 0 : 1
        case 0xE2:  // U+2028 and U+2029 are E2 80 A8 and E2 80 A9.
            guard escaping != .plain, index + 2 < text.byteCount, text[index + 1] == 0x80 else {
                return 0
            }
            return text[index + 2] & 0xFE == 0xA8 ? 3 : 0
        default: return 0
        }
    }

    private mutating func escape(
        _ text: RawSpan, _ index: Int, _ width: Int, _ escaping: JSONEscaping
    ) {
        let byte = text[index]
        switch byte {
        case UInt8(ascii: "\""): append("\\\"")
        case UInt8(ascii: "\\"): append("\\\\")
        case UInt8(ascii: "\n"): append("\\n")
        case UInt8(ascii: "\r"): append("\\r")
        case UInt8(ascii: "\t"): append("\\t")
        case 0x08 where escaping == .htmlSafeShort: append("\\b")
        case 0x0C where escaping == .htmlSafeShort: append("\\f")
        case 0xE2: append(text[index + width - 1] == 0xA8 ? "\\u2028" : "\\u2029")
        default:
            append("\\u00")
            for digit in [byte >> 4, byte & 15] {
                uint8(digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "a") + digit - 10)
            }
        }
    }
}
