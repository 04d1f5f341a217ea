// SPDX-License-Identifier: Apache-2.0

package import Model

/// A query that was evaluated, as the query log has it.
package struct QueryRecord: Sendable {
    package var query: String
    package var start: Timestamp
    package var end: Timestamp
    /// 0 for an instant query.
    package var step: Milliseconds
    /// Why it has no result; nil where it has one.
    package var failure: String?
    package var statistics: QueryStatistics
    package var origin: QueryOrigin?

    package init(
        query: String, start: Timestamp, end: Timestamp, step: Milliseconds,
        statistics: QueryStatistics, origin: QueryOrigin?
    ) {
        self.query = query
        self.start = start
        self.end = end
        self.step = step
        self.statistics = statistics
        self.origin = origin
    }
}

/// Who asked.
package enum QueryOrigin: Sendable {
    case request(clientAddress: String, method: String, path: String)
}

/// Takes a record of each query that was evaluated. Any thread may write.
package protocol QueryLog: Sendable {
    /// False where the record is lost.
    func write(_ record: QueryRecord) -> Bool
}

/// Knows which queries are running, so that after a crash it can be told which were. Any thread may
/// use it.
package protocol QueryTracker: Sendable {
    /// A query begins. Returns what `end` wants to know.
    func begin(_ query: String) -> Int
    func end(_ token: Int)
}
