// SPDX-License-Identifier: Apache-2.0

/// Which experimental parts of the language are accepted.
package struct ParserOptions: Sendable, Hashable {
    package var experimentalFunctions = false
    package var durationExpressions = true
    package var extendedRangeSelectors = false
    package var fillModifiers = false

    package init() {}
}

/// Why a query is none: the first error, and the bytes that it points at.
package struct ParseError: Error, Sendable, Hashable, CustomStringConvertible {
    /// Upstream's sentence without position.
    package var message: String
    package var source: SourceRange
    /// `line:column` of the range's start, both from 1.
    package var position: String

    package init(message: String, source: SourceRange, position: String) {
        self.message = message
        self.source = source
        self.position = position
    }

    package var description: String { "\(position): parse error: \(message)" }
}
