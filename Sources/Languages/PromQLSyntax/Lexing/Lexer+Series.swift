// SPDX-License-Identifier: Apache-2.0

internal import Model

/// The values of a series description: `1 2+3x4 _x2 stale {{schema:1 buckets:[1 2]}}x3`. Spaces
/// between the items are tokens there.
extension Lexer {
    mutating func scanValues() throws(ParseError) -> TokenKind? {
        guard let byte = advance() else {
            mode = .general
            return .endOfInput
        }
        switch byte {
        case UInt8(ascii: "{") where accept(UInt8(ascii: "{")):
            isInHistogram = true
            mode = .general
            return .openHistogram
        case _ where isSpace(byte): return .space
        case UInt8(ascii: "+"): return .operation(.add)
        case UInt8(ascii: "-"): return .operation(.subtract)
        case UInt8(ascii: "x"): return .times
        case UInt8(ascii: "_"): return .blank
        case _ where isDigit(byte) || byte == UInt8(ascii: ".") && isDigit(peek):
            position -= 1
            return try number()
        case _ where isAlpha(byte): return word()
        default: throw error("unexpected character in series sequence: \(character)")
        }
    }

    mutating func scanHistogram() throws(ParseError) -> TokenKind? {
        let byte = advance()
        switch byte {
        case _ where isSpace(byte): return .space
        case _ where isAlpha(byte): return try histogramWord()
        case UInt8(ascii: ":"): return .colon
        case UInt8(ascii: "-"): return .operation(.subtract)
        case _ where isDigit(byte):
            position -= 1
            return try number()
        case UInt8(ascii: "["):
            isInBrackets = true
            return .leftBracket
        case UInt8(ascii: "}") where accept(UInt8(ascii: "}")):
            isInHistogram = false
            mode = .values
            return .closeHistogram
        default:
            if byte == nil { position += 1 }
            throw error("histogram description incomplete unexpected: \(character)")
        }
    }

    /// A key, a number in words, or a counter reset hint.
    private mutating func histogramWord() throws(ParseError) -> TokenKind {
        while isAlpha(peek) { position += 1 }
        let word = text.lowercased()
        if let key = TokenKind.histogramKeys[word] {
            if peek == UInt8(ascii: ":") { return key }
            throw error("missing `:` for histogram descriptor")
        }
        if TokenKind.words[word] == .number { return .number }
        if let hint = TokenKind.resetHints[word] { return hint }
        throw error("bad histogram descriptor found: \(quoted(text))")
    }

    mutating func scanBuckets() throws(ParseError) -> TokenKind? {
        let byte = advance()
        switch byte {
        case _ where isSpace(byte): return .space
        case UInt8(ascii: "-"): return .operation(.subtract)
        case _ where isDigit(byte):
            position -= 1
            return try number()
        case UInt8(ascii: "]"):
            isInBrackets = false
            return .rightBracket
        case _ where isAlpha(byte):
            return TokenKind.words[text.lowercased()] == .number ? .number : nil
        default:
            if byte == nil { position += 1 }
            throw error("invalid character in buckets description: \(character)")
        }
    }
}
