// SPDX-License-Identifier: Apache-2.0

internal import Model
internal import Storage

/// A `SeriesSource` as the engine sees storages.
struct ForeignStorage: Queryable {
    let source: any SeriesSource

    func querier(over range: TimeRange) throws(StorageError) -> any Querier {
        ForeignQuerier(source: source, range: range)
    }
}

private struct ForeignQuerier: Querier {
    let source: any SeriesSource
    let range: TimeRange

    func select(
        _ matchers: [Matcher], hints: SelectHints
    ) throws(StorageError) -> any SeriesSet {
        do {
            let found = try source.series(
                matching: matchers.map { LabelMatcher($0) }, from: range.start,
                through: range.end)
            let labels = (0..<found.count).map { found.labels(at: $0).labels }
            let order = labels.indices.sorted { labels[$0] < labels[$1] }
            for (first, second) in zip(order, order.dropFirst())
            where labels[first] == labels[second] {
                throw StorageError(.damaged, "the source has \(labels[first]) twice")
            }
            return ForeignSeries(found: found, order: order, names: order.map { labels[$0] })
        } catch {
            throw ForeignStorage.failure(error)
        }
    }

    func labelNames(_ matchers: [Matcher]) throws(StorageError) -> [String] {
        let series = try select(matchers, hints: SelectHints(range: range))
        var names: Set<String> = []
        for index in 0..<series.count {
            names.formUnion(series.labels(at: index).map(\.name))
        }
        return names.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    }

    func labelValues(_ name: String, _ matchers: [Matcher]) throws(StorageError) -> [String] {
        let series = try select(matchers, hints: SelectHints(range: range))
        let values = Set((0..<series.count).compactMap { series.labels(at: $0)[name] })
        return values.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    }
}

private struct ForeignSeries: SeriesSet {
    let found: any SelectedSeries
    /// Positions in `found`, in the order of labels.
    let order: [Int]
    let names: [Labels]

    var count: Int { order.count }
    func labels(at index: Int) -> Labels { names[index] }

    func read(
        _ index: Int, _ range: TimeRange, into columns: inout SampleColumns
    ) throws(StorageError) {
        do {
            let samples = try found.samples(
                at: order[index], from: range.start, through: range.end)
            try samples.append(to: &columns, range.start, range.end)
        } catch {
            throw ForeignStorage.failure(error)
        }
    }
}

extension ForeignStorage {
    /// What a source throws, as the storage's error.
    fileprivate static func failure(_ error: any Error) -> StorageError {
        error as? StorageError ?? StorageError(.unavailable, "\(error)")
    }
}
