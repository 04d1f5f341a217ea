// SPDX-License-Identifier: Apache-2.0

internal import Model
internal import Platform
internal import PromQLSyntax
internal import Storage

/// What the operators of one running query share. One thread at a time.
final class Evaluation {
    let configuration: EngineConfiguration
    let querier: any Querier
    /// The steps of the query as a whole, which `@ start()`, `range()` and the like refer to.
    let bounds: QueryBounds
    let lookbackDelta: Milliseconds
    /// Cleared where the order of a selection is that of the result, and nobody promises one.
    var needsOrder = true
    let annotations = Annotations()
    let ledger: QueryLedger
    let memory: QueryMemory
    /// How long the result was sorted, in nanoseconds.
    private var sortingTime: UInt64 = 0
    private(set) var isResultSorted = false
    let interruption: Interruption
    private var checks: UInt32 = 0

    init(
        _ configuration: EngineConfiguration, _ options: QueryOptions, _ querier: any Querier,
        _ bounds: QueryBounds, _ memory: QueryMemory, startedAt: UInt64
    ) {
        self.configuration = configuration
        self.querier = querier
        self.bounds = bounds
        self.memory = memory
        lookbackDelta = bounds.lookbackDelta
        ledger = QueryLedger(
            limit: configuration.maxSamples, detailed: options.collectsStatistics)
        let seconds = min(configuration.timeout, options.timeout ?? .infinity)
        let left = seconds - options.timeInQueue
        interruption = Interruption(
            cancellation: options.cancellation,
            deadline: startedAt &+ UInt64(max(0, min(left, 1e9)) * 1e9))
    }

    var delaysNameRemoval: Bool { configuration.delayedNameRemoval }

    /// Stops the query where nobody waits for it any more, its time is over, or it holds too much.
    /// Operators call this for every row; the clock is read for one in sixteen.
    func checkpoint() throws(QueryError) {
        if interruption.isCancelled { throw .cancelled }
        try memory.check()
        checks &+= 1
        guard checks & 15 == 1 else { return }
        if interruption.isOverdue { throw .timedOut }
    }

    /// Sorts the result, on the clock.
    func timeSorting(_ sort: () -> Void) {
        let begun = monotonicNanoseconds()
        sort()
        isResultSorted = true
        sortingTime += monotonicNanoseconds() - begun
    }

    /// What the query has come to until now.
    func statistics(
        _ options: QueryOptions, begun: UInt64, prepared: UInt64
    ) -> QueryStatistics {
        func seconds(_ nanoseconds: UInt64) -> Double { Double(nanoseconds) / 1e9 }
        let now = monotonicNanoseconds()
        var statistics = ledger.statistics
        if !options.collectsStatisticsPerStep {
            statistics.totalSamplesPerStep = nil
            statistics.samplesReadPerStep = nil
        }
        statistics.timings.queue = options.timeInQueue
        statistics.timings.preparation = seconds(prepared - begun)
        statistics.timings.sorting = seconds(sortingTime)
        statistics.timings.innerEvaluation = seconds(now - prepared - sortingTime)
        statistics.timings.evaluation = seconds(now - begun)
        statistics.timings.execution = statistics.timings.evaluation + options.timeInQueue
        return statistics
    }

    func select(_ matchers: [Matcher], over range: TimeRange) throws(QueryError) -> any SeriesSet {
        do {
            var hints = SelectHints(range: range)
            hints.needsOrder = needsOrder
            return try querier.select(matchers, hints: hints)
        } catch {
            throw .storage(error)
        }
    }

    /// The labels of the result of an operation that says nothing about the metric itself any more:
    /// they lose the metric's name now or, with delayed name removal, at the end.
    func droppingName(_ row: RowLabels) -> RowLabels {
        if delaysNameRemoval { return RowLabels(row.labels, dropsName: true) }
        return RowLabels(row.labels.withoutMetadata)
    }
}

/// The times of a whole query.
struct QueryBounds {
    var start: Timestamp
    var end: Timestamp
    /// 0 for an instant query.
    var step: Milliseconds
    var lookbackDelta: Milliseconds

    var steps: Steps {
        step == 0 ? .single(start) : Steps(from: start, through: end, every: step)
    }
}
