// SPDX-License-Identifier: Apache-2.0

import Bytes
import Model
import Storage
import Synchronization

/// A storage in memory that keeps everything, for tests of what is above it.
final class MemoryStorage: Queryable, Appendable {
    struct Series: Sendable {
        var labels: Labels
        var timestamps: [Timestamp] = []
        var values: [Double] = []
    }

    private let series = Mutex<[Series]>([])
    private let failure = Mutex<StorageError?>(nil)

    private let refusal = Mutex(false)

    /// Creates no series any more, or does again.
    func refuseNew(_ refuses: Bool) { refusal.withLock { $0 = refuses } }

    /// From now on everything fails.
    func fail(_ code: StorageError.Code, _ message: String) {
        failure.withLock { $0 = StorageError(code, message) }
    }

    private func check() throws(StorageError) {
        if let failure = failure.withLock({ $0 }) { throw failure }
    }

    func add(_ labels: KeyValuePairs<String, String>, _ samples: [(Timestamp, Double)]) {
        series.withLock {
            $0.append(
                Series(
                    labels: Labels(labels), timestamps: samples.map(\.0),
                    values: samples.map(\.1)))
        }
    }

    func resolve(_ labels: [Labels]) throws(StorageError) -> [SeriesRef] {
        let refuses = refusal.withLock { $0 }
        return series.withLock { series in
            labels.map { wanted in
                if refuses, !series.contains(where: { $0.labels == wanted }) { return .refused }
                let slot =
                    series.firstIndex { $0.labels == wanted }
                    ?? {
                        series.append(Series(labels: wanted))
                        return series.count - 1
                    }()
                return SeriesRef(slot: UInt32(slot), generation: 0)
            }
        }
    }

    func commit(
        _ batch: borrowing SampleBatch, _ policy: FaultPolicy
    ) throws(StorageError) -> CommitOutcome {
        try check()
        var outcome = CommitOutcome()
        let (refs, values) = (batch.refs, batch.values)
        let timestamps = refs.indices.map { batch.timestamp($0) }
        series.withLock { series in
            for index in refs.indices {
                let last = series[Int(refs[index].slot)].timestamps.last ?? .min
                if timestamps[index] < last { outcome.faults.append((index, .outOfOrder)) }
                if timestamps[index] == last {
                    let existing = series[Int(refs[index].slot)].values.last ?? .nan
                    outcome.faults.append((index, .duplicate(existing: existing)))
                }
            }
            if !outcome.faults.isEmpty { return }
            for index in refs.indices {
                series[Int(refs[index].slot)].timestamps.append(timestamps[index])
                series[Int(refs[index].slot)].values.append(values[index])
            }
            outcome.stored = refs.count
        }
        return outcome
    }

    func querier(over range: TimeRange) throws(StorageError) -> any Querier {
        try check()
        return View(
            series: series.withLock { $0 }
                .filter { one in
                    // By its ends, as chunks are chosen.
                    guard let first = one.timestamps.first, let last = one.timestamps.last else {
                        return false
                    }
                    return first <= range.end && range.start <= last
                }
                .sorted { $0.labels < $1.labels })
    }

    private struct View: Querier {
        let series: [Series]

        func select(
            _ matchers: [Matcher], hints: SelectHints
        ) throws(StorageError) -> any SeriesSet {
            Found(series: matching(matchers))
        }

        private func matching(_ matchers: [Matcher]) -> [Series] {
            series.filter { one in matchers.allSatisfy { $0.matches(one.labels) } }
        }

        func labelNames(_ matchers: [Matcher]) throws(StorageError) -> [String] {
            Set(matching(matchers).flatMap { $0.labels.map(\.name) }).sorted()
        }

        func labelValues(
            _ name: String, _ matchers: [Matcher]
        ) throws(StorageError) -> [String] {
            Set(matching(matchers).compactMap { $0.labels[name] }).sorted()
        }
    }

    private struct Found: SeriesSet {
        let series: [Series]
        var count: Int { series.count }
        func labels(at index: Int) -> Labels { series[index].labels }
        func read(
            _ index: Int, _ range: TimeRange, into columns: inout SampleColumns
        ) throws(StorageError) {
            let one = series[index]
            for place in one.timestamps.indices
            where range.start <= one.timestamps[place] && one.timestamps[place] <= range.end {
                columns.timestamps.append(one.timestamps[place])
                columns.values.append(one.values[place])
            }
        }
    }
}
