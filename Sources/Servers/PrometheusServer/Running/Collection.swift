// SPDX-License-Identifier: Apache-2.0

internal import Discovery
internal import Instrumentation
internal import Platform
internal import ScrapeClient
internal import Scraping

/// Discovery and scraping, and what flows from the one to the other.
final class Collection: Sendable {
    let scrapes: ScrapeManager
    private let client: ScrapeClient
    private let discovery: DiscoveryManager
    private let life: Task<Void, Never>
    private let pool: BoundedPool

    init(_ server: Server) throws(FileError) {
        var configuration = ScrapeClientConfiguration()
        configuration.threads = min(4, max(1, Host.processorCount / 2))
        configuration.tick = ScrapeCohort.tick
        client = try ScrapeClient(configuration)
        var surroundings = ScrapeSurroundings(
            storage: server.storage, fileSystem: server.fileSystem,
            log: server.log.with(["component": "scrape manager"]), registry: server.registry)
        surroundings.gathersExemplars = server.options.features.isEnabled("exemplar-storage")
        surroundings.gathersStarts = ["st-storage", "created-timestamp-zero-ingestion"].contains {
            server.options.features.isEnabled($0)
        }
        surroundings.addsTypeAndUnitLabels = server.options.features.isEnabled(
            "type-and-unit-labels")
        surroundings.passesMetadata = server.options.features.isEnabled("metadata-wal-records")
        scrapes = try ScrapeManager(
            surroundings, scheduler: client,
            externalLabels: server.phase.configuration.global.externalLabels)
        pool = try BoundedPool("discovery", threads: 2, queueLimit: 64)
        let manager = DiscoveryManager(
            DiscoverySurroundings(
                fileSystem: server.fileSystem, clock: ContinuousClock(), pool: pool,
                log: server.log.with(["component": "discovery manager scrape"]),
                registry: server.registry), handOut: scrapes.update)
        discovery = manager
        life = Task { await manager.run() }
    }

    /// Makes these the jobs: what is new begins, what is gone ends, what stays goes on undisturbed.
    func apply(_ configuration: Configuration) {
        scrapes.apply(configuration.jobs)
        let jobs = Dictionary(
            uniqueKeysWithValues: configuration.jobs.map { ($0.jobName, $0.discovery) })
        let discovery = discovery
        wait { await discovery.apply(jobs) }
    }

    /// Ends both; returns when nothing is scraped any more. Called once.
    func end() {
        life.cancel()
        let life = life
        wait { await life.value }
        pool.close()
        client.close()
        scrapes.close()
    }

    /// Blocks this thread, which is not of the cooperative pool, until an asynchronous body is
    /// done.
    private func wait(_ body: @escaping @Sendable () async -> Void) {
        let isDone = Monitor(false)
        Task {
            await body()
            isDone.withLock { $0 = true }
            isDone.notifyAll()
        }
        isDone.wait { $0 ? () : nil }
    }
}
