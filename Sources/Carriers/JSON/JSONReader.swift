// SPDX-License-Identifier: Apache-2.0

internal import Bytes

/// The deepest nesting that is read. Deeper texts are refused, since reading recurses.
private let deepestNesting = 256

extension JSONValue {
    /// Reads one JSON text (RFC 8259, strictly) that fills `bytes`.
    package init(parsing bytes: RawSpan) throws(JSONError) {
        var reader = JSONReader(bytes)
        self = try reader.value(depth: 0)
        reader.skipBlanks()
        if !reader.isAtEnd { throw reader.error("unexpected text after the value") }
    }

    package init(parsing text: String) throws(JSONError) {
        self = try JSONValue(parsing: Array(text.utf8).raw)
    }
}

private struct JSONReader: ~Escapable {
    let bytes: RawSpan
    var offset = 0

    @_lifetime(copy bytes)
    init(_ bytes: RawSpan) { self.bytes = bytes }

    var isAtEnd: Bool { offset >= bytes.byteCount }
    var current: UInt8? { isAtEnd ? nil : bytes[offset] }

    func error(_ message: String, at position: Int? = nil) -> JSONError {
        let end = min(position ?? offset, bytes.byteCount)
        var line = 1
        var start = 0
        for index in 0..<end where bytes[index] == UInt8(ascii: "\n") {
            line += 1
            start = index + 1
        }
        return JSONError(line: line, column: end - start + 1, message: message)
    }

    @_lifetime(self: copy self)
    mutating func skipBlanks() {
        while let byte = current, [0x20, 0x0A, 0x0D, 0x09].contains(byte) { offset += 1 }
    }

    @_lifetime(self: copy self)
    mutating func take(_ byte: UInt8) -> Bool {
        guard current == byte else { return false }
        offset += 1
        return true
    }

    @_lifetime(self: copy self)
    mutating func value(depth: Int) throws(JSONError) -> JSONValue {
        skipBlanks()
        guard let byte = current else { throw error("unexpected end of the text") }
        if depth > deepestNesting { throw error("nested deeper than \(deepestNesting) levels") }
        switch byte {
        case UInt8(ascii: "{"): return try object(depth: depth)
        case UInt8(ascii: "["): return try array(depth: depth)
        case UInt8(ascii: "\""): return .string(try string())
        case UInt8(ascii: "t"): return try word("true", .boolean(true))
        case UInt8(ascii: "f"): return try word("false", .boolean(false))
        case UInt8(ascii: "n"): return try word("null", .null)
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return try number()
        default: throw error("expected a value")
        }
    }

    @_lifetime(self: copy self)
    private mutating func word(_ word: String, _ value: JSONValue) throws(JSONError) -> JSONValue {
        let start = offset
        for byte in word.utf8 {
            if !take(byte) { throw error("expected a value", at: start) }
        }
        return value
    }

    @_lifetime(self: copy self)
    private mutating func object(depth: Int) throws(JSONError) -> JSONValue {
        offset += 1
        var members: [JSONValue.Member] = []
        skipBlanks()
        if take(UInt8(ascii: "}")) { return .object(members) }
        while true {
            skipBlanks()
            guard current == UInt8(ascii: "\"") else { throw error("expected a member name") }
            let name = try string()
            skipBlanks()
            if !take(UInt8(ascii: ":")) { throw error("expected ':' after the member name") }
            members.append(JSONValue.Member(name, try value(depth: depth + 1)))
            skipBlanks()
            if take(UInt8(ascii: "}")) { return .object(members) }
            if !take(UInt8(ascii: ",")) { throw error("expected ',' or '}'") }
        }
    }

    @_lifetime(self: copy self)
    private mutating func array(depth: Int) throws(JSONError) -> JSONValue {
        offset += 1
        var elements: [JSONValue] = []
        skipBlanks()
        if take(UInt8(ascii: "]")) { return .array(elements) }
        while true {
            elements.append(try value(depth: depth + 1))
            skipBlanks()
            if take(UInt8(ascii: "]")) { return .array(elements) }
            if !take(UInt8(ascii: ",")) { throw error("expected ',' or ']'") }
        }
    }

    @_lifetime(self: copy self)
    private mutating func digits() throws(JSONError) {
        let start = offset
        while let byte = current, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) {
            offset += 1
        }
        if offset == start { throw error("expected a digit") }
    }

    @_lifetime(self: copy self)
    private mutating func number() throws(JSONError) -> JSONValue {
        let start = offset
        _ = take(UInt8(ascii: "-"))
        if !take(UInt8(ascii: "0")) { try digits() }
        if take(UInt8(ascii: ".")) { try digits() }
        if take(UInt8(ascii: "e")) || take(UInt8(ascii: "E")) {
            if !take(UInt8(ascii: "+")) { _ = take(UInt8(ascii: "-")) }
            try digits()
        }
        return .number(text(start..<offset))
    }

    private func text(_ range: Range<Int>) -> String { bytes.extracting(range).text }

    @_lifetime(self: copy self)
    private mutating func string() throws(JSONError) -> String {
        offset += 1
        var result = ""
        var copied = offset
        while let byte = current {
            switch byte {
            case UInt8(ascii: "\""):
                result += text(copied..<offset)
                offset += 1
                return result
            case UInt8(ascii: "\\"):
                result += text(copied..<offset)
                offset += 1
                result.unicodeScalars.append(try escape())
                copied = offset
            case ..<0x20: throw error("a control character must be escaped")
            default: offset += 1
            }
        }
        throw error("the text ends within a string")
    }

    /// The character behind a backslash. A lone surrogate becomes U+FFFD.
    @_lifetime(self: copy self)
    private mutating func escape() throws(JSONError) -> Unicode.Scalar {
        guard let byte = current else { throw error("the text ends within a string") }
        offset += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"):
            return Unicode.Scalar(byte)
        case UInt8(ascii: "b"): return "\u{08}"
        case UInt8(ascii: "f"): return "\u{0C}"
        case UInt8(ascii: "n"): return "\n"
        case UInt8(ascii: "r"): return "\r"
        case UInt8(ascii: "t"): return "\t"
        case UInt8(ascii: "u"): return try codePoint()
        default: throw error("unknown escape", at: offset - 1)
        }
    }

    @_lifetime(self: copy self)
    private mutating func codePoint() throws(JSONError) -> Unicode.Scalar {
        let unit = try fourHexDigits()
        if let scalar = Unicode.Scalar(unit) { return scalar }
        let start = offset
        if unit < 0xDC00, take(UInt8(ascii: "\\")), take(UInt8(ascii: "u")) {
            let low = try fourHexDigits()
            if (0xDC00...0xDFFF).contains(low) {
                return Unicode.Scalar(0x10000 + (unit - 0xD800) << 10 + (low - 0xDC00))
                    ?? "\u{FFFD}"
            }
        }
        offset = start
        return "\u{FFFD}"
    }

    @_lifetime(self: copy self)
    private mutating func fourHexDigits() throws(JSONError) -> UInt32 {
        var value: UInt32 = 0
        for _ in 0..<4 {
            guard let byte = current, let digit = Character(Unicode.Scalar(byte)).hexDigitValue
            else { throw error("expected four hexadecimal digits") }
            value = value << 4 | UInt32(digit)
            offset += 1
        }
        return value
    }
}
