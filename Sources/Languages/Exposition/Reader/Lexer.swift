// SPDX-License-Identifier: Apache-2.0
//
// The words of an exposition.
//
// The lexer is a state machine over bytes, one state for each place in a line, since the same byte
// means different things in different places. Two machines share the states: one for each dialect.
// They accept exactly what upstream's scanners accept, and on a byte that fits nowhere they stop
// with `offset` on that byte: error messages quote the text from the start of the word to there.
//
// NUL bytes are let through in label values, help texts and comments; elsewhere they fit nowhere,
// and at the start of a line they end a Prometheus text, as upstream has it.

internal import Bytes

/// What the lexer found; named as upstream names it in messages.
enum Token: String {
    case invalid = "INVALID"
    case end = "EOF"
    case linebreak = "LINEBREAK"
    case whitespace = "WHITESPACE"
    case help = "HELP"
    case type = "TYPE"
    case unit = "UNIT"
    case endWord = "EOFWORD"
    case text = "TEXT"
    case comment = "COMMENT"
    case metricName = "MNAME"
    case quotedString = "QSTRING"
    case braceOpen = "BOPEN"
    case braceClose = "BCLOSE"
    case labelName = "LNAME"
    case labelValue = "LVALUE"
    case equal = "EQUAL"
    case comma = "COMMA"
    case timestamp = "TIMESTAMP"
    case value = "VALUE"
}

/// The place in a line.
enum LexerState {
    case initial
    case comment
    case familyName
    case familyText
    case labels
    case labelValue
    case value
    case timestamp
    case exemplarLabels
    case exemplarValue
    case exemplarTimestamp
}

let newline = UInt8(ascii: "\n")
let blank = UInt8(ascii: " ")

struct Lexer: ~Escapable {
    let bytes: RawSpan
    let dialect: TextDialect
    /// The byte that is looked at next.
    var offset: Int
    /// The first byte of the last word.
    var start: Int
    var state = LexerState.initial

    @_lifetime(copy bytes)
    init(_ bytes: RawSpan, at offset: Int, dialect: TextDialect) {
        self.bytes = bytes
        self.dialect = dialect
        self.offset = offset
        start = offset
    }

    /// A Prometheus text is read as if a line break stood behind it.
    var count: Int { dialect == .text ? bytes.byteCount + 1 : bytes.byteCount }

    func byte(at offset: Int) -> UInt8 {
        offset < bytes.byteCount ? bytes[offset] : newline
    }

    /// Moves on by one byte and returns the next one, 0 at the end.
    @_lifetime(self: copy self)
    mutating func advance() -> UInt8 {
        offset += 1
        if state == .labelValue || state == .familyText || state == .comment {
            while offset < count, byte(at: offset) == 0 { offset += 1 }
        }
        return offset < count ? byte(at: offset) : 0
    }

    @_lifetime(self: copy self)
    mutating func next() -> Token {
        dialect == .text ? nextInText() : nextInOpenMetrics()
    }

    /// Moves over bytes that `isPart` accepts.
    @_lifetime(self: copy self)
    mutating func skip(while isPart: (UInt8) -> Bool) {
        while isPart(advance()) {}
    }

    /// From a quote to behind the closing one. A quote or backslash may be escaped; a line break
    /// may not, and stands unescaped only where `allowsLinebreak`.
    @_lifetime(self: copy self)
    mutating func quotedString(_ token: Token, then next: LexerState, allowsLinebreak: Bool)
        -> Token
    {
        while true {
            let byte = advance()
            if byte == UInt8(ascii: "\"") {
                _ = advance()
                state = next
                return token
            }
            if byte == UInt8(ascii: "\\") {
                let escaped = advance()
                if escaped == newline || escaped == 0 { return .invalid }
            } else if byte == 0 || (byte == newline && !allowsLinebreak) {
                return .invalid
            }
        }
    }

    /// Moves over one byte that is a word by itself.
    @_lifetime(self: copy self)
    mutating func single(_ token: Token, then next: LexerState) -> Token {
        _ = advance()
        state = next
        return token
    }

    /// Moves over the rest of a keyword whose first byte is being looked at; false at a byte that
    /// does not belong to it.
    @_lifetime(self: copy self)
    mutating func keyword(_ rest: StaticString) -> Bool {
        for index in 0..<rest.utf8CodeUnitCount {
            guard unsafe advance() == rest.utf8Start[index] else { return false }
        }
        return true
    }
}

func isLetter(_ byte: UInt8) -> Bool {
    (byte | 0x20) &- UInt8(ascii: "a") < 26 || byte == UInt8(ascii: "_")
}

func isDigit(_ byte: UInt8) -> Bool { byte &- UInt8(ascii: "0") < 10 }

func isMetricNameStart(_ byte: UInt8) -> Bool { isLetter(byte) || byte == UInt8(ascii: ":") }

func isMetricNamePart(_ byte: UInt8) -> Bool { isMetricNameStart(byte) || isDigit(byte) }

func isLabelNamePart(_ byte: UInt8) -> Bool { isLetter(byte) || isDigit(byte) }

func isWhitespace(_ byte: UInt8) -> Bool { byte == blank || byte == UInt8(ascii: "\t") }
