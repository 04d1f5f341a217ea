// SPDX-License-Identifier: Apache-2.0
//
// Cuts a query into tokens. What a byte means depends on where it stands: braces hold label
// matchers, brackets hold durations, and the values of a series description have a language of
// their own; `mode` says which rules hold for the next token. The modes and the places where
// one gives way to another are upstream's, since its error positions depend on them.

internal import Bytes
internal import Model

struct Lexer: Sendable {
    enum Mode: Sendable {
        case general, durations, values
    }

    let input: [UInt8]
    var position = 0
    /// Where the token that is being read begins.
    var start = 0
    var mode = Mode.general

    var parenthesisDepth = 0
    var isInBraces = false
    var isInBrackets = false
    var hasColon = false
    var hasDuration = false

    /// Series descriptions: numbers may be followed by `x`, values follow the labels.
    var describesSeries = false
    var isInHistogram = false

    init(_ query: String, describesSeries: Bool = false) {
        input = Array(query.utf8)
        self.describesSeries = describesSeries
    }

    /// The next token; `endOfInput` again and again once there is none.
    mutating func next() throws(ParseError) -> Token {
        while true {
            if let kind = try scan() {
                let token = Token(kind: kind, source: SourceRange(start, position))
                if kind == .space { while isSpace(peek) { position += 1 } }
                start = position
                return token
            }
        }
    }

    /// Reads one token or skips something; nil where it skipped.
    private mutating func scan() throws(ParseError) -> TokenKind? {
        switch mode {
        case .durations: return try scanDurations()
        case .values: return try scanValues()
        case .general where isInHistogram:
            return isInBrackets ? try scanBuckets() : try scanHistogram()
        case .general: return isInBraces ? try scanBraces() : try scanGeneral()
        }
    }

    private mutating func scanGeneral() throws(ParseError) -> TokenKind? {
        guard let byte = advance() else {
            if parenthesisDepth != 0 { throw error("unclosed left parenthesis") }
            if isInBrackets { throw error("unclosed left bracket") }
            return .endOfInput
        }
        switch byte {
        case UInt8(ascii: "#"): return skipComment()
        case _ where isSpace(byte): return skipSpaces()
        case UInt8(ascii: ","): return .comma
        case UInt8(ascii: "@"): return .at
        case UInt8(ascii: "="), UInt8(ascii: "!"), UInt8(ascii: "<"), UInt8(ascii: ">"):
            return try comparison(byte)
        case _ where isDigit(byte) || byte == UInt8(ascii: ".") && isDigit(peek):
            position -= 1
            return try numberOrDuration()
        case UInt8(ascii: "\""), UInt8(ascii: "'"), UInt8(ascii: "`"): return try string(byte)
        case _ where isAlpha(byte) || byte == UInt8(ascii: ":"):
            if isInBrackets { return try wordInBrackets(byte) }
            position -= 1
            return word()
        case UInt8(ascii: "("), UInt8(ascii: ")"): return try parenthesis(byte)
        case UInt8(ascii: "{"):
            isInBraces = true
            return .leftBrace
        case UInt8(ascii: "["), UInt8(ascii: "]"): return try bracket(byte)
        default:
            if let operation = Self.arithmetic(byte) { return .operation(operation) }
            throw error("unexpected character: \(character)")
        }
    }

    static func arithmetic(_ byte: UInt8) -> BinaryOperator? {
        switch byte {
        case UInt8(ascii: "+"): .add
        case UInt8(ascii: "-"): .subtract
        case UInt8(ascii: "*"): .multiply
        case UInt8(ascii: "/"): .divide
        case UInt8(ascii: "%"): .modulo
        case UInt8(ascii: "^"): .power
        default: nil
        }
    }

    private mutating func comparison(_ byte: UInt8) throws(ParseError) -> TokenKind {
        switch byte {
        case UInt8(ascii: "="):
            if accept(UInt8(ascii: "=")) { return .operation(.equal) }
            if peek == UInt8(ascii: "~") { throw error("unexpected character after '=': '~'") }
            return .equal
        case UInt8(ascii: "!"):
            if accept(UInt8(ascii: "=")) { return .operation(.notEqual) }
            position = min(position + 1, input.count + 1)
            throw error("unexpected character after '!': \(character)")
        case UInt8(ascii: "<"):
            if accept(UInt8(ascii: "=")) { return .operation(.lessOrEqual) }
            return .operation(accept(UInt8(ascii: "/")) ? .trimUpper : .less)
        default:
            if accept(UInt8(ascii: "=")) { return .operation(.greaterOrEqual) }
            return .operation(accept(UInt8(ascii: "/")) ? .trimLower : .greater)
        }
    }

    mutating func parenthesis(_ byte: UInt8) throws(ParseError) -> TokenKind {
        if byte == UInt8(ascii: "(") {
            parenthesisDepth += 1
            return .leftParenthesis
        }
        parenthesisDepth -= 1
        if parenthesisDepth < 0 {
            start = position
            throw error("unexpected right parenthesis ')'")
        }
        return .rightParenthesis
    }

    private mutating func bracket(_ byte: UInt8) throws(ParseError) -> TokenKind {
        if byte == UInt8(ascii: "[") {
            if isInBrackets { throw error("unexpected left bracket '['") }
            hasColon = false
            isInBrackets = true
            mode = .durations
            return .leftBracket
        }
        if !isInBrackets { throw error("unexpected right bracket ']'") }
        isInBrackets = false
        return .rightBracket
    }

    /// Behind the first number in brackets: a colon, or a word that durations are made with.
    private mutating func wordInBrackets(_ byte: UInt8) throws(ParseError) -> TokenKind {
        if byte == UInt8(ascii: ":") {
            if hasColon { throw error("unexpected colon ':'") }
            hasColon = true
            return .colon
        }
        if let word = durationWord(byte) { return word }
        throw error("unexpected character: '\(Unicode.Scalar(byte))', expected ':'")
    }

    /// The inside of `{…}`, where no word has a meaning of its own.
    private mutating func scanBraces() throws(ParseError) -> TokenKind? {
        guard let byte = advance() else { throw error("unexpected end of input inside braces") }
        switch byte {
        case UInt8(ascii: "#"): return skipComment()
        case _ where isSpace(byte): return skipSpaces()
        case _ where isAlpha(byte):
            while isAlpha(peek) || isDigit(peek) { position += 1 }
            return .identifier
        case UInt8(ascii: ","): return .comma
        case UInt8(ascii: "\""), UInt8(ascii: "'"), UInt8(ascii: "`"): return try string(byte)
        case UInt8(ascii: "="): return accept(UInt8(ascii: "~")) ? .regexMatch : .equal
        case UInt8(ascii: "!"):
            if accept(UInt8(ascii: "~")) { return .regexNoMatch }
            if accept(UInt8(ascii: "=")) { return .operation(.notEqual) }
            position = min(position + 1, input.count + 1)
            throw error("unexpected character after '!' inside braces: \(character)")
        case UInt8(ascii: "{"): throw error("unexpected left brace '{'")
        case UInt8(ascii: "}"):
            isInBraces = false
            if describesSeries { mode = .values }
            return .rightBrace
        default: throw error("unexpected character inside braces: \(character)")
        }
    }

    /// The inside of `[…]` up to the first number.
    private mutating func scanDurations() throws(ParseError) -> TokenKind? {
        guard let byte = advance() else {
            throw error("unexpected end of input in duration expression")
        }
        switch byte {
        case UInt8(ascii: "]"):
            isInBrackets = false
            hasColon = false
            mode = .general
            return .rightBracket
        case UInt8(ascii: ":"):
            start = position
            if !hasDuration {
                throw error("unexpected colon before duration in duration expression")
            }
            if hasColon { throw error("unexpected repeated colon in duration expression") }
            start = position - 1
            hasColon = true
            return .colon
        case UInt8(ascii: "("), UInt8(ascii: ")"): return try parenthesis(byte)
        case _ where isSpace(byte): return skipSpaces()
        case UInt8(ascii: ","): return .comma
        case _ where isDigit(byte) || byte == UInt8(ascii: ".") && isDigit(peek):
            position -= 1
            hasDuration = true
            mode = .general
            return try numberOrDuration()
        default:
            if let operation = Self.arithmetic(byte) { return .operation(operation) }
            let shown = character
            if let word = durationWord(byte) { return word }
            throw error("unexpected character in duration expression: \(shown)")
        }
    }

    /// `step`, `range`, `max_of` or `min_of`, of which the first byte has been read.
    private mutating func durationWord(_ first: UInt8) -> TokenKind? {
        guard [UInt8(ascii: "s"), UInt8(ascii: "r"), UInt8(ascii: "m")].contains(first | 0x20)
        else { return nil }
        while isAlpha(peek) { position += 1 }
        guard case .preprocessor(let word)? = TokenKind.words[text.lowercased()],
            word != .start, word != .end
        else { return nil }
        return .preprocessor(word)
    }
}
