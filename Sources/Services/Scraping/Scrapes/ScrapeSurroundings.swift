// SPDX-License-Identifier: Apache-2.0

internal import Exposition
package import Instrumentation
package import Model
package import Platform
package import Storage
internal import Synchronization

/// What all scrapes of a server share: handed in by the server, replaced in tests.
package struct ScrapeSurroundings: Sendable {
    package var storage: any Appendable
    package var fileSystem: any FileSystem
    package var log: Logger
    /// Milliseconds since the Unix epoch.
    package var now: @Sendable () -> Timestamp = currentMilliseconds
    /// Whether the storage keeps exemplars.
    package var gathersExemplars = false
    /// Whether the storage keeps start timestamps. Series that are nothing else are no series then.
    package var gathersStarts = false
    /// Whether the storage is told what expositions say about their series.
    package var passesMetadata = false
    /// Whether series get labels that say the type and the unit of their metric.
    package var addsTypeAndUnitLabels = false
    let metrics: ScrapeMetrics
    let layouts = LayoutPool()
    let scratches = ScratchPool()
    let failureLogs: FailureLogs

    package init(
        storage: any Appendable, fileSystem: any FileSystem, log: Logger, registry: Registry
    ) {
        self.storage = storage
        self.fileSystem = fileSystem
        self.log = log
        metrics = ScrapeMetrics(registry)
        failureLogs = FailureLogs(fileSystem, log)
    }
}

extension ScrapeSurroundings {
    /// How expositions are read.
    var expositionOptions: ExpositionOptions {
        var options = ExpositionOptions()
        options.typeAndUnitLabels = addsTypeAndUnitLabels
        return options
    }
}

/// Memory that a scrape works in, lent for its duration.
struct Scratch: Sendable {
    var result = ScanResult()
    var batch = SampleBatch(sharedTimestamp: 0)
    /// For each sample of the batch which line it is from, where that is not its index: an ordinal,
    /// or negative, the number of a new sample, or `Scratch.marker`.
    var sources: [Int32] = []

    static let marker = Int32.min
}

/// As many scratches as there ever were scrapes at once.
final class ScratchPool: Sendable {
    private let free = Mutex<[Scratch]>([])

    func take() -> Scratch { free.withLock { $0.popLast() } ?? Scratch() }
    func giveBack(_ scratch: Scratch) { free.withLock { $0.append(scratch) } }
}

/// The state of scraping under upstream's names.
final class ScrapeMetrics: Sendable {
    let poolsCreated: Counter
    let poolReloads: Counter
    let targetLimitExceeded: Counter
    let bodySizeExceeded: Counter
    let sampleLimitExceeded: Counter
    let labelLimitsExceeded: Counter
    let duplicates: Counter
    let outOfOrder: Counter
    let outOfBounds: Counter
    let outOfOrderExemplars: Counter
    let registry: Registry

    init(_ registry: Registry) {
        self.registry = registry
        func counter(_ name: String, _ help: String) -> Counter {
            registry.counter("prometheus_target_\(name)", help)
        }
        poolsCreated = counter(
            "scrape_pools_total", "Total number of scrape pool creation attempts.")
        poolReloads = counter("scrape_pool_reloads_total", "Total number of scrape pool reloads.")
        targetLimitExceeded = counter(
            "scrape_pool_exceeded_target_limit_total",
            "Total number of times scrape pools hit the target limit, during sync or config reload."
        )
        bodySizeExceeded = counter(
            "scrapes_exceeded_body_size_limit_total",
            "Total number of scrapes that hit the body size limit")
        sampleLimitExceeded = counter(
            "scrapes_exceeded_sample_limit_total",
            "Total number of scrapes that hit the sample limit and were rejected.")
        labelLimitsExceeded = counter(
            "scrape_pool_exceeded_label_limits_total",
            "Total number of times scrape pools hit the label limits, during sync or config reload."
        )
        duplicates = counter(
            "scrapes_sample_duplicate_timestamp_total",
            "Total number of samples rejected due to duplicate timestamps but different values.")
        outOfOrder = counter(
            "scrapes_sample_out_of_order_total",
            "Total number of samples rejected due to not being out of the expected order.")
        outOfBounds = counter(
            "scrapes_sample_out_of_bounds_total",
            "Total number of samples rejected due to timestamp falling outside of the time bounds."
        )
        outOfOrderExemplars = counter(
            "scrapes_exemplar_out_of_order_total",
            "Total number of exemplar rejected due to not being out of the expected order.")
    }
}

/// The state of one job.
final class PoolMetrics: Sendable {
    let targets: Gauge
    let targetLimit: Gauge
    let syncs: Counter
    let failedSyncs: Counter
    private let registry: Registry
    private let labels: Labels

    init(_ job: String, _ registry: Registry) {
        self.registry = registry
        labels = Labels(["scrape_job": job])
        targets = registry.gauge(
            "prometheus_target_scrape_pool_targets",
            "Current number of targets in this scrape pool.", labels)
        targetLimit = registry.gauge(
            "prometheus_target_scrape_pool_target_limit",
            "Maximum number of targets allowed in this scrape pool.", labels)
        syncs = registry.counter(
            "prometheus_target_scrape_pool_sync_total",
            "Total number of syncs that were executed on a scrape pool.", labels)
        failedSyncs = registry.counter(
            "prometheus_target_sync_failed_total", "Total number of target sync failures.", labels)
    }

    /// Takes the series of a job that is gone out of the registry.
    func remove() {
        for name in [
            "scrape_pool_targets", "scrape_pool_target_limit", "scrape_pool_sync_total",
            "sync_failed_total",
        ] {
            registry.remove("prometheus_target_\(name)", labels)
        }
    }
}
