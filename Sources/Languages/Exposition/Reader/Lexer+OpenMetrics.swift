// SPDX-License-Identifier: Apache-2.0

internal import Bytes

extension Lexer {
    @_lifetime(self: copy self)
    mutating func nextInOpenMetrics() -> Token {
        guard offset < count else { return .end }
        start = offset
        let byte = byte(at: offset)
        switch state {
        case .initial: return openMetricsLineStart(byte)
        case .comment: return openMetricsKeyword(byte)
        case .familyName: return openMetricsFamilyName(byte)
        case .familyText: return openMetricsFamilyText(byte)
        case .labels: return openMetricsLabels(byte, isExemplar: false)
        case .exemplarLabels: return openMetricsLabels(byte, isExemplar: true)
        case .labelValue:
            guard byte == UInt8(ascii: "\"") else { return .invalid }
            return quotedString(.labelValue, then: .labels, allowsLinebreak: false)
        case .value:
            if byte == UInt8(ascii: "{") { return single(.braceOpen, then: .labels) }
            return blankAndWord(byte, .value, then: .timestamp)
        case .exemplarValue:
            if byte == UInt8(ascii: "\"") {
                return quotedString(.labelValue, then: .exemplarLabels, allowsLinebreak: false)
            }
            return blankAndWord(byte, .value, then: .exemplarTimestamp)
        case .timestamp: return openMetricsTimestamp(byte)
        case .exemplarTimestamp:
            if byte == newline { return single(.linebreak, then: .initial) }
            return blankAndWord(byte, .timestamp, then: .exemplarTimestamp)
        }
    }

    @_lifetime(self: copy self)
    private mutating func openMetricsLineStart(_ byte: UInt8) -> Token {
        switch byte {
        case UInt8(ascii: "#"):
            guard advance() == blank else { return .invalid }
            let first = advance()
            state = .comment
            return openMetricsKeyword(first)
        case UInt8(ascii: "{"): return single(.braceOpen, then: .labels)
        case _ where isMetricNameStart(byte):
            skip(while: isMetricNamePart)
            state = .value
            return .metricName
        default: return .invalid
        }
    }

    @_lifetime(self: copy self)
    private mutating func openMetricsKeyword(_ byte: UInt8) -> Token {
        switch byte {
        case UInt8(ascii: "E"):
            guard keyword("OF") else { return .invalid }
            if advance() == newline { _ = advance() }
            state = .initial
            return .endWord
        case UInt8(ascii: "H"): return keyword("ELP ") ? metadata(.help) : .invalid
        case UInt8(ascii: "T"): return keyword("YPE ") ? metadata(.type) : .invalid
        case UInt8(ascii: "U"): return keyword("NIT ") ? metadata(.unit) : .invalid
        default: return .invalid
        }
    }

    @_lifetime(self: copy self)
    private mutating func metadata(_ token: Token) -> Token {
        _ = advance()
        state = .familyName
        return token
    }

    @_lifetime(self: copy self)
    private mutating func openMetricsFamilyName(_ byte: UInt8) -> Token {
        if byte == UInt8(ascii: "\"") {
            return quotedString(.metricName, then: .familyText, allowsLinebreak: true)
        }
        guard isMetricNameStart(byte) else { return .invalid }
        skip(while: isMetricNamePart)
        state = .familyText
        return .metricName
    }

    /// A blank, the text and the line break.
    @_lifetime(self: copy self)
    private mutating func openMetricsFamilyText(_ byte: UInt8) -> Token {
        guard byte == blank else { return .invalid }
        while true {
            let byte = advance()
            if byte == 0 { return .invalid }
            if byte == newline { return single(.text, then: .initial) }
        }
    }

    @_lifetime(self: copy self)
    private mutating func openMetricsLabels(_ byte: UInt8, isExemplar: Bool) -> Token {
        let labels: LexerState = isExemplar ? .exemplarLabels : .labels
        switch byte {
        case UInt8(ascii: "\""):
            return quotedString(.quotedString, then: labels, allowsLinebreak: !isExemplar)
        case UInt8(ascii: ","): return single(.comma, then: labels)
        case UInt8(ascii: "="):
            return single(.equal, then: isExemplar ? .exemplarValue : .labelValue)
        case UInt8(ascii: "}"):
            return single(.braceClose, then: isExemplar ? .exemplarValue : .value)
        case _ where isLetter(byte):
            skip(while: isLabelNamePart)
            return .labelName
        default: return .invalid
        }
    }

    /// One blank and a word behind it.
    @_lifetime(self: copy self)
    private mutating func blankAndWord(
        _ byte: UInt8, _ token: Token, then next: LexerState
    ) -> Token {
        guard byte == blank else { return .invalid }
        let first = advance()
        guard isWordPart(first) else { return .invalid }
        skip(while: isWordPart)
        state = next
        return token
    }

    /// A line break, a timestamp, or the ` # {` of an exemplar.
    @_lifetime(self: copy self)
    private mutating func openMetricsTimestamp(_ byte: UInt8) -> Token {
        if byte == newline { return single(.linebreak, then: .initial) }
        guard byte == blank else { return .invalid }
        let first = advance()
        guard isWordPart(first) else { return .invalid }
        if first == UInt8(ascii: "#") {
            let second = advance()
            if second == blank {
                guard advance() == UInt8(ascii: "{") else { return .invalid }
                return single(.comment, then: .exemplarLabels)
            }
            guard isWordPart(second) else { return .timestamp }
        }
        skip(while: isWordPart)
        return .timestamp
    }
}

private func isWordPart(_ byte: UInt8) -> Bool {
    byte != 0 && byte != newline && byte != blank
}
