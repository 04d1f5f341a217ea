// SPDX-License-Identifier: Apache-2.0
//
// The engine as a library: queries over series in memory, or over any storage that can select
// series by matchers.
//
//     let store = SeriesStore()
//     try store.append(42, at: 60_000, to: ["__name__": "answers_total", "job": "mouse"])
//     let answer = try QueryEngine().instant("sum(answers_total)", at: 60_000, in: store)
//
// The types here are a surface that stays; behind them are those that the server itself uses.

internal import Instrumentation
internal import Model
internal import PromQL
internal import PromQLSyntax
internal import Storage

/// Evaluates PromQL with the results, warnings and error texts of Prometheus. Any number of threads
/// may ask at once. A call blocks until its answer is complete, and walks over the tree of the
/// query, so that the thread should have a stack of 2 MiB or more.
public final class QueryEngine: Sendable {
    private let engine: Engine

    public init(_ options: EngineOptions = EngineOptions()) {
        engine = Engine(options.configuration, registry: Registry())
    }

    /// Evaluates a query at one time, in milliseconds since 1970.
    public func instant(
        _ query: String, at timestamp: Int64, in source: any SeriesSource
    ) throws(QueryFailure) -> QueryAnswer {
        try answer { () throws(QueryError) in
            try engine.instant(query, at: timestamp, on: ForeignStorage(source: source))
        }
    }

    /// Evaluates a query at one time, in milliseconds since 1970.
    public func instant(
        _ query: String, at timestamp: Int64, in store: SeriesStore
    ) throws(QueryFailure) -> QueryAnswer {
        try answer { () throws(QueryError) in
            try engine.instant(query, at: timestamp, on: store.storage)
        }
    }

    /// Evaluates a query at `start`, `start + step` … up to and including `end`, in milliseconds.
    public func range(
        _ query: String, from start: Int64, through end: Int64, step: Int64,
        in source: any SeriesSource
    ) throws(QueryFailure) -> QueryAnswer {
        try answer { () throws(QueryError) in
            try engine.range(
                query, from: start, through: end, step: step, on: ForeignStorage(source: source))
        }
    }

    /// Evaluates a query at `start`, `start + step` … up to and including `end`, in milliseconds.
    public func range(
        _ query: String, from start: Int64, through end: Int64, step: Int64, in store: SeriesStore
    ) throws(QueryFailure) -> QueryAnswer {
        try answer { () throws(QueryError) in
            try engine.range(query, from: start, through: end, step: step, on: store.storage)
        }
    }

    private func answer(
        _ body: () throws(QueryError) -> QueryResult
    ) throws(QueryFailure) -> QueryAnswer {
        do {
            return QueryAnswer(try body())
        } catch {
            throw QueryFailure(error)
        }
    }
}
