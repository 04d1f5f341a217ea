// SPDX-License-Identifier: Apache-2.0

internal import Bytes

extension Lexer {
    @_lifetime(self: copy self)
    mutating func nextInText() -> Token {
        guard offset < count else { return .end }
        start = offset
        let byte = byte(at: offset)
        switch state {
        case .initial: return textLineStart(byte)
        case .familyText: return familyText(byte)
        default: break
        }
        if isWhitespace(byte) {
            skip(while: isWhitespace)
            return .whitespace
        }
        switch state {
        case .familyName: return textFamilyName(byte)
        case .labels: return textLabels(byte)
        case .labelValue:
            guard byte == UInt8(ascii: "\"") else { return .invalid }
            return quotedString(.labelValue, then: .labels, allowsLinebreak: true)
        case .value: return textValue(byte)
        case .timestamp: return textTimestamp(byte)
        default: return .invalid
        }
    }

    @_lifetime(self: copy self)
    private mutating func textLineStart(_ byte: UInt8) -> Token {
        switch byte {
        case 0: return single(.end, then: .initial)
        case newline: return single(.linebreak, then: .initial)
        case UInt8(ascii: "#"):
            guard isWhitespace(advance()) else { return restOfComment() }
            skip(while: isWhitespace)
            state = .comment
            return textKeyword()
        case UInt8(ascii: "{"): return single(.braceOpen, then: .labels)
        case _ where isWhitespace(byte):
            skip(while: isWhitespace)
            return .whitespace
        case _ where isMetricNameStart(byte):
            skip(while: isMetricNamePart)
            state = .value
            return .metricName
        default: return .invalid
        }
    }

    /// `HELP` or `TYPE` with blanks behind it begins metadata; all else is a comment.
    @_lifetime(self: copy self)
    private mutating func textKeyword() -> Token {
        let first = offset < count ? byte(at: offset) : 0
        let token: Token
        if first == UInt8(ascii: "H"), keyword("ELP") {
            token = .help
        } else if first == UInt8(ascii: "T"), keyword("YPE") {
            token = .type
        } else {
            return restOfComment()
        }
        guard isWhitespace(advance()) else { return restOfComment() }
        skip(while: isWhitespace)
        state = .familyName
        return token
    }

    @_lifetime(self: copy self)
    private mutating func restOfComment() -> Token {
        var byte = offset < count ? byte(at: offset) : 0
        while true {
            if byte == 0 { return .end }
            if byte == newline {
                state = .initial
                return .comment
            }
            byte = advance()
        }
    }

    @_lifetime(self: copy self)
    private mutating func textFamilyName(_ byte: UInt8) -> Token {
        if byte == UInt8(ascii: "\"") {
            return quotedString(.metricName, then: .familyText, allowsLinebreak: true)
        }
        guard isMetricNameStart(byte) else { return .invalid }
        skip(while: isMetricNamePart)
        state = .familyText
        return .metricName
    }

    /// The rest of the line with the blanks before it; blanks alone are no text.
    @_lifetime(self: copy self)
    private mutating func familyText(_ first: UInt8) -> Token {
        var byte = first
        while isWhitespace(byte) { byte = advance() }
        let isBlank = byte == newline || byte == 0
        if isBlank, offset > start { return .whitespace }
        while byte != newline, byte != 0 { byte = advance() }
        state = .initial
        return .text
    }

    @_lifetime(self: copy self)
    private mutating func textLabels(_ byte: UInt8) -> Token {
        switch byte {
        case UInt8(ascii: "\""):
            return quotedString(.quotedString, then: .labels, allowsLinebreak: true)
        case UInt8(ascii: ","): return single(.comma, then: .labels)
        case UInt8(ascii: "="): return single(.equal, then: .labelValue)
        case UInt8(ascii: "}"): return single(.braceClose, then: .value)
        case _ where isLetter(byte):
            skip(while: isLabelNamePart)
            return .labelName
        default: return .invalid
        }
    }

    @_lifetime(self: copy self)
    private mutating func textValue(_ byte: UInt8) -> Token {
        if byte == UInt8(ascii: "{") { return single(.braceOpen, then: .labels) }
        guard byte != 0, byte != newline else { return .invalid }
        skip { $0 != 0 && $0 != newline && $0 != UInt8(ascii: "{") && !isWhitespace($0) }
        state = .timestamp
        return .value
    }

    @_lifetime(self: copy self)
    private mutating func textTimestamp(_ byte: UInt8) -> Token {
        if byte == newline { return single(.linebreak, then: .initial) }
        guard isDigit(byte) else { return .invalid }
        skip(while: isDigit)
        return .timestamp
    }
}
