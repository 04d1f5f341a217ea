// SPDX-License-Identifier: Apache-2.0

import ChunkEncoding
import Model
import Storage
import Synchronization
import TSDB

/// A head as plain as possible: samples per label set in a dictionary.
final class MemoryHead: HeadStorage {
    private struct State {
        var labels: [Labels] = []
        var refs: [Labels: UInt32] = [:]
        var samples: [[Sample]] = []
    }

    private let state = Mutex(State())
    let foreignData: String? = nil
    let byteCount: Int

    init(byteCount: Int = 0) { self.byteCount = byteCount }

    /// Puts samples in, sorted, without any check.
    func add(_ labels: Labels, _ samples: [Sample]) {
        let slot = Int(try! resolve([labels])[0].slot)
        state.withLock {
            $0.samples[slot] = ($0.samples[slot] + samples).sorted { $0.timestamp < $1.timestamp }
        }
    }

    var everything: [Labels: [Sample]] {
        state.withLock { state in
            state.refs.mapValues { state.samples[Int($0)] }.filter { !$0.value.isEmpty }
        }
    }

    var timeRange: TimeRange? {
        let times = everything.values.flatMap { [$0.first!.timestamp, $0.last!.timestamp] }
        guard let start = times.min(), let end = times.max() else { return nil }
        return TimeRange(start: start, end: end)
    }

    func resolve(_ labels: [Labels]) throws(StorageError) -> [SeriesRef] {
        state.withLock { state in
            labels.map { labels in
                if let slot = state.refs[labels] { return SeriesRef(slot: slot, generation: 0) }
                let slot = UInt32(state.labels.count)
                state.labels.append(labels)
                state.samples.append([])
                state.refs[labels] = slot
                return SeriesRef(slot: slot, generation: 0)
            }
        }
    }

    func exemplars(over range: TimeRange, _ matcherSets: [[Matcher]]) -> [SeriesExemplars] { [] }
    func releasePages() {}

    func apply(_ settings: DatabaseSettings) {}
    let outOfOrderRange: TimeRange? = nil
    func outOfOrderCut() -> (any OutOfOrderCut)? { nil }
    var seriesCount: Int { state.withLock { $0.labels.count } }
    let staleSeriesCount = 0
    let reusableByteCount = 0
    func staleSeriesCut() -> (any SeriesCut)? { nil }

    func commit(
        _ batch: borrowing SampleBatch, _ policy: FaultPolicy
    ) throws(StorageError) -> CommitOutcome {
        let batch = copy batch
        state.withLock { state in
            for index in 0..<batch.count {
                let timestamp =
                    batch.timestamps.isEmpty ? batch.sharedTimestamp : batch.timestamps[index]
                state.samples[Int(batch.refs[index].slot)].append(
                    Sample(timestamp: timestamp, value: batch.values[index]))
            }
        }
        var outcome = CommitOutcome()
        outcome.stored = batch.count
        return outcome
    }

    func querier(over range: TimeRange) throws(StorageError) -> any Querier {
        MemoryQuerier(series: everything, range: range)
    }

    func blockSource(_ range: TimeRange) -> any BlockSource {
        MemorySource(series: everything, range: range)
    }

    func truncate(before time: Timestamp) throws(StorageError) {
        state.withLock { state in
            for slot in state.samples.indices {
                state.samples[slot].removeAll { $0.timestamp < time }
            }
        }
    }

    func truncateLog() {}

    func delete(_ range: TimeRange, _ matchers: [Matcher]) throws(StorageError) {
        state.withLock { state in
            for (labels, slot) in state.refs where matchers.allSatisfy({ $0.matches(labels) }) {
                state.samples[Int(slot)].removeAll {
                    range.start <= $0.timestamp && $0.timestamp <= range.end
                }
            }
        }
    }

    func status(limit: Int) -> DatabaseStatus { DatabaseStatus() }
    func close() throws(StorageError) {}
}

/// Series in a dictionary as the source of a block.
struct MemorySource: BlockSource {
    var series: [Labels: [Sample]]
    var range = TimeRange(start: .earliest, end: .latest)
    var samplesPerChunk = 120

    func forEachSeries(
        _ body: (Labels, [EncodedChunk]) throws(StorageError) -> Void
    ) throws(StorageError) {
        for (labels, samples) in series.sorted(by: { $0.key < $1.key }) {
            let within = samples.filter {
                range.start <= $0.timestamp && $0.timestamp <= range.end
            }
            let chunks = encodeXOR(
                within.map(\.timestamp), within.map(\.value), samplesPerChunk: samplesPerChunk)
            try body(labels, chunks)
        }
    }
}

private struct MemoryQuerier: Querier {
    let series: [Labels: [Sample]]
    let range: TimeRange

    private func matching(_ matchers: [Matcher]) -> [(key: Labels, value: [Sample])] {
        series.filter { entry in
            matchers.allSatisfy { $0.matches(entry.key) }
        }.sorted { $0.key < $1.key }
    }

    func select(_ matchers: [Matcher], hints: SelectHints) throws(StorageError) -> any SeriesSet {
        MemorySeriesSet(series: matching(matchers))
    }

    func labelNames(_ matchers: [Matcher]) throws(StorageError) -> [String] {
        Set(matching(matchers).flatMap { $0.key.map(\.name) }).sorted()
    }

    func labelValues(_ name: String, _ matchers: [Matcher]) throws(StorageError) -> [String] {
        Set(matching(matchers).compactMap { $0.key[name] }).sorted()
    }
}

private struct MemorySeriesSet: SeriesSet {
    let series: [(key: Labels, value: [Sample])]

    var count: Int { series.count }
    func labels(at index: Int) -> Labels { series[index].key }
    func read(
        _ index: Int, _ range: TimeRange, into columns: inout SampleColumns
    ) throws(StorageError) {
        for sample in series[index].value
        where range.start <= sample.timestamp && sample.timestamp <= range.end {
            columns.timestamps.append(sample.timestamp)
            columns.values.append(sample.value)
        }
    }
}
