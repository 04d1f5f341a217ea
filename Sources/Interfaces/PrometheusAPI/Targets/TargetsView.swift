// SPDX-License-Identifier: Apache-2.0

package import Model

/// The targets of all scrape jobs as the API shows them: a snapshot, taken when asked for.
package protocol TargetsView: Sendable {
    /// The names of all jobs.
    var scrapePools: [String] { get }
    /// The targets that are scraped, job after job.
    var activeTargets: [ActiveTarget] { get }
    /// The targets that relabelling dropped, as many of them as are kept.
    var droppedTargets: [DroppedTarget] { get }
    /// How many targets of each job were dropped.
    var droppedTargetCounts: [(scrapePool: String, count: Int)] { get }
    /// Calls `body` for each metric family that an active target describes; for one metric only
    /// where `metric` names it.
    func forEachMetadata(
        _ metric: String?, _ body: (_ target: Labels, _ family: String, Metadata) -> Void)
}

/// A job has no targets yet: for servers without scraping.
package struct NoTargets: TargetsView {
    package init() {}
    package var scrapePools: [String] { [] }
    package var activeTargets: [ActiveTarget] { [] }
    package var droppedTargets: [DroppedTarget] { [] }
    package var droppedTargetCounts: [(scrapePool: String, count: Int)] { [] }
    package func forEachMetadata(_ metric: String?, _ body: (Labels, String, Metadata) -> Void) {}
}

package struct ActiveTarget: Sendable {
    package enum Health: String, Sendable {
        case up, down, unknown
    }

    /// Before relabelling.
    package var discoveredLabels: Labels
    package var labels: Labels
    package var scrapePool: String
    package var scrapeURL: String
    package var lastError = ""
    /// nil before the first scrape.
    package var lastScrape: Timestamp?
    /// In seconds.
    package var lastScrapeDuration = 0.0
    package var health = Health.unknown
    package var scrapeInterval = ""
    package var scrapeTimeout = ""

    package init(
        discoveredLabels: Labels, labels: Labels, scrapePool: String, scrapeURL: String
    ) {
        self.discoveredLabels = discoveredLabels
        self.labels = labels
        self.scrapePool = scrapePool
        self.scrapeURL = scrapeURL
    }
}

package struct DroppedTarget: Sendable {
    package var discoveredLabels: Labels
    package var scrapePool: String

    package init(discoveredLabels: Labels, scrapePool: String) {
        self.discoveredLabels = discoveredLabels
        self.scrapePool = scrapePool
    }
}
