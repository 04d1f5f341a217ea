// SPDX-License-Identifier: Apache-2.0

internal import Model
internal import Storage

/// A view over the blocks and the head that share times with a range. It keeps what it reads from
/// mapped; any thread may use it.
struct DatabaseQuerier: Querier {
    /// From the oldest to the newest.
    let blocks: [Block]
    /// What is hidden of some of the blocks.
    let expiries: [ULID: SeriesExpiry]
    let head: (any Querier)?
    /// Closed.
    let range: TimeRange
    let filePages: FilePages?

    func select(
        _ matchers: [Matcher], hints: SelectHints
    ) throws(StorageError) -> any SeriesSet {
        let wanted = TimeRange(
            start: max(range.start, hints.range.start), end: min(range.end, hints.range.end))
        filePages?.look()
        var sets: [any SeriesSet] = []
        for block in blocks where block.overlaps(wanted) {
            let selection = try BlockSelection(
                block, matchers, wanted, expiries[block.meta.id], filePages)
            if selection.count > 0 { sets.append(selection) }
        }
        var hasHead = false
        if let head {
            var hints = hints
            // Only a head by itself may go without order: merging needs it.
            if !blocks.isEmpty { hints.needsOrder = true }
            let selection = try head.select(matchers, hints: hints)
            hasHead = selection.count > 0 || sets.isEmpty
            if hasHead { sets.append(selection) }
        }
        let merged = sets.count == 1 ? nil : MergedSelection(sets, hasHead: hasHead)
        if hints.labelsOnly {
            // Labels that were equal to others could be read.
            for case let set as BlockSelection in sets {
                try set.checkLabels(from: merged?.commonCount ?? 0)
            }
        }
        return merged ?? sets[0]
    }

    func labelNames(_ matchers: [Matcher]) throws(StorageError) -> [String] {
        var names: [String] = []
        for block in blocks {
            names = try block.labelNames(
                matchers, mergedWith: names, without: expiries[block.meta.id])
        }
        guard let head else { return names }
        return TextMerge.merge(names, try head.labelNames(matchers))
    }

    func labelValues(_ name: String, _ matchers: [Matcher]) throws(StorageError) -> [String] {
        var values: [String] = []
        for block in blocks {
            values = try block.labelValues(
                name, matchers, mergedWith: values, without: expiries[block.meta.id])
        }
        guard let head else { return values }
        return TextMerge.merge(values, try head.labelValues(name, matchers))
    }
}
