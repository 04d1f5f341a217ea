// SPDX-License-Identifier: Apache-2.0

internal import Instrumentation
internal import Model

/// What the engine tells about itself.
struct EngineMetrics: Sendable {
    let running: Gauge
    private let samples: Counter
    private let samplesRead: Counter
    private let durations: Distribution

    init(_ registry: Registry, maxConcurrency: Int) {
        running = registry.gauge(
            "prometheus_engine_queries",
            "The current number of queries being executed or waiting.")
        registry.gauge(
            "prometheus_engine_queries_concurrent_max", "The max number of concurrent queries."
        ).set(Double(maxConcurrency))
        samples = registry.counter(
            "prometheus_engine_query_samples_total",
            "The total number of samples taken into account by all queries.")
        samplesRead = registry.counter(
            "prometheus_engine_query_samples_read_total",
            "The total number of samples read by all queries.")
        durations = registry.distribution(
            "prometheus_engine_query_duration_histogram_seconds",
            "How long queries took to evaluate.", bounds: [0.001, 0.01, 0.1, 1, 10],
            Labels(["slice": "inner_eval"]))
    }

    func note(_ statistics: QueryStatistics) {
        samples.increment(by: Double(statistics.totalSamples))
        samplesRead.increment(by: Double(statistics.samplesRead))
        durations.observe(statistics.evaluationTime)
    }
}
