// SPDX-License-Identifier: Apache-2.0

/// The bytes of a `!!binary` scalar; nil where it is no base64. White space may stand anywhere.
func decodeBase64(_ text: String) -> [UInt8]? {
    var bytes: [UInt8] = []
    var pending: UInt32 = 0
    var bits = 0
    var padding = 0
    for byte in text.utf8 {
        let sextet: UInt8
        switch byte {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"): sextet = byte - UInt8(ascii: "A")
        case UInt8(ascii: "a")...UInt8(ascii: "z"): sextet = byte - UInt8(ascii: "a") + 26
        case UInt8(ascii: "0")...UInt8(ascii: "9"): sextet = byte - UInt8(ascii: "0") + 52
        case UInt8(ascii: "+"): sextet = 62
        case UInt8(ascii: "/"): sextet = 63
        case UInt8(ascii: "="):
            padding += 1
            continue
        case UInt8(ascii: "\n"), UInt8(ascii: "\r"), UInt8(ascii: " "), UInt8(ascii: "\t"):
            continue
        default: return nil
        }
        guard padding == 0 else { return nil }
        pending = (pending << 6 | UInt32(sextet)) & 0xFFF_FFFF
        bits += 6
        if bits >= 8 {
            bits -= 8
            bytes.append(UInt8(truncatingIfNeeded: pending >> UInt32(bits)))
        }
    }
    guard padding <= 2, (bits == 0) == (padding == 0) else { return nil }
    return bytes
}

/// Bytes that may be no UTF-8, in Go's quotes.
package func escaped(_ bytes: [UInt8]) -> String {
    var text = "\""
    for byte in bytes {
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"):
            text += "\\" + String(UnicodeScalar(byte))
        case 0x20..<0x7F: text += String(UnicodeScalar(byte))
        default: text += "\\x" + (byte < 16 ? "0" : "") + String(byte, radix: 16)
        }
    }
    return text + "\""
}
