// SPDX-License-Identifier: Apache-2.0

/// Which experimental parts of the language are accepted.
package struct ParserOptions: Sendable, Hashable {
    package var experimentalFunctions = false
    package var durationExpressions = true
    package var extendedRangeSelectors = false
    package var fillModifiers = false

    package init() {}

    /// Everything that the language has.
    package static let all: ParserOptions = {
        var options = ParserOptions()
        options.experimentalFunctions = true
        options.extendedRangeSelectors = true
        options.fillModifiers = true
        return options
    }()
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

    init(_ message: String, _ source: SourceRange, in query: [UInt8]) {
        self.message = message
        self.source = source
        position = query.isEmpty ? "unknown position" : linePosition(source.start, in: query)
    }

    package var description: String { "\(position): parse error: \(message)" }
}

extension SourceRange {
    /// `line:column` of the start in the query that was parsed, as errors and annotations show it.
    package func position(in query: String) -> String { linePosition(start, in: Array(query.utf8)) }
}

/// Line and column from 1; the column counts bytes.
private func linePosition(_ offset: Int, in query: [UInt8]) -> String {
    guard offset >= 0, offset <= query.count else { return "invalid position" }
    let before = query[..<offset]
    let newline = UInt8(ascii: "\n")
    let line = before.reduce(1) { $1 == newline ? $0 + 1 : $0 }
    return "\(line):\(offset - (before.lastIndex(of: newline) ?? -1))"
}
