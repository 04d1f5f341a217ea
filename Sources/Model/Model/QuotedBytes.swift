// SPDX-License-Identifier: Apache-2.0

internal import Bytes

/// The bytes in double quotes with Go's escapes (`%q` of a byte slice): bytes that are no UTF-8 as
/// `\xff`, characters that cannot be printed as `\u200b`.
package func quoted(_ bytes: RawSpan) -> String {
    var result = "\""
    var at = 0
    while at < bytes.byteCount {
        let length = validScalarLength(bytes, at)
        if length == 0 {
            result += "\\x" + hexadecimal(UInt32(bytes[at]), digits: 2)
            at += 1
            continue
        }
        let character = bytes.extracting(at..<(at + length))
        let text = unsafe character.withUnsafeBytes {
            unsafe String(decoding: $0, as: UTF8.self)
        }
        for scalar in text.unicodeScalars { result += quotedScalar(scalar) }
        at += length
    }
    return result + "\""
}

private func quotedScalar(_ scalar: Unicode.Scalar) -> String {
    switch scalar {
    case "\"": return "\\\""
    case "\\": return "\\\\"
    case "\u{07}": return "\\a"
    case "\u{08}": return "\\b"
    case "\u{0C}": return "\\f"
    case "\n": return "\\n"
    case "\r": return "\\r"
    case "\t": return "\\t"
    case "\u{0B}": return "\\v"
    case " "..."~": return String(Character(scalar))
    case "\u{00}"..<" ", "\u{7F}": return "\\x" + hexadecimal(scalar.value, digits: 2)
    default: break
    }
    if isPrintable(scalar) { return String(Character(scalar)) }
    return scalar.value < 0x1_0000
        ? "\\u" + hexadecimal(scalar.value, digits: 4)
        : "\\U" + hexadecimal(scalar.value, digits: 8)
}

private func hexadecimal(_ value: UInt32, digits: Int) -> String {
    let text = String(value, radix: 16)
    return String(repeating: "0", count: max(0, digits - text.utf8.count)) + text
}

/// The length of the UTF-8 sequence at `at`, or 0 where there is no valid one.
private func validScalarLength(_ bytes: RawSpan, _ at: Int) -> Int {
    let lead = bytes[at]
    let length = lead < 0x80 ? 1 : lead < 0xC2 ? 0 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4
    guard length > 0, lead < 0xF5, at + length <= bytes.byteCount else { return 0 }
    return isValidUTF8(bytes.extracting(at..<(at + length))) ? length : 0
}

/// Whether the bytes are well-formed UTF-8.
package func isValidUTF8(_ bytes: RawSpan) -> Bool {
    unsafe bytes.withUnsafeBytes { bytes in
        if unsafe bytes.allSatisfy({ $0 < 0x80 }) { return true }
        return unsafe String(validating: bytes, as: UTF8.self) != nil
    }
}
