// SPDX-License-Identifier: Apache-2.0

internal import Instrumentation
internal import Model

/// The figures that a database keeps about blocks, under upstream's names.
struct DatabaseMetrics: Sendable {
    let blocksLoaded: Gauge
    let blockBytes: Gauge
    let corruptBlocks: Gauge
    let compactions: Counter
    let compactionsFailed: Counter
    let verticalCompactions: Counter
    let compactionSeconds: Distribution
    let reloads: Counter
    let timeRetentions: Counter
    let sizeRetentions: Counter
    let memoryReliefs: Counter
    let staleCompactions: Counter
    let staleCompactionsFailed: Counter
    let staleCompactionSeconds: Distribution
    let outlivedRewrites: Counter
    let outlivedSeries: Counter
    private let retentionBytes: Gauge
    private let retentionPercentage: Gauge
    private let retentionSeconds: Gauge
    let tombstoneCleaningSeconds: Distribution

    init(_ registry: Registry) {
        blocksLoaded = registry.gauge(
            "prometheus_tsdb_blocks_loaded", "Number of currently loaded data blocks")
        blockBytes = registry.gauge(
            "prometheus_tsdb_storage_blocks_bytes",
            "The number of bytes that are currently used for local storage by all blocks.")
        corruptBlocks = registry.gauge(
            "prometheus_tsdb_blocks_set_aside",
            "Number of blocks that are damaged and left out of queries.")
        compactions = registry.counter(
            "prometheus_tsdb_compactions_total",
            "Total number of compactions that were executed for the partition.")
        compactionsFailed = registry.counter(
            "prometheus_tsdb_compactions_failed_total",
            "Total number of compactions that failed for the partition.")
        verticalCompactions = registry.counter(
            "prometheus_tsdb_vertical_compactions_total",
            "Total number of compactions done on overlapping blocks.")
        compactionSeconds = registry.distribution(
            "prometheus_tsdb_compaction_duration_seconds", "Duration of compaction runs",
            bounds: (0..<14).map { Double(1 << $0) })
        reloads = registry.counter(
            "prometheus_tsdb_reloads_total",
            "Number of times the database reloaded block data from disk.")
        timeRetentions = registry.counter(
            "prometheus_tsdb_time_retentions_total",
            "The number of times that blocks were deleted because the maximum time limit was exceeded."
        )
        sizeRetentions = registry.counter(
            "prometheus_tsdb_size_retentions_total",
            "The number of times that blocks were deleted because the maximum number of bytes was "
                + "exceeded.")
        memoryReliefs = registry.counter(
            "narthex_memory_budget_reliefs_total",
            "How often memory was short, so that the head was cut early or series that ended left "
                + "it.")
        staleCompactions = registry.counter(
            "prometheus_tsdb_stale_series_compactions_triggered_total",
            "Total number of triggered stale series compactions.")
        staleCompactionsFailed = registry.counter(
            "prometheus_tsdb_stale_series_compactions_failed_total",
            "Total number of stale series compactions that failed.")
        staleCompactionSeconds = registry.distribution(
            "prometheus_tsdb_stale_series_compaction_duration_seconds",
            "Duration of stale series compaction runs.", bounds: [])
        outlivedRewrites = registry.counter(
            "narthex_tsdb_series_retention_rewrites_total",
            "Blocks that were written anew, or removed, since series in them outlived the retention "
                + "time that is set for them.")
        outlivedSeries = registry.counter(
            "narthex_tsdb_series_retention_dropped_series_total",
            "Series that left a block since they outlived the retention time that is set for them.")
        retentionBytes = registry.gauge(
            "prometheus_tsdb_retention_limit_bytes",
            "Max number of bytes to be retained in the tsdb blocks, configured 0 means disabled")
        retentionPercentage = registry.gauge(
            "prometheus_tsdb_retention_limit_percentage",
            "Max percentage of total storage space to be retained in the tsdb blocks, configured 0 "
                + "means disabled")
        retentionSeconds = registry.gauge(
            "prometheus_tsdb_retention_limit_seconds", "How long to retain samples in storage.")
        tombstoneCleaningSeconds = registry.distribution(
            "prometheus_tsdb_tombstone_cleanup_seconds",
            "The time taken to recompact blocks to remove tombstones.", bounds: [])
    }

    func show(_ retention: RetentionSettings) {
        retentionBytes.set(Double(retention.bytes))
        retentionPercentage.set(retention.percentage)
        retentionSeconds.set(Double(retention.time) / 1000)
    }

    /// The figures that follow from the database itself.
    static func expose(_ database: Database, _ registry: Registry) {
        if let budget = database.options.memory {
            registry.gauge(
                "narthex_memory_budget_bytes",
                "What the process may hold in memory before no new series are created."
            ).set(Double(budget.limit))
            registry.computed(
                "narthex_memory_budget_used_bytes",
                "What of the budget is in use: memory of the process, without cached files and what "
                    + "the head can use again."
            ) { [weak database] in
                budget.measure(reusable: database?.head.reusableByteCount ?? 0)
                return Double(budget.used)
            }
        }
        registry.computed(
            "prometheus_tsdb_lowest_timestamp",
            "Lowest timestamp value stored in the database. The unit is decided by the library "
                + "consumer."
        ) { [weak database] in Double(database?.timeRange?.start ?? 0) }
    }
}
