// SPDX-License-Identifier: Apache-2.0
//
// What of a block has outlived the time that is set for its series.
//
// Every series belongs to a class: that of the first rule that it fulfils, or that of the rest. A
// class has a horizon, and what is older is hidden from queries. The rest's horizon moves by whole
// blocks, as in upstream, where a block goes once all of it has outlived the time; a rule's horizon
// is exact. A class that is hidden as a whole is left out when the block is written anew.
//
// Which class a series belongs to is found by the postings of the block, rule by rule, so that the
// cost is that of a selection and not of a look at each series.

internal import Model
internal import Storage

/// The classes of the series of one block, and what of each is hidden.
struct SeriesExpiry: Sendable {
    private let rules: [SeriesRetention]
    /// Samples before it are hidden; one for each rule, and one for the rest.
    private let horizons: [Timestamp]
    private let end: Timestamp

    /// Nil where nothing of the block is hidden. `newest` is the end of the newest block.
    init?(_ meta: BlockMeta, _ settings: RetentionSettings, newest: Timestamp) {
        guard !settings.series.isEmpty else { return nil }
        rules = settings.series
        end = meta.range.end
        var horizons = settings.series.map { rule in
            rule.time == 0 ? .min : newest.subtractingReportingOverflow(rule.time).partialValue
        }
        let isRestHidden = settings.time > 0 && newest &- end >= settings.time
        horizons.append(isRestHidden ? .max : .min)
        self.horizons = horizons
        guard horizons.contains(where: { $0 > meta.range.start }) else { return nil }
    }

    /// For each class whether it is hidden as a whole.
    var hiddenClasses: [Bool] { horizons.map { $0 >= end } }

    /// Whether the rest is hidden.
    var hidesRest: Bool { (horizons.last ?? .min) >= end }

    /// From when on the series are shown; `refs` in the order of the index.
    func starts(of refs: [UInt32], in block: Block) throws(StorageError) -> [Timestamp] {
        var starts = [Timestamp](repeating: horizons.last ?? .min, count: refs.count)
        // The first rule counts, so it comes last.
        for (number, rule) in rules.enumerated().reversed() {
            for matchers in rule.selectors {
                var position = 0
                for member in try block.index.series(matching: matchers) {
                    while position < refs.count, refs[position] < member { position += 1 }
                    guard position < refs.count else { break }
                    if refs[position] == member { starts[position] = horizons[number] }
                }
            }
        }
        return starts
    }

    /// The series of which something is shown, as far as their classes say.
    func shown(_ refs: [UInt32], in block: Block) throws(StorageError) -> [UInt32] {
        let starts = try starts(of: refs, in: block)
        return zip(refs, starts).filter { $0.1 < end }.map(\.0)
    }
}
