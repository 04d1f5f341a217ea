// SPDX-License-Identifier: Apache-2.0

package import Instrumentation
package import Model
package import Storage

/// Evaluates PromQL. Any number of threads may run queries on one engine at once; each call blocks
/// until its result is complete, so it belongs on a bounded pool of threads of the caller's.
package final class Engine: Sendable {
    package let configuration: EngineConfiguration

    package init(_ configuration: EngineConfiguration, registry: Registry) {
        self.configuration = configuration
    }

    /// Evaluates `query` at one time.
    package func instant(
        _ query: String, at timestamp: Timestamp, on storage: any Queryable,
        _ options: QueryOptions = QueryOptions()
    ) throws(QueryError) -> QueryResult {
        throw QueryError(.invalid, "this expression cannot be evaluated yet")
    }

    /// Evaluates `query` at `start`, `start + step` … up to and including `end`.
    package func range(
        _ query: String, from start: Timestamp, through end: Timestamp, step: Milliseconds,
        on storage: any Queryable, _ options: QueryOptions = QueryOptions()
    ) throws(QueryError) -> QueryResult {
        throw QueryError(.invalid, "this expression cannot be evaluated yet")
    }
}
