// SPDX-License-Identifier: Apache-2.0

package import PromQLSyntax
package import Storage

/// Why a query has no result.
package struct QueryError: Error, Sendable, CustomStringConvertible {
    package enum Kind: Sendable {
        /// The text is no query.
        case parse(ParseError)
        /// The query is one, but cannot be evaluated in the way that was asked for.
        case invalid
        /// The evaluation met data that it must not go on with.
        case execution
        case timeout
        case cancelled
        case tooManySamples
        case storage(StorageError)
    }

    package var kind: Kind
    /// In upstream's words, as the HTTP API shows it.
    package var message: String

    package init(_ kind: Kind, _ message: String) {
        self.kind = kind
        self.message = message
    }

    package var description: String { message }

    static func execution(_ message: String) -> QueryError { QueryError(.execution, message) }

    static func storage(_ error: StorageError) -> QueryError {
        QueryError(.storage(error), "expanding series: \(error.message)")
    }

    static let sameLabelset = QueryError.execution(
        "vector cannot contain metrics with the same labelset")
    static let tooManySamples = QueryError(
        .tooManySamples,
        "query processing would load too many samples into memory in query execution")
    static let timedOut = QueryError(.timeout, "query timed out in expression evaluation")
    static let cancelled = QueryError(.cancelled, "query was canceled in expression evaluation")
}
