// SPDX-License-Identifier: Apache-2.0

/// A pattern as matchers and relabelling use it: fully anchored, dot matches newline. Patterns of a
/// simple shape never reach the engine.
package struct AnchoredPattern: Sendable, Hashable {
    private enum Program: Sendable {
        case shape(PatternShape)
        case engine(Pattern)
    }

    package let source: String
    private let program: Program

    package init(_ source: String) throws(PatternError) {
        self.source = source
        if let shape = PatternShape(source) {
            program = .shape(shape)
        } else {
            program = .engine(try Pattern(source))
        }
    }

    package func matches(_ text: RawSpan) -> Bool {
        switch program {
        case .shape(let shape): unsafe text.withUnsafeBytes { unsafe shape.matches($0) }
        case .engine(let pattern): pattern.matchesWhole(text)
        }
    }

    package func matches(_ text: String) -> Bool {
        var text = text
        return text.withUTF8 { unsafe matches(RawSpan(_unsafeBytes: UnsafeRawBufferPointer($0))) }
    }

    /// The only texts that match, each once and in order, where the pattern lists them.
    package var texts: [String]? {
        guard case .shape(.texts(let texts)) = program else { return nil }
        return Set(texts).sorted { $0.lexicographicallyPrecedes($1) }
            .map { String(decoding: $0, as: UTF8.self) }
    }

    package static func == (left: Self, right: Self) -> Bool {
        left.source.utf8.elementsEqual(right.source.utf8)
    }

    package func hash(into hasher: inout Hasher) { hasher.combine(source) }
}
