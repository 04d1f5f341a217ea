// SPDX-License-Identifier: Apache-2.0

internal import Model

/// The items of an `@st` line: `_`, `_xN`, `-1m`, `-1mxN`, `-1m+10sxN`.
enum StartOffsets {
    static func parse(_ text: String) -> [Milliseconds?]? {
        var result: [Milliseconds?] = []
        for item in text.split(whereSeparator: { $0 == " " || $0 == "\t" }) {
            guard let values = values(item), values.count < 1_000_000 else { return nil }
            result += values
        }
        return result
    }

    private static func values(_ item: Substring) -> [Milliseconds?]? {
        if item == "_" { return [nil] }
        if item.hasPrefix("_x") {
            return count(item.dropFirst(2)).map { [Milliseconds?](repeating: nil, count: $0) }
        }
        guard let (base, rest) = duration(item) else { return nil }
        if rest.isEmpty { return [base] }
        if rest.hasPrefix("x") {
            return count(rest.dropFirst()).map { [Milliseconds?](repeating: base, count: $0 + 1) }
        }
        guard rest.hasPrefix("+") || rest.hasPrefix("-"), let (step, tail) = duration(rest),
            tail.hasPrefix("x"), let times = count(tail.dropFirst())
        else { return nil }
        return (0...times).map { base &+ Int64($0) &* step }
    }

    private static func count(_ text: Substring) -> Int? {
        Int(text).flatMap { (0...1_000_000).contains($0) ? $0 : nil }
    }

    /// A duration with an optional sign at the head of `text`, and what follows it.
    private static func duration(_ text: Substring) -> (Milliseconds, Substring)? {
        var rest = text
        let isNegative = rest.hasPrefix("-")
        if isNegative || rest.hasPrefix("+") { rest = rest.dropFirst() }
        let digits = rest.prefix { $0.isASCII && $0.isNumber }
        let unit = rest.dropFirst(digits.count).prefix { $0.isASCII && $0.isLetter && $0 != "x" }
        guard let length = DurationText.parse(String(digits + unit)) else { return nil }
        return (isNegative ? -length : length, rest.dropFirst(digits.count + unit.count))
    }
}
