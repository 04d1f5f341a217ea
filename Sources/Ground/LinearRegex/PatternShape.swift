// SPDX-License-Identifier: Apache-2.0
//
// Most patterns that people write need no regular expression engine: `a|b|c`, `prefix.*`, `.+`.
// Their shape is read off the source once, and matching is then a comparison of bytes. What a shape
// says holds for every text, also one that is not valid UTF-8: an anchored `.*` with dots that
// match newlines accepts any bytes, and `.+` any but none.

/// The form of an anchored pattern, where it is one of the simple ones.
enum PatternShape: Sendable {
    /// One of these texts.
    case texts([[UInt8]])
    /// A text with something before or after it.
    case around(before: Filling, text: [UInt8], after: Filling)

    enum Filling: Sendable {
        case nothing, anything, something

        var shortest: Int { self == .something ? 1 : 0 }
    }

    /// Nil where only the engine can tell.
    init?(_ source: String) {
        var bytes = Array(source.utf8)[...]
        if let inner = PatternShape.unwrapped(bytes) { bytes = inner }
        let alternatives = bytes.split(
            separator: UInt8(ascii: "|"), omittingEmptySubsequences: false)
        var texts: [[UInt8]] = []
        for alternative in alternatives {
            guard let text = PatternShape.literal(alternative) else { break }
            texts.append(text)
        }
        if texts.count == max(1, alternatives.count) {
            self = .texts(texts)
            return
        }
        guard alternatives.count == 1 else { return nil }
        let after = PatternShape.takeFilling(&bytes, atEnd: true)
        let before = PatternShape.takeFilling(&bytes, atEnd: false)
        guard let text = PatternShape.literal(bytes) else { return nil }
        // `.+.+` asks for two characters, which a count of bytes cannot tell.
        if text.isEmpty, before != .nothing { return nil }
        self = .around(before: before, text: text, after: after)
    }

    func matches(_ text: UnsafeRawBufferPointer) -> Bool {
        switch self {
        case .texts(let texts):
            return texts.contains { unsafe text.elementsEqual($0) }
        case .around(let before, let part, let after):
            let spare = text.count - part.count - before.shortest - after.shortest
            guard spare >= 0 else { return false }
            // A side with nothing on it fixes the place; else every place is tried.
            let first = before.shortest
            let last = text.count - part.count - after.shortest
            switch (before, after) {
            case (.nothing, .nothing): return unsafe text.elementsEqual(part)
            case (.nothing, _): return unsafe text.starts(with: part)
            case (_, .nothing): return unsafe text[(text.count - part.count)...].elementsEqual(part)
            default:
                return (first...last).contains { unsafe text[$0...].starts(with: part) }
            }
        }
    }

    /// Takes `.*` or `.+` off one end.
    private static func takeFilling(_ bytes: inout ArraySlice<UInt8>, atEnd: Bool) -> Filling {
        let taken = atEnd ? bytes.suffix(2) : bytes.prefix(2)
        guard taken.count == 2, taken.first == UInt8(ascii: ".") else { return .nothing }
        let filling: Filling
        switch taken.last {
        case UInt8(ascii: "*"): filling = .anything
        case UInt8(ascii: "+"): filling = .something
        default: return .nothing
        }
        // An escaped dot is a dot.
        if atEnd, bytes.dropLast(2).last == UInt8(ascii: "\\") { return .nothing }
        bytes = atEnd ? bytes.dropLast(2) : bytes.dropFirst(2)
        return filling
    }

    /// What stands in one pair of parentheses around everything, with none inside.
    private static func unwrapped(_ bytes: ArraySlice<UInt8>) -> ArraySlice<UInt8>? {
        guard bytes.count >= 2, bytes.first == UInt8(ascii: "("), bytes.last == UInt8(ascii: ")")
        else {
            return nil
        }
        var inner = bytes.dropFirst().dropLast()
        if inner.starts(with: "?:".utf8) { inner = inner.dropFirst(2) }
        let special = Set("()?\\".utf8)
        return inner.contains { special.contains($0) } ? nil : inner
    }

    /// The text that a pattern without operators stands for.
    private static func literal(_ bytes: ArraySlice<UInt8>) -> [UInt8]? {
        let operators = Set(#"\.+*?()|[]{}^$"#.utf8)
        var text: [UInt8] = []
        var rest = bytes
        while let byte = rest.popFirst() {
            if byte != UInt8(ascii: "\\") {
                guard !operators.contains(byte) else { return nil }
                text.append(byte)
            } else {
                // Only an escaped operator or hyphen stands for itself.
                guard let escaped = rest.popFirst(),
                    operators.contains(escaped) || escaped == UInt8(ascii: "-")
                else { return nil }
                text.append(escaped)
            }
        }
        return text
    }
}
