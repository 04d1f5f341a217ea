// SPDX-License-Identifier: Apache-2.0

internal import Instrumentation
internal import Model

/// What the engine tells about itself, under upstream's names.
struct EngineMetrics: Sendable {
    let running: Gauge
    let queryLogEnabled: Gauge
    let queryLogFailures: Counter
    private let samples: Counter
    private let samplesRead: Counter
    private let queueTime: Slice
    private let preparationTime: Slice
    private let innerEvaluation: Slice
    private let sorting: Slice

    /// A part of the time of a query, as a summary and as a histogram.
    private struct Slice: Sendable {
        private let summary: Summary
        private let distribution: Distribution

        init(_ registry: Registry, _ name: String) {
            let labels = Labels(["slice": name])
            summary = registry.summary(
                "prometheus_engine_query_duration_seconds", "Query timings",
                quantiles: [0.5, 0.9, 0.99], labels)
            distribution = registry.distribution(
                "prometheus_engine_query_duration_histogram_seconds",
                "The duration of various parts of PromQL query execution.",
                bounds: [0.01, 0.1, 1, 10], labels)
        }

        func observe(_ seconds: Double) {
            summary.observe(seconds)
            distribution.observe(seconds)
        }
    }

    init(_ registry: Registry, _ pool: MemoryPool, maxConcurrency: Int) {
        running = registry.gauge(
            "prometheus_engine_queries",
            "The current number of queries being executed or waiting.")
        registry.gauge(
            "prometheus_engine_queries_concurrent_max", "The max number of concurrent queries."
        ).set(Double(maxConcurrency))
        queryLogEnabled = registry.gauge(
            "prometheus_engine_query_log_enabled", "State of the query log.")
        queryLogFailures = registry.counter(
            "prometheus_engine_query_log_failures_total", "The number of query log failures.")
        registry.computed(
            "narthex_engine_query_memory_bytes",
            "The memory that running queries and their results hold."
        ) { Double(pool.held) }
        samples = registry.counter(
            "prometheus_engine_query_samples_total",
            "The total number of samples loaded by all queries (full window per step for "
                + "range-vector).")
        samplesRead = registry.counter(
            "prometheus_engine_query_samples_read_total",
            "The total number of samples read by all queries (only new points per step for "
                + "range-vector).")
        queueTime = Slice(registry, "queue_time")
        preparationTime = Slice(registry, "prepare_time")
        innerEvaluation = Slice(registry, "inner_eval")
        sorting = Slice(registry, "result_sort")
    }

    /// Notes a query that was evaluated, or failed while it was. `isSorted`: its result was put in
    /// order.
    func note(_ statistics: QueryStatistics, isSorted: Bool) {
        samples.increment(by: Double(statistics.totalSamples))
        samplesRead.increment(by: Double(statistics.samplesRead))
        let timings = statistics.timings
        queueTime.observe(timings.queue)
        preparationTime.observe(timings.preparation)
        innerEvaluation.observe(timings.innerEvaluation)
        if isSorted { sorting.observe(timings.sorting) }
    }
}
