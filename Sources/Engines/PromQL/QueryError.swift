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
        /// The query, or all that run, would take more memory than they may.
        case tooMuchMemory
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
    static func tooMuchMemory(_ limit: Int) -> QueryError {
        QueryError(
            .tooMuchMemory,
            "query processing would hold more than \(byteText(limit)) of memory in query execution "
                + "(--query.max-memory)")
    }

    static func tooMuchMemory(inAll limit: Int, _ own: Int) -> QueryError {
        QueryError(
            .tooMuchMemory,
            "all queries together would hold more than \(byteText(limit)) of memory in query "
                + "execution (--query.max-memory-total), \(byteText(own)) of it this one")
    }

    /// `512MiB`, `1.5GiB`: at most one digit behind the point.
    private static func byteText(_ bytes: Int) -> String {
        var value = Double(bytes)
        var units = ["B", "KiB", "MiB", "GiB", "TiB"][...]
        while value >= 1024, units.count > 1 {
            value /= 1024
            units.removeFirst()
        }
        let rounded = (value * 10).rounded() / 10
        let text = rounded == rounded.rounded() ? "\(Int(rounded))" : "\(rounded)"
        return text + units.first!
    }

    static let timedOut = QueryError(.timeout, "query timed out in expression evaluation")
    static let cancelled = QueryError(.cancelled, "query was canceled in expression evaluation")
}
