// SPDX-License-Identifier: Apache-2.0

/// A replacement text that refers to groups of a match, by the rules of Go's `Regexp.Expand`:
/// `$1`, `$name` and `${name}`, where a name without braces is as long as it can be (`$1x` is the
/// group named `1x`), `$$` is a dollar sign, and a group that does not exist or took no part is
/// empty.
package struct ReplacementTemplate: Sendable, Hashable {
    private enum Part: Sendable, Hashable {
        case literal(String)
        case numbered(Int)
        case named(String)
    }

    package let source: String
    private let parts: [Part]

    package init(_ source: String) {
        self.source = source
        var parts: [Part] = []
        var literal = ""
        var rest = Substring(source)
        while let dollar = rest.firstIndex(of: "$") {
            literal += rest[..<dollar]
            rest = rest[rest.index(after: dollar)...]
            if rest.first == "$" {
                literal += "$"
                rest = rest.dropFirst()
            } else if let name = Self.reference(&rest) {
                if !literal.isEmpty { parts.append(.literal(literal)) }
                literal = ""
                parts.append(Self.number(name).map { .numbered($0) } ?? .named(name))
            } else {
                literal += "$"
            }
        }
        literal += rest
        if !literal.isEmpty { parts.append(.literal(literal)) }
        self.parts = parts
    }

    /// Whether any dollar sign stands in the source, even a literal one.
    package var hasDollar: Bool { source.utf8.contains(UInt8(ascii: "$")) }

    /// Takes a name, with or without braces, from behind a dollar sign. Leaves `rest` alone where
    /// there is none.
    private static func reference(_ rest: inout Substring) -> String? {
        let isBraced = rest.first == "{"
        let start = isBraced ? rest.dropFirst() : rest
        let name = Substring(
            start.unicodeScalars.prefix {
                $0 == "_" || $0.properties.generalCategory == .decimalNumber
                    || $0.properties.isAlphabetic
            })
        guard !name.isEmpty else { return nil }
        let behind = start[name.endIndex...]
        if isBraced {
            guard behind.first == "}" else { return nil }
            rest = behind.dropFirst()
        } else {
            rest = behind
        }
        return String(name)
    }

    /// The number that a name is, if it is one: no leading zeros, below 10^8.
    private static func number(_ name: String) -> Int? {
        let digits = name.utf8
        guard digits.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }),
            digits.count == 1 || digits.first != UInt8(ascii: "0"), digits.count <= 9
        else { return nil }
        return Int(name)
    }

    /// The replacement for a match of `pattern` in `text`, whose `captures` are given.
    package func expand(_ pattern: Pattern, _ text: String, _ captures: [Range<Int>?]) -> String {
        var result = ""
        for part in parts {
            let group: Int?
            switch part {
            case .literal(let literal):
                result += literal
                continue
            case .numbered(let number): group = number
            case .named(let name): group = pattern.group(named: name)
            }
            guard let group, group < captures.count, let range = captures[group] else { continue }
            let bytes = text.utf8
            let start = bytes.index(bytes.startIndex, offsetBy: range.lowerBound)
            let end = bytes.index(bytes.startIndex, offsetBy: range.upperBound)
            result += String(decoding: bytes[start..<end], as: UTF8.self)
        }
        return result
    }
}

extension Pattern {
    /// Whether the pattern matches the whole of `text`.
    package func matchesWhole(_ text: String) -> Bool {
        var text = text
        return text.withUTF8 { bytes in
            matchesWhole(unsafe RawSpan(_unsafeBytes: UnsafeRawBufferPointer(bytes)))
        }
    }

    /// The byte ranges of the whole match and of each group, where the pattern matches all of
    /// `text`.
    package func wholeCaptures(in text: String) -> [Range<Int>?]? {
        var text = text
        return text.withUTF8 { bytes in
            captures(
                in: unsafe RawSpan(_unsafeBytes: UnsafeRawBufferPointer(bytes)), anchored: true)
        }
    }
}
