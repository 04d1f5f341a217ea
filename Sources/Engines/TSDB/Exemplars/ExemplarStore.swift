// SPDX-License-Identifier: Apache-2.0

internal import Instrumentation
internal import Model
internal import Storage
internal import Synchronization

/// The exemplars of a head, with their figures. It holds nothing while its capacity is zero. Any
/// thread may use it; its lock is taken under the head's, never the other way round.
final class ExemplarStore: Sendable {
    private let ring: Mutex<ExemplarRing>
    private let appended: Counter
    private let outOfOrder: Counter
    private let stored: Gauge
    private let seriesStored: Gauge
    private let firstTime: Gauge
    private let limit: Gauge

    init(capacity: Int, outOfOrderWindow: Milliseconds = 0, _ registry: Registry) {
        func name(_ rest: String) -> String { "prometheus_tsdb_exemplar_" + rest }
        appended = registry.counter(
            name("exemplars_appended_total"), "Total number of appended exemplars.")
        outOfOrder = registry.counter(
            name("out_of_order_exemplars_total"),
            "Total number of out of order exemplar ingestion failed attempts.")
        stored = registry.gauge(
            name("exemplars_in_storage"), "Number of exemplars currently in circular storage.")
        seriesStored = registry.gauge(
            name("series_with_exemplars_in_storage"),
            "Number of series with exemplars currently in circular storage.")
        firstTime = registry.gauge(
            name("last_exemplars_timestamp_seconds"),
            "The timestamp of the oldest exemplar stored in circular storage. Useful to check for "
                + "what time range the current exemplar buffer limit allows.")
        limit = registry.gauge(
            name("max_exemplars"),
            "Total number of exemplars the exemplar storage can store, resizeable.")
        ring = Mutex(ExemplarRing(capacity: capacity, outOfOrderWindow: outOfOrderWindow))
        limit.set(Double(max(0, capacity)))
    }

    var isEnabled: Bool { ring.withLock { $0.capacity > 0 } }

    /// How many exemplars are held at most; the newest stay.
    func resize(to capacity: Int) {
        ring.withLock { ring in
            ring.resize(to: capacity)
            limit.set(Double(ring.capacity))
            measure(ring)
        }
    }

    func setOutOfOrderWindow(_ window: Milliseconds) {
        ring.withLock { $0.outOfOrderWindow = max(0, window) }
    }

    /// Why an exemplar would not be added; nil where it would.
    func fault(of exemplar: Exemplar, at timestamp: Timestamp, _ labels: Labels) -> ExemplarFault? {
        ring.withLock { $0.fault(labels, exemplar, at: timestamp) }
    }

    /// Adds exemplars, in order, but for those that may not be added.
    func add(_ exemplars: [(labels: Labels, exemplar: Exemplar, timestamp: Timestamp)]) {
        if exemplars.isEmpty { return }
        ring.withLock { ring in
            for one in exemplars {
                do throws(ExemplarFault) {
                    try ring.add(one.labels, one.exemplar, at: one.timestamp)
                    appended.increment()
                } catch {
                    if error == .outOfOrder { outOfOrder.increment() }
                }
            }
            measure(ring)
        }
    }

    /// Calls `body` with each exemplar in the order of their arrival.
    func forEach(_ body: (Labels, Exemplar, Timestamp) -> Void) {
        ring.withLock { $0.forEach(body) }
    }

    func select(_ range: TimeRange, _ matcherSets: [[Matcher]]) -> [SeriesExemplars] {
        ring.withLock { $0.select(range, matcherSets) }
    }

    private func measure(_ ring: borrowing ExemplarRing) {
        stored.set(Double(ring.count))
        seriesStored.set(Double(ring.seriesCount))
        firstTime.set(Double(ring.firstTimestamp ?? 0) / 1000)
    }
}
