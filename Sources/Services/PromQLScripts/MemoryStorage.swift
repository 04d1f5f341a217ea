// SPDX-License-Identifier: Apache-2.0

package import Model
package import Storage
internal import Synchronization

/// A storage that holds its series in memory as the columns that queries read: for scripts, unit
/// tests of rules, and tests. A querier sees what had been appended when it was made.
package final class MemoryStorage: Queryable {
    private let series = Mutex<[Labels: SampleColumns]>([:])

    package init() {}

    package func removeAll() { series.withLock { $0.removeAll() } }

    /// Adds samples behind those that the series has; false, with nothing added, where one is not
    /// newer than the one before it.
    @discardableResult
    package func append(_ labels: Labels, _ samples: SampleColumns) -> Bool {
        series.withLock { all in
            let last = all[labels].flatMap { Self.newest($0) }
            var times = samples.timestamps + samples.histogramTimestamps
            times.sort()
            var previous = last
            for time in times {
                if let previous, time <= previous { return false }
                previous = time
            }
            if !times.isEmpty {
                var samples = samples
                CounterResetHints.set(in: &samples, behind: all[labels] ?? SampleColumns())
                Self.append(samples, to: &all[labels, default: SampleColumns()])
            }
            return true
        }
    }

    private static func newest(_ columns: SampleColumns) -> Timestamp? {
        [columns.timestamps.last, columns.histogramTimestamps.last].compactMap { $0 }.max()
    }

    private static func append(_ samples: SampleColumns, to columns: inout SampleColumns) {
        func joined(
            _ first: [Timestamp], _ count: Int, _ second: [Timestamp], _ added: Int
        ) -> [Timestamp] {
            if first.isEmpty, second.isEmpty { return [] }
            let before = first.isEmpty ? [Timestamp](repeating: 0, count: count) : first
            return before + (second.isEmpty ? [Timestamp](repeating: 0, count: added) : second)
        }
        columns.startTimestamps = joined(
            columns.startTimestamps, columns.timestamps.count, samples.startTimestamps,
            samples.timestamps.count)
        columns.histogramStartTimestamps = joined(
            columns.histogramStartTimestamps, columns.histogramTimestamps.count,
            samples.histogramStartTimestamps, samples.histogramTimestamps.count)
        columns.timestamps += samples.timestamps
        columns.values += samples.values
        columns.histogramTimestamps += samples.histogramTimestamps
        columns.histograms += samples.histograms
    }

    package func querier(over range: TimeRange) throws(StorageError) -> any Querier {
        MemoryQuerier(
            range: range,
            series: series.withLock { all in
                all.map { ($0.key, $0.value) }.sorted { $0.0 < $1.0 }
            })
    }
}

private struct MemoryQuerier: Querier {
    let range: TimeRange
    /// In label order.
    let series: [(labels: Labels, columns: SampleColumns)]

    private func selected(
        _ matchers: [Matcher], _ range: TimeRange
    ) -> [(labels: Labels, columns: SampleColumns)] {
        series.filter { entry in
            matchers.allSatisfy { $0.matches(entry.labels) }
                && (Self.holds(entry.columns.timestamps, range)
                    || Self.holds(entry.columns.histogramTimestamps, range))
        }
    }

    private static func holds(_ times: [Timestamp], _ range: TimeRange) -> Bool {
        let first = lowerBound(times, range.start)
        return first < times.count && times[first] <= range.end
    }

    /// The first position whose time is not before `time`.
    static func lowerBound(_ times: [Timestamp], _ time: Timestamp) -> Int {
        var low = 0
        var high = times.count
        while low < high {
            let middle = (low + high) / 2
            if times[middle] < time { low = middle + 1 } else { high = middle }
        }
        return low
    }

    func select(
        _ matchers: [Matcher], hints: SelectHints
    ) throws(StorageError) -> any SeriesSet {
        MemorySeriesSet(series: selected(matchers, range))
    }

    func labelNames(_ matchers: [Matcher]) throws(StorageError) -> [String] {
        var names: Set<String> = []
        for entry in selected(matchers, range) { names.formUnion(entry.labels.map(\.name)) }
        return names.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    }

    func labelValues(_ name: String, _ matchers: [Matcher]) throws(StorageError) -> [String] {
        let values = Set(selected(matchers, range).compactMap { $0.labels[name] })
        return values.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    }
}

private struct MemorySeriesSet: SeriesSet {
    let series: [(labels: Labels, columns: SampleColumns)]

    var count: Int { series.count }
    func labels(at index: Int) -> Labels { series[index].labels }

    func read(
        _ index: Int, _ range: TimeRange, into columns: inout SampleColumns
    ) throws(StorageError) {
        let source = series[index].columns
        let floats = Self.part(source.timestamps, range)
        columns.timestamps += source.timestamps[floats]
        columns.values += source.values[floats]
        if !source.startTimestamps.isEmpty {
            columns.startTimestamps += source.startTimestamps[floats]
        }
        let histograms = Self.part(source.histogramTimestamps, range)
        columns.histogramTimestamps += source.histogramTimestamps[histograms]
        columns.histograms += source.histograms[histograms]
        if !source.histogramStartTimestamps.isEmpty {
            columns.histogramStartTimestamps += source.histogramStartTimestamps[histograms]
        }
    }

    private static func part(_ times: [Timestamp], _ range: TimeRange) -> Range<Int> {
        let first = MemoryQuerier.lowerBound(times, range.start)
        var end = first
        while end < times.count, times[end] <= range.end { end += 1 }
        return first..<end
    }
}
