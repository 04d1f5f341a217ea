// SPDX-License-Identifier: Apache-2.0

internal import Model
internal import Synchronization

/// Targets that are gone and whose series get staleness markers soon: just over two intervals after
/// the last scrape, so that a target which comes back meanwhile (a restart elsewhere, a reload) has
/// new samples by then, behind which the markers are refused.
final class FarewellQueue: Sendable {
    private struct Farewell: Sendable {
        var target: ScrapedTarget
        /// When the first missed scrape would have been: the time of the markers.
        var markerTime: Timestamp
        var due: Timestamp
    }

    private let queue = Mutex<[Farewell]>([])

    func add(_ target: ScrapedTarget, now: Timestamp) {
        let status = target.status
        guard let last = status.lastScrape else { return }
        let interval = target.target.interval
        let missed = max(last + interval, now)
        queue.withLock {
            $0.append(
                Farewell(
                    target: target, markerTime: missed,
                    due: missed + interval + interval / 10))
        }
    }

    /// Writes the markers that are due.
    func work(now: Timestamp) {
        let due = queue.withLock { queue in
            let due = queue.filter { $0.due <= now }
            queue.removeAll { $0.due <= now }
            return due
        }
        for farewell in due { farewell.target.markStale(at: farewell.markerTime) }
    }
}
