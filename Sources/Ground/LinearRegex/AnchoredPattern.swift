// SPDX-License-Identifier: Apache-2.0

/// A pattern as matchers and relabelling use it: fully anchored, dot matches newline.
package struct AnchoredPattern: Sendable, Hashable {
    package let source: String
    private let pattern: Pattern

    package init(_ source: String) throws(PatternError) {
        self.source = source
        pattern = try Pattern(source)
    }

    package func matches(_ text: RawSpan) -> Bool { pattern.matchesWhole(text) }

    package func matches(_ text: String) -> Bool {
        var text = text
        return text.withUTF8 { unsafe matches(RawSpan(_unsafeBytes: UnsafeRawBufferPointer($0))) }
    }

    package static func == (left: Self, right: Self) -> Bool { left.source == right.source }
    package func hash(into hasher: inout Hasher) { hasher.combine(source) }
}
