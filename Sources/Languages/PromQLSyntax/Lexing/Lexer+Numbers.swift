// SPDX-License-Identifier: Apache-2.0

internal import Model

extension Lexer {
    mutating func number() throws(ParseError) -> TokenKind {
        guard scanNumber() else { throw error("bad number syntax: \(quoted(text))") }
        return .number
    }

    mutating func numberOrDuration() throws(ParseError) -> TokenKind {
        if scanNumber() { return .number }
        guard scanRestOfDuration() else {
            throw error("bad number or duration syntax: \(quoted(text))")
        }
        return .duration
    }

    /// The units, and further numbers with units, behind the first number of a duration. Their
    /// order is checked when the duration is read.
    private mutating func scanRestOfDuration() -> Bool {
        guard accept(where: { "smhdwy".utf8.contains($0) }) else { return false }
        _ = accept(UInt8(ascii: "s"))
        while accept(where: isDigit) {
            while accept(where: isDigit) {}
            guard accept(where: { "smhdw".utf8.contains($0) }) else { return false }
            _ = accept(UInt8(ascii: "s"))
        }
        if isAlpha(peek) || isDigit(peek) {
            position += 1
            return false
        }
        return true
    }

    /// Decimal, octal and hexadecimal integers and decimal floats, with underscores between digits.
    /// False, with the offending bytes read, where the text is none.
    private mutating func scanNumber() -> Bool {
        let first = position
        var isHexadecimal = false
        // `0x1` would read as no sample once in a series description.
        if !describesSeries, accept(UInt8(ascii: "0")), accept(where: { $0 | 0x20 == 0x78 }) {
            _ = accept(UInt8(ascii: "_"))
            isHexadecimal = true
        }
        func isDigitHere(_ byte: UInt8) -> Bool {
            isDigit(byte) || isHexadecimal && (0x61...0x66).contains(byte | 0x20)
        }
        _ = accept(UInt8(ascii: "."))
        _ = accept(where: isDigitHere)
        var hasPoint = false
        var hasExponent = false
        while let byte = peek {
            if byte == UInt8(ascii: ".") {
                position += 1
                if hasPoint || accept(where: { $0 == 0x5F || $0 == 0x2E }) || isHexadecimal {
                    return false
                }
                hasPoint = true
            } else if byte | 0x20 == UInt8(ascii: "e") {
                position += 1
                if hasExponent { return false }
                hasExponent = true
                _ = accept(where: { $0 == UInt8(ascii: "+") || $0 == UInt8(ascii: "-") })
                if accept(where: isForbiddenInside) || peek == nil { return false }
            } else if byte == UInt8(ascii: "_") {
                position += 1
                if accept(where: isForbiddenInside) || peek == nil { return false }
            } else if isDigitHere(byte) {
                while accept(where: isDigitHere) {}
            } else {
                break
            }
        }
        if position == first { return false }
        if describesSeries, peek == UInt8(ascii: "x") { return true }
        return !(isAlpha(peek) || isDigit(peek))
    }

    /// What cannot follow an underscore or an exponent: `.`, `_`, `e`.
    private func isForbiddenInside(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: ".") || byte == UInt8(ascii: "_") || byte | 0x20 == UInt8(ascii: "e")
    }
}
