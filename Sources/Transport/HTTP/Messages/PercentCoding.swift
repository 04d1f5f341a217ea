// SPDX-License-Identifier: Apache-2.0

/// What is wrong with an encoded text, in the words of Go's `net/url`.
package struct EncodingError: Error, Sendable, Hashable, CustomStringConvertible {
    package var description: String
}

/// Replaces `%XX` by the bytes they stand for, and `+` by a blank where `plusIsBlank`. Bytes that
/// are not UTF-8 become U+FFFD.
package func percentDecoded(
    _ text: Substring, plusIsBlank: Bool
) throws(EncodingError) -> String {
    guard text.utf8.contains(where: { $0 == UInt8(ascii: "%") || $0 == UInt8(ascii: "+") }) else {
        return String(text)
    }
    return String(decoding: try percentDecodedBytes(text, plusIsBlank: plusIsBlank), as: UTF8.self)
}

/// The same for texts that need not be UTF-8.
package func percentDecodedBytes(
    _ text: Substring, plusIsBlank: Bool
) throws(EncodingError) -> [UInt8] {
    let encoded = Array(text.utf8)
    var decoded: [UInt8] = []
    decoded.reserveCapacity(encoded.count)
    var index = 0
    while index < encoded.count {
        let byte = encoded[index]
        index += 1
        if byte == UInt8(ascii: "+"), plusIsBlank {
            decoded.append(UInt8(ascii: " "))
        } else if byte == UInt8(ascii: "%") {
            guard index + 1 < encoded.count, let high = hexDigit(encoded[index]),
                let low = hexDigit(encoded[index + 1])
            else {
                let end = min(encoded.count, index + 2)
                let escape = String(decoding: encoded[(index - 1)..<end], as: UTF8.self)
                throw EncodingError(description: "invalid URL escape \"\(escape)\"")
            }
            decoded.append(high << 4 | low)
            index += 2
        } else {
            decoded.append(byte)
        }
    }
    return decoded
}

private func hexDigit(_ byte: UInt8) -> UInt8? {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
    case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
    case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
    default: nil
    }
}
