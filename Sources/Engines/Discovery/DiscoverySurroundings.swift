// SPDX-License-Identifier: Apache-2.0

package import Instrumentation
internal import Model
package import Platform

/// What discoverers use of the world: handed in by the server, replaced in tests.
package struct DiscoverySurroundings: Sendable {
    package var fileSystem: any FileSystem
    package var clock: any Clock<Duration>
    /// Threads for what blocks.
    package var pool: BoundedPool
    package var log: Logger
    package var metrics: DiscoveryMetrics

    package init(
        fileSystem: any FileSystem, clock: any Clock<Duration>, pool: BoundedPool, log: Logger,
        registry: Registry
    ) {
        self.fileSystem = fileSystem
        self.clock = clock
        self.pool = pool
        self.log = log
        metrics = DiscoveryMetrics(registry)
    }
}

/// The state of discovery under upstream's names.
package final class DiscoveryMetrics: Sendable {
    package let fileReadErrors: Counter
    let receivedUpdates: Counter
    let sentUpdates: Counter
    private let registry: Registry

    init(_ registry: Registry) {
        self.registry = registry
        fileReadErrors = registry.counter(
            "prometheus_sd_file_read_errors_total", "The number of File-SD read errors.")
        let scrape = Labels(["name": "scrape"])
        receivedUpdates = registry.counter(
            "prometheus_sd_received_updates_total",
            "Total number of update events received from the SD providers.", scrape)
        sentUpdates = registry.counter(
            "prometheus_sd_updates_total",
            "Total number of update events sent to the SD consumers.", scrape)
    }

    private static let discovered = "prometheus_sd_discovered_targets"

    func gauge(_ job: String) -> Gauge {
        registry.gauge(
            Self.discovered, "Current number of discovered targets.",
            Labels(["config": job, "name": "scrape"]))
    }

    func remove(_ job: String) {
        registry.remove(Self.discovered, Labels(["config": job, "name": "scrape"]))
    }
}

extension BoundedPool {
    /// Runs a body that blocks on the pool and awaits what it returns. Where the pool is full the
    /// body runs at once, on the thread that asks.
    func value<Value: Sendable>(_ body: @escaping @Sendable () -> Value) async -> Value {
        await withCheckedContinuation { continuation in
            if !submit({ continuation.resume(returning: body()) }) {
                continuation.resume(returning: body())
            }
        }
    }
}
