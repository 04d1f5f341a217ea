// SPDX-License-Identifier: Apache-2.0

package import Model
package import Platform
package import PromQLSyntax

/// What holds for every query of an engine.
package struct EngineConfiguration: Sendable {
    /// How far back an instant selector looks for the newest sample; that bound itself is excluded.
    package var lookbackDelta: Milliseconds = 300_000
    /// How long one query may take, in seconds.
    package var timeout: Double = 120
    /// How many samples one query may hold at once.
    package var maxSamples = 50_000_000
    /// How many bytes one query may hold on the heap, and all together; 0 for no limit.
    package var maxMemory = 0
    package var maxMemoryInAll = 0
    /// The balance of the calling thread's allocations in bytes; nil where the allocator keeps
    /// none, which switches the limits off.
    package var memoryMeter: @Sendable () -> Int? = { ThreadMemory.held }
    /// How many queries the owner of the engine lets run at once; reported as a metric.
    package var maxConcurrency = 20
    /// The step of a subquery that states none: the global evaluation interval.
    package var defaultSubqueryStep: Milliseconds = 60_000
    package var parser = ParserOptions()
    /// Metric names are dropped at the end of the query instead of in every operation.
    package var delayedNameRemoval = false
    /// Whether a series counts something is told by its `__type__` label, not by its name.
    package var typeAndUnitLabels = false
    /// Functions on counters use the start timestamps of samples where there are any.
    package var usesStartTimestamps = false
    /// Idle threads that large queries may use besides the one they run on.
    package var helpers: Helpers?

    package init() {}
}

/// What one query may set differently.
package struct QueryOptions: Sendable {
    /// nil or not positive: the engine's.
    package var lookbackDelta: Milliseconds?
    /// In seconds; the smaller of this and the engine's counts.
    package var timeout: Double?
    package var cancellation: Cancellation?
    /// Statistics are exact, which costs a little for rows with gaps.
    package var collectsStatistics = false
    /// And they are given for each step.
    package var collectsStatisticsPerStep = false
    /// The result comes with its plan, and what each node of it came to.
    package var explains = false
    /// How long the query has waited for its turn, in seconds. Counts against the timeout.
    package var timeInQueue = 0.0
    /// For the query log.
    package var origin: QueryOrigin?

    package init() {}
}
