// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import Model

func isSpace(_ byte: UInt8?) -> Bool {
    byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") || byte == UInt8(ascii: "\n")
        || byte == UInt8(ascii: "\r")
}

func isDigit(_ byte: UInt8?) -> Bool {
    guard let byte else { return false }
    return (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
}

/// A letter or an underscore.
func isAlpha(_ byte: UInt8?) -> Bool {
    guard let byte else { return false }
    return byte == UInt8(ascii: "_")
        || (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
}

extension Lexer {
    var peek: UInt8? { position < input.count ? input[position] : nil }

    mutating func advance() -> UInt8? {
        guard position < input.count else { return nil }
        defer { position += 1 }
        return input[position]
    }

    mutating func accept(_ byte: UInt8) -> Bool {
        guard peek == byte else { return false }
        position += 1
        return true
    }

    mutating func accept(where isWanted: (UInt8) -> Bool) -> Bool {
        guard let peek, isWanted(peek) else { return false }
        position += 1
        return true
    }

    /// What has been read of the current token.
    var text: String { String(decoding: input[start..<position], as: UTF8.self) }

    func text(_ source: SourceRange) -> String {
        String(decoding: input[source.start..<source.end], as: UTF8.self)
    }

    /// The character that begins with the byte read last, in single quotes with Go's escapes.
    var character: String {
        guard position >= 1, position <= input.count else { return "'\u{FFFD}'" }
        let rest = String(decoding: input[(position - 1)...].prefix(4), as: UTF8.self)
        guard let scalar = rest.unicodeScalars.first else { return "'\u{FFFD}'" }
        if scalar == "'" { return "'\\''" }
        if scalar == "\"" { return "'\"'" }
        return "'" + quoted(String(scalar)).dropFirst().dropLast() + "'"
    }

    /// An error at the current token, which takes in the rest of the query.
    func error(_ message: String) -> ParseError {
        ParseError(message, SourceRange(start, input.count), in: input)
    }

    mutating func skipSpaces() -> TokenKind? {
        while isSpace(peek) { position += 1 }
        start = position
        return nil
    }

    /// To the end of the line; the comment mark has been read.
    mutating func skipComment() -> TokenKind? {
        while let byte = peek, byte != UInt8(ascii: "\n"), byte != UInt8(ascii: "\r") {
            position += 1
        }
        return .comment
    }

    /// A word or the name of a metric.
    mutating func word() -> TokenKind {
        while isAlpha(peek) || isDigit(peek) || peek == UInt8(ascii: ":") { position += 1 }
        defer {
            if describesSeries, peek != UInt8(ascii: "{") {
                mode = .values
            } else {
                mode = .general
            }
        }
        let text = text
        if let kind = TokenKind.words[text.lowercased()] {
            switch kind {
            // Young words, which many metrics bear: they count only before a parenthesis.
            case .keyword(.fill), .keyword(.fillLeft), .keyword(.fillRight):
                return isBeforeParenthesis ? kind : .identifier
            default: return kind
            }
        }
        return text.utf8.contains(UInt8(ascii: ":")) ? .metricIdentifier : .identifier
    }

    private var isBeforeParenthesis: Bool {
        input[position...].first { !isSpace($0) } == UInt8(ascii: "(")
    }
}
