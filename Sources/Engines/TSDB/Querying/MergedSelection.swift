// SPDX-License-Identifier: Apache-2.0
//
// Several selections as one: sets of series, each in label order, merged by labels. Mostly all sets
// have the same series, so the next one of the newest set is compared with those of the others,
// without gathering their labels; only where they differ the least is looked for.
// Each series of the result is a list of parts (set, index), the oldest set first. Sets that do not
// overlap in time are read one after the other; where they do, samples are merged by time, and of
// two with the same time the one of the earlier set counts, as upstream's chained merge has it.

internal import Model
internal import Storage

struct MergedSelection: SeriesSet {
    private struct Part {
        var set: Int32
        var index: Int32
    }

    private let sets: [any SeriesSet]
    private let allLabels: [Labels]
    private let parts: [Part]
    /// Where the parts of each series begin; one more at the end.
    private let starts: [Int32]

    /// How many series at the beginning all sets have, with the same labels.
    let commonCount: Int

    /// `sets` from the oldest to the newest.
    init(_ sets: [any SeriesSet]) {
        var allLabels: [Labels] = []
        var parts: [Part] = []
        var starts: [Int32] = []
        let longest = sets.lazy.map(\.count).max() ?? 0
        allLabels.reserveCapacity(longest)
        starts.reserveCapacity(longest + 1)
        parts.reserveCapacity(sets.lazy.map(\.count).reduce(0, +))
        var merge = SelectionMerge(sets)
        var commonCount = 0
        while let labels = merge.next({ set, index in
            parts.append(Part(set: Int32(set), index: Int32(index)))
        }) {
            starts.append(Int32(parts.count - merge.lastCount))
            allLabels.append(labels)
            if merge.lastCount == sets.count, commonCount == allLabels.count - 1 {
                commonCount += 1
            }
        }
        starts.append(Int32(parts.count))
        self.sets = sets
        self.allLabels = allLabels
        self.parts = parts
        self.starts = starts
        self.commonCount = commonCount
    }

    var count: Int { allLabels.count }

    func labels(at index: Int) -> Labels { allLabels[index] }

    func read(
        _ index: Int, _ range: TimeRange, into columns: inout SampleColumns
    ) throws(StorageError) {
        let first = columns.mark
        for place in Int(starts[index])..<Int(starts[index + 1]) {
            let middle = columns.mark
            let part = parts[place]
            try sets[Int(part.set)].read(Int(part.index), range, into: &columns)
            columns.merge(first, middle)
        }
    }
}

/// Walks over the series of all sets in label order.
private struct SelectionMerge {
    private let sets: [any SeriesSet]
    /// The next series of each set.
    private var next: [Int]
    /// The labels of those, where they had to be gathered.
    private var known: [Labels?]
    /// The sets that are not at their end, the oldest first.
    private var active: [Int]
    /// How many sets had the last series.
    private(set) var lastCount = 0

    init(_ sets: [any SeriesSet]) {
        self.sets = sets
        next = [Int](repeating: 0, count: sets.count)
        known = [Labels?](repeating: nil, count: sets.count)
        active = sets.indices.filter { sets[$0].count > 0 }
    }

    /// The labels of the next series, after `take` was called with its place in each set that has
    /// it, the oldest first. Nil at the end of all.
    mutating func next(_ take: (_ set: Int, _ index: Int) -> Void) -> Labels? {
        guard let newest = active.last else { return nil }
        var labels = gathered(newest)
        let isCommon = active.allSatisfy { set in
            if set == newest { return true }
            return known[set].map { $0 == labels } ?? sets[set].hasLabels(labels, at: next[set])
        }
        if !isCommon {
            for set in active {
                known[set] = gathered(set)
                if let found = known[set], found < labels { labels = found }
            }
        }
        lastCount = 0
        var isAtEnd = false
        for set in active where isCommon || known[set] == labels {
            take(set, next[set])
            next[set] += 1
            known[set] = nil
            lastCount += 1
            if next[set] == sets[set].count { isAtEnd = true }
        }
        if isAtEnd { active.removeAll { next[$0] == sets[$0].count } }
        return labels
    }

    private func gathered(_ set: Int) -> Labels {
        known[set] ?? sets[set].labels(at: next[set])
    }
}
