// SPDX-License-Identifier: Apache-2.0

internal import Model

extension Lexer {
    /// A string whose opening quote has been read. Only the shape is checked here; `unquoted` gives
    /// the bytes that it stands for.
    mutating func string(_ quote: UInt8) throws(ParseError) -> TokenKind {
        let isRaw = quote == UInt8(ascii: "`")
        while true {
            guard let byte = advance(), isRaw || byte != UInt8(ascii: "\n") else {
                throw error(isRaw ? "unterminated raw string" : "unterminated quoted string")
            }
            if byte == quote { break }
            if byte == UInt8(ascii: "\\"), !isRaw { try escape(quote) }
            if byte == 0xEF, input[position...].starts(with: [0xBF, 0xBD]) {
                throw error("invalid UTF-8 rune")
            }
        }
        mode = .general
        return .string
    }

    /// An escape sequence of which the backslash has been read.
    private mutating func escape(_ quote: UInt8) throws(ParseError) {
        guard let byte = advance() else { throw error("escape sequence not terminated") }
        switch byte {
        case UInt8(ascii: "a"), UInt8(ascii: "b"), UInt8(ascii: "f"), UInt8(ascii: "n"),
            UInt8(ascii: "r"), UInt8(ascii: "t"), UInt8(ascii: "v"), UInt8(ascii: "\\"), quote:
            return
        case UInt8(ascii: "0")...UInt8(ascii: "7"):
            position -= 1
            try code(digits: 3, base: 8, limit: 255)
        case UInt8(ascii: "x"): try code(digits: 2, base: 16, limit: 255)
        case UInt8(ascii: "u"): try code(digits: 4, base: 16, limit: 0x10FFFF)
        case UInt8(ascii: "U"): try code(digits: 8, base: 16, limit: 0x10FFFF)
        default: throw error("unknown escape sequence \(codePoint)")
        }
    }

    private mutating func code(digits: Int, base: UInt32, limit: UInt32) throws(ParseError) {
        var value: UInt32 = 0
        for _ in 0..<digits {
            guard let byte = advance() else { throw error("escape sequence not terminated") }
            guard let digit = hexDigit(byte), digit < base else {
                throw error("illegal character \(codePoint) in escape sequence")
            }
            value = value &* base &+ digit
        }
        if value > limit || (0xD800..<0xE000).contains(value) {
            throw error("escape sequence is an invalid Unicode code point")
        }
    }

    /// The character that begins with the byte read last as `U+0041 'A'`.
    private var codePoint: String {
        let rest = String(decoding: input[(position - 1)...].prefix(4), as: UTF8.self)
        guard let scalar = rest.unicodeScalars.first else { return "U+FFFD" }
        let digits = String(scalar.value, radix: 16, uppercase: true)
        let code = "U+" + String(repeating: "0", count: max(0, 4 - digits.count)) + digits
        return isPrintable(scalar) ? "\(code) '\(scalar)'" : code
    }

    /// The bytes that a string token stands for.
    func unquoted(_ source: SourceRange) -> [UInt8] {
        let body = input[(source.start + 1)..<(source.end - 1)]
        if input[source.start] == UInt8(ascii: "`") || !body.contains(UInt8(ascii: "\\")) {
            return Array(body)
        }
        var result: [UInt8] = []
        var at = body.startIndex
        while at < body.endIndex {
            if body[at] == UInt8(ascii: "\\") {
                at = Self.appendEscape(body, at + 1, to: &result)
            } else {
                result.append(body[at])
                at += 1
            }
        }
        return result
    }

    /// Appends what the escape at `at` (behind the backslash) means; where it ends.
    private static func appendEscape(
        _ body: ArraySlice<UInt8>, _ at: Int, to result: inout [UInt8]
    ) -> Int {
        func code(_ from: Int, _ digits: Int, _ base: UInt32) -> UInt32 {
            body[from..<(from + digits)].reduce(0) { $0 &* base &+ (hexDigit($1) ?? 0) }
        }
        switch body[at] {
        case UInt8(ascii: "a"): result.append(7)
        case UInt8(ascii: "b"): result.append(8)
        case UInt8(ascii: "f"): result.append(12)
        case UInt8(ascii: "n"): result.append(10)
        case UInt8(ascii: "r"): result.append(13)
        case UInt8(ascii: "t"): result.append(9)
        case UInt8(ascii: "v"): result.append(11)
        case UInt8(ascii: "0")...UInt8(ascii: "7"):
            result.append(UInt8(truncatingIfNeeded: code(at, 3, 8)))
            return at + 3
        case UInt8(ascii: "x"):
            result.append(UInt8(truncatingIfNeeded: code(at + 1, 2, 16)))
            return at + 3
        case UInt8(ascii: "u"), UInt8(ascii: "U"):
            let digits = body[at] == UInt8(ascii: "u") ? 4 : 8
            let scalar = Unicode.Scalar(code(at + 1, digits, 16)) ?? "\u{FFFD}"
            result.append(contentsOf: UTF8.encode(scalar)!)
            return at + 1 + digits
        default: result.append(body[at])
        }
        return at + 1
    }
}

private func hexDigit(_ byte: UInt8) -> UInt32? {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt32(byte - UInt8(ascii: "0"))
    case UInt8(ascii: "a")...UInt8(ascii: "f"): UInt32(byte - UInt8(ascii: "a") + 10)
    case UInt8(ascii: "A")...UInt8(ascii: "F"): UInt32(byte - UInt8(ascii: "A") + 10)
    default: nil
    }
}
