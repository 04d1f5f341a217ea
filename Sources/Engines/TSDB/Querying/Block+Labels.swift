// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import Model
internal import Platform
internal import Storage

// An index lists names, the values of each name, and symbols in the order of their texts (in two
// runs in a dense block), so the lists of several blocks are merged as they stand. Where some of
// the series are hidden, the labels of the others are gathered.
extension Block {
    private func series(
        _ matchers: [Matcher], without expiry: SeriesExpiry?
    ) throws(StorageError) -> [UInt32] {
        let refs = try index.series(matching: matchers)
        return try expiry?.shown(refs, in: self) ?? refs
    }

    /// The names of labels of the series that fulfil the matchers, and those that are known.
    func labelNames(
        _ matchers: [Matcher], mergedWith known: [String], without expiry: SeriesExpiry?
    ) throws(StorageError) -> [String] {
        guard matchers.isEmpty, expiry == nil else {
            var symbols: Set<UInt32> = []
            for series in try series(matchers, without: expiry) {
                try index.forEachSymbolPair(of: series) { name, _ in
                    symbols.insert(name)
                    return true
                }
            }
            return texts(of: symbols, mergedWith: known)
        }
        let file = index.file
        let bytes = file.bytes
        var merge = TextMerge(known)
        for label in index.labelNames { merge.add(bytes.extracting(label.name)) }
        return merge.finish()
    }

    /// The values of a label among the series that fulfil the matchers, and those that are known.
    func labelValues(
        _ name: String, _ matchers: [Matcher], mergedWith known: [String],
        without expiry: SeriesExpiry?
    ) throws(StorageError) -> [String] {
        guard let label = index.label(name) else { return known }
        guard matchers.isEmpty, expiry == nil else {
            let symbols = try valueSymbols(of: label, try series(matchers, without: expiry))
            return texts(of: symbols, mergedWith: known)
        }
        var merge = TextMerge(known)
        try index.forEachValue(of: label) { (value, _) in
            merge.add(value)
            return true
        }
        return merge.finish()
    }

    private func valueSymbols(
        of label: IndexedLabel, _ refs: [UInt32]
    ) throws(StorageError) -> Set<UInt32> {
        let file = index.file
        let bytes = file.bytes
        guard let wanted = index.symbols.symbol(bytes.extracting(label.name), in: bytes) else {
            return []
        }
        var symbols: Set<UInt32> = []
        for series in refs {
            try index.forEachSymbolPair(of: series) { name, value in
                guard name == wanted else { return true }
                symbols.insert(value)
                return false
            }
        }
        return symbols
    }

    private func texts(of symbols: Set<UInt32>, mergedWith known: [String]) -> [String] {
        let file = index.file
        let bytes = file.bytes
        let sorted = symbols.sorted()
        let names = sorted.prefix { $0 < index.symbols.nameCount }
        var known = known
        // Each of the two is in the order of texts.
        for run in [names, sorted[names.count...]] where !run.isEmpty {
            var merge = TextMerge(known)
            for symbol in run {
                if let range = index.symbols.range(of: symbol, in: bytes) {
                    merge.add(bytes.extracting(range))
                }
            }
            known = merge.finish()
        }
        return known
    }
}
