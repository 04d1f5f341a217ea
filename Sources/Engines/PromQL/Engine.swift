// SPDX-License-Identifier: Apache-2.0
//
// The engine evaluates a query series by series, not step by step.
//
//      text → expression → operators → rows → result
//
// `Planner` turns the tree into operators for the steps of the query. An operator knows the names
// of its rows before it reads a sample; groups, signatures and clashes of labels are worked out
// from those once. Then it hands on its rows, one series at a time with the values of all steps: a
// column of floats beside a bitmap of the steps that have one, and a side column for native
// histograms.
//
//   - A selector decodes each series once for the whole query (`SeriesSet.read`) and walks over its
//     samples with two indices that only move forwards (`WindowIndex`). Series of one target have
//     the same timestamps; for them indices and extrapolation factors are kept (`WindowCache`).
//   - Functions and operations with scalars change the row that they are lent and pass it on.
//   - Aggregations keep a few numbers for each group and step; their input is never held.
//   - Operations between vectors, topk, quantiles and histograms hold their input (`Block`), and
//     decide by intersections of bitmaps who matches whom.
//   - Parts that are the same at every step (`@`) run for one step and are repeated. Subqueries run
//     on steps of their own, and their rows become the samples of the function around them.
//
// An instant query is the same with one step. Floats go through exactly the operations of upstream
// in its order, so that results agree to the last digit.

package import Instrumentation
package import Model
internal import Platform
internal import PromQLSyntax
package import Storage
internal import Synchronization

/// Evaluates PromQL. Any number of threads may run queries on one engine at once; each call blocks
/// until its result is complete, so it belongs on a bounded pool of threads of the caller's.
package final class Engine: Sendable {
    package let configuration: EngineConfiguration
    private let metrics: EngineMetrics
    private let tracker: (any QueryTracker)?
    private let pool: MemoryPool
    private let queryLog = Mutex<(any QueryLog)?>(nil)

    package init(
        _ configuration: EngineConfiguration, registry: Registry,
        tracker: (any QueryTracker)? = nil
    ) {
        self.configuration = configuration
        self.tracker = tracker
        let pool = MemoryPool(limit: configuration.maxMemoryInAll)
        self.pool = pool
        metrics = EngineMetrics(registry, pool, maxConcurrency: configuration.maxConcurrency)
    }

    /// From now on queries are written to this log, or to none.
    package func setQueryLog(_ log: (any QueryLog)?) {
        queryLog.withLock { $0 = log }
        metrics.queryLogEnabled.set(log == nil ? 0 : 1)
    }

    /// Evaluates `query` at one time.
    package func instant(
        _ query: String, at timestamp: Timestamp, on storage: any Queryable,
        _ options: QueryOptions = QueryOptions()
    ) throws(QueryError) -> QueryResult {
        let expression = try parse(query)
        let bounds = bounds(timestamp, timestamp, step: 0, options)
        return try evaluate(query, expression, bounds, on: storage, options)
    }

    /// Evaluates `query` at `start`, `start + step` … up to and including `end`.
    package func range(
        _ query: String, from start: Timestamp, through end: Timestamp, step: Milliseconds,
        on storage: any Queryable, _ options: QueryOptions = QueryOptions()
    ) throws(QueryError) -> QueryResult {
        let expression = try parseRange(query)
        guard step > 0 else { throw QueryError(.invalid, "the step must be positive") }
        let bounds = bounds(start, end, step: step, options)
        return try evaluate(query, expression, bounds, on: storage, options)
    }

    /// How `query` would be evaluated; `step` is 0 for an instant query. Reads nothing.
    package func plan(
        _ query: String, from start: Timestamp, through end: Timestamp, step: Milliseconds,
        _ options: QueryOptions = QueryOptions()
    ) throws(QueryError) -> PlanNode {
        let expression = try step == 0 ? parse(query) : parseRange(query)
        var builder = PlanBuilder(configuration, bounds(start, end, step: step, options))
        return try builder.plan(expression)
    }

    private func parseRange(_ query: String) throws(QueryError) -> Expression {
        let expression = try parse(query)
        guard expression.type == .vector || expression.type == .scalar else {
            let type = expression.type == .matrix ? "range vector" : "string"
            throw QueryError(
                .invalid,
                "invalid expression type \(quoted(type)) for range query, "
                    + "must be Scalar or instant Vector")
        }
        return expression
    }

    private func parse(_ query: String) throws(QueryError) -> Expression {
        do {
            return try parseExpression(query, configuration.parser)
        } catch {
            throw QueryError(.parse(error), error.description)
        }
    }

    private func bounds(
        _ start: Timestamp, _ end: Timestamp, step: Milliseconds, _ options: QueryOptions
    ) -> QueryBounds {
        var lookback = configuration.lookbackDelta
        if let own = options.lookbackDelta, own > 0 { lookback = own }
        return QueryBounds(start: start, end: end, step: step, lookbackDelta: lookback)
    }

    /// Evaluates under the eyes of metrics, tracker and log.
    private func evaluate(
        _ query: String, _ expression: Expression, _ bounds: QueryBounds,
        on storage: any Queryable, _ options: QueryOptions
    ) throws(QueryError) -> QueryResult {
        metrics.running.add(1)
        defer { metrics.running.add(-1) }
        let token = tracker?.begin(query)
        defer { if let token { tracker?.end(token) } }
        var record = QueryRecord(
            query: query, start: bounds.start, end: bounds.end, step: bounds.step,
            statistics: QueryStatistics(), origin: options.origin)
        do throws(QueryError) {
            var result = try run(query, expression, bounds, on: storage, options, &record)
            result.statistics = record.statistics
            log(record)
            return result
        } catch {
            record.failure = error.message
            log(record)
            throw error
        }
    }

    private func run(
        _ query: String, _ expression: Expression, _ bounds: QueryBounds,
        on storage: any Queryable, _ options: QueryOptions, _ record: inout QueryRecord
    ) throws(QueryError) -> QueryResult {
        let begun = monotonicNanoseconds()
        let memory = QueryMemory(configuration, pool)
        let range = try TimeBounds.of(expression, bounds)
        let querier: any Querier
        do {
            querier = try storage.querier(over: range)
        } catch {
            throw QueryError(.storage(error), error.message)
        }
        let evaluation = Evaluation(
            configuration, options, querier, bounds, memory, startedAt: begun)
        if bounds.step == 0, case .vectorSelector = expression.unwrapped {
            evaluation.needsOrder = false
        }
        let prepared = monotonicNanoseconds()
        defer {
            record.statistics = evaluation.statistics(options, begun: begun, prepared: prepared)
            metrics.note(record.statistics, isSorted: evaluation.isResultSorted)
        }
        let recorder = options.explains ? NodeRecorder(memory) : nil
        evaluation.ledger.recorder = recorder
        let value = try ResultBuilder(evaluation).value(of: expression)
        var result = QueryResult(
            value: value, warnings: evaluation.annotations.texts(.warning, in: query),
            infos: evaluation.annotations.texts(.info, in: query), statistics: QueryStatistics())
        if let recorder {
            var builder = PlanBuilder(configuration, bounds, (evaluation.ledger, recorder))
            result.plan = try builder.plan(expression)
        }
        result.memory = memory.handOver()
        return result
    }

    private func log(_ record: QueryRecord) {
        guard let queryLog = queryLog.withLock({ $0 }) else { return }
        if !queryLog.write(record) { metrics.queryLogFailures.increment() }
    }
}
