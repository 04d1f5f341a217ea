// SPDX-License-Identifier: Apache-2.0

/// Why an exposition, or its Content-Type header, cannot be used. The message is upstream's.
package struct ExpositionError: Error, Hashable, CustomStringConvertible {
    package var message: String

    package init(_ message: String) { self.message = message }

    package var description: String { message }
}

/// The text formats that `ExpositionReader` reads.
package enum TextDialect: Sendable, Hashable {
    /// Prometheus text 0.0.4 and 1.0.0: blanks and comments wherever they do no harm.
    case text
    /// OpenMetrics 0.0.1 and 1.0: single blanks, no comments, `# EOF` at the end.
    case openMetrics
}
