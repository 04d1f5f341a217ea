// SPDX-License-Identifier: Apache-2.0

internal import Model
internal import PrometheusAPI
internal import Scraping
internal import Synchronization

/// What the API shows of targets. It is there before there is a collection, for the listener
/// answers first.
final class CollectionView: TargetsView {
    private let scrapes = Mutex<ScrapeManager?>(nil)

    func show(_ manager: ScrapeManager) { scrapes.withLock { $0 = manager } }

    private var pools: [ScrapeManager.PoolView] { scrapes.withLock { $0 }?.pools ?? [] }

    var scrapePools: [String] { pools.map(\.name) }

    var activeTargets: [ActiveTarget] {
        pools.flatMap { pool in pool.targets.map { ActiveTarget($0, pool.name) } }
    }

    var droppedTargets: [DroppedTarget] {
        pools.flatMap { pool in
            pool.dropped.map { DroppedTarget(discoveredLabels: $0, scrapePool: pool.name) }
        }
    }

    var droppedTargetCounts: [(scrapePool: String, count: Int)] {
        pools.map { ($0.name, $0.droppedCount) }
    }

    func forEachMetadata(_ metric: String?, _ body: (Labels, String, Metadata) -> Void) {
        for scraped in pools.flatMap(\.targets) {
            let labels = scraped.target.publicLabels
            for (family, metadata) in scraped.metadata() where metric ?? family == family {
                body(labels, family, metadata)
            }
        }
    }
}

extension ActiveTarget {
    fileprivate init(_ scraped: ScrapedTarget, _ pool: String) {
        let (target, status) = (scraped.target, scraped.status)
        self.init(
            discoveredLabels: target.discoveredLabels, labels: target.publicLabels,
            scrapePool: pool, scrapeURL: target.url)
        lastError = status.lastError
        lastScrape = status.lastScrape
        lastScrapeDuration = status.lastDuration
        health =
            switch status.health {
            case .unknown: .unknown
            case .up: .up
            case .down: .down
            }
        scrapeInterval = DurationText.format(target.interval)
        scrapeTimeout = DurationText.format(target.timeout)
    }
}
