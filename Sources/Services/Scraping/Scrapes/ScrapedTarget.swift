// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import Exposition
internal import Instrumentation
package import Model
internal import Platform
package import ScrapeClient
internal import Storage
internal import Synchronization

/// How a target is doing.
package struct TargetStatus: Sendable, Hashable {
    package enum Health: String, Sendable {
        case unknown, up, down
    }

    package var health = Health.unknown
    /// Empty after a scrape that succeeded.
    package var lastError = ""
    /// Nil before the first scrape.
    package var lastScrape: Timestamp?
    /// In seconds.
    package var lastDuration = 0.0
}

/// When a scrape was due, when it began, and how long it took to get the body.
package struct ScrapeTiming: Sendable, Hashable {
    package var scheduled: Timestamp
    package var started: Timestamp
    package var nanoseconds: UInt64

    package init(scheduled: Timestamp, started: Timestamp, nanoseconds: UInt64) {
        self.scheduled = scheduled
        self.started = started
        self.nanoseconds = nanoseconds
    }
}

/// A target that is being scraped, with all that is remembered of it. Scrapes come on a thread of
/// the client, one at a time; all else is safe to use from any thread.
package final class ScrapedTarget: ScrapeResponder {
    private struct State: Sendable {
        var target: Target
        var status = TargetStatus()
        /// Fails every scrape: the job has too many targets.
        var forcedError: String?
        /// What the last usable exposition looked like.
        var layout: Layout
        var rules: ScrapeRules
    }

    private let state: Mutex<State>
    private let table: Mutex<SeriesTable>
    /// Whether a scrape is being worked on: while a target moves from one thread of the client to
    /// another, two may come at once.
    private let isBusy = Monitor(false)
    private let surroundings: ScrapeSurroundings

    init(
        _ target: Target, _ job: ScrapeConfiguration, _ surroundings: ScrapeSurroundings
    ) {
        let table = SeriesTable()
        let rules = ScrapeRules(job, target)
        state = Mutex(State(target: target, layout: table.layout, rules: rules))
        self.table = Mutex(table)
        self.surroundings = surroundings
    }

    package var target: Target { state.withLock { $0.target } }
    package var status: TargetStatus { state.withLock { $0.status } }
    var layout: Layout { state.withLock { $0.layout } }

    /// Goes on with another configuration that makes the same series.
    func setJob(_ job: ScrapeConfiguration) {
        state.withLock { $0.rules = ScrapeRules(job, $0.target) }
    }

    func setForcedError(_ error: String?) { state.withLock { $0.forcedError = error } }

    func setDiscoveredLabels(_ labels: Labels) {
        state.withLock { $0.target.discoveredLabels = labels }
    }

    /// Takes over how a predecessor of the same labels was doing.
    func inherit(_ status: TargetStatus) { state.withLock { $0.status = status } }

    /// The scrapes fail before they begin.
    func fail(_ error: String) {
        state.withLock {
            $0.status.health = .down
            $0.status.lastError = error
        }
    }

    /// Takes the table for the work on a scrape, and waits until nobody else has it.
    private func takeTable() -> SeriesTable {
        isBusy.wait { isBusy -> Void? in
            if isBusy { return nil }
            isBusy = true
            return ()
        }
        return swapTable(SeriesTable())
    }

    private func giveBackTable(_ table: SeriesTable) {
        _ = swapTable(table)
        isBusy.withLock { $0 = false }
        isBusy.notifyOne()
    }

    private func swapTable(_ new: SeriesTable) -> SeriesTable {
        var other = new
        table.withLock { swap(&$0, &other) }
        return other
    }

    package func respond(_ result: borrowing ScrapeResult) {
        let times = result.times
        receive(
            result.body, failure: result.failure, contentType: result.contentType,
            ScrapeTiming(
                scheduled: times.scheduled, started: times.started, nanoseconds: times.nanoseconds))
    }

    /// Stores what a scrape brought, and reports on it.
    package func receive(
        _ body: RawSpan, failure: ScrapeFailure?, contentType: String, _ timing: ScrapeTiming
    ) {
        let begin = monotonicNanoseconds()
        let (forcedError, interval, rules) = state.withLock {
            ($0.forcedError, $0.target.interval, $0.rules)
        }
        if let failure { logFailure(message(failure), rules) }
        let timestamp = alignedTime(timing, interval: interval)
        var scrape = Scrape(rules, surroundings, at: timestamp, table: takeTable())
        var complaint = ""
        var error = forcedError ?? failure.map(message)
        if case .bodyTooLarge = failure {
            surroundings.metrics.bodySizeExceeded.increment()
            scrape.report.bytes = -1
        }
        if error == nil {
            do throws(ScrapeError) {
                try scrape.read(body, contentType: contentType)
            } catch let refusal {
                error = refusal.description
            }
        }
        let isComplete = error == nil && body.byteCount > 0
        scrape.addMarkers()
        let nanoseconds = timing.nanoseconds + monotonicNanoseconds() - begin
        scrape.report.isUp = error == nil
        scrape.report.duration = Double(nanoseconds) / 1e9
        scrape.addReport(
            ReportSeries.values(scrape.report, rules.job, timeout: rules.timeout))
        let duration = scrape.report.duration
        let table = scrape.commit(isComplete: isComplete)
        let layout = table.layout
        if error == nil, table.refusedCount > 0 {
            complaint =
                "memory budget used up: \(table.refusedCount) new series were not created"
        }
        giveBackTable(table)
        state.withLock { state in
            state.layout = layout
            state.status = TargetStatus(
                health: error == nil ? .up : .down, lastError: error ?? complaint,
                lastScrape: timestamp, lastDuration: duration)
        }
    }

    /// Writes staleness markers for all series of a target that is gone.
    func markStale(at timestamp: Timestamp) {
        guard status.lastScrape != nil else { return }
        let rules = state.withLock { $0.rules }
        var scrape = Scrape(rules, surroundings, at: timestamp, table: takeTable())
        scrape.addMarkers()
        let count = ReportSeries.count(hasExtra: rules.job.histograms.hasExtraMetrics)
        scrape.addReport(Array(repeating: StaleMarker.value, count: count))
        giveBackTable(scrape.commit(isComplete: false))
    }

    /// The time on the grid, where the scrape began as good as then: equal distances compress
    /// better.
    private func alignedTime(_ timing: ScrapeTiming, interval: Milliseconds) -> Timestamp {
        let delay = timing.started - timing.scheduled
        let tolerance = min(2, interval / 100)
        return delay >= 0 && delay <= tolerance ? timing.scheduled : timing.started
    }

    private func logFailure(_ message: String, _ rules: ScrapeRules) {
        let job = rules.job
        surroundings.failureLogs.log(at: job.failureLogFile)?
            .write(message, job: job.jobName, target: target.url)
    }

    private func message(_ failure: ScrapeFailure) -> String {
        if case .bodyTooLarge = failure { return "body size limit exceeded" }
        return failure.description
    }
}
