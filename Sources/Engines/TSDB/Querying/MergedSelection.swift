// SPDX-License-Identifier: Apache-2.0
//
// Several selections as one: sets of series, each in label order, merged by labels. Mostly all sets
// have the same series, so the next one of the newest set is compared with those of the others,
// without gathering their labels; only where they differ the least is looked for.
// Each series of the result is a list of parts (set, index), the oldest set first. Sets that do not
// overlap in time are read one after the other; where they do, samples are merged by time as
// upstream's chained merge has it, which counts the head as the first source and the oldest block
// as the next. (Of three or more sources that have other values for one time upstream's choice
// depends on the series before; here it does not.)

internal import Bytes
internal import Model
internal import Storage

struct MergedSelection: SeriesSet {
    private struct Part {
        var set: Int32
        var index: Int32
    }

    private let sets: [any SeriesSet]
    private let parts: [Part]
    /// Where the parts of each series begin; one more at the end.
    private let starts: [Int32]

    /// How many series at the beginning all sets have, with the same labels.
    let commonCount: Int

    private let hasHead: Bool

    /// `sets` from the oldest to the newest; the last one is of a head, or of a block.
    init(_ sets: [any SeriesSet], hasHead: Bool) {
        var parts: [Part] = []
        var starts: [Int32] = []
        let longest = sets.lazy.map(\.count).max() ?? 0
        starts.reserveCapacity(longest + 1)
        parts.reserveCapacity(sets.lazy.map(\.count).reduce(0, +))
        var merge = SelectionMerge(sets)
        var commonCount = 0
        while merge.next({ set, index in
            parts.append(Part(set: Int32(set), index: Int32(index)))
        }) {
            starts.append(Int32(parts.count - merge.lastCount))
            if merge.lastCount == sets.count, commonCount == starts.count - 1 {
                commonCount += 1
            }
        }
        starts.append(Int32(parts.count))
        self.sets = sets
        self.hasHead = hasHead
        self.parts = parts
        self.starts = starts
        self.commonCount = commonCount
    }

    var count: Int { starts.count - 1 }

    /// The newest part, whose labels are at hand soonest.
    private func newestPart(_ index: Int) -> Part { parts[Int(starts[index + 1]) - 1] }

    func labels(at index: Int) -> Labels {
        let part = newestPart(index)
        return sets[Int(part.set)].labels(at: Int(part.index))
    }

    func appendLabels(at index: Int, to packed: inout [UInt8]) {
        let part = newestPart(index)
        sets[Int(part.set)].appendLabels(at: Int(part.index), to: &packed)
    }

    /// The groups of all sets, those with equal labels as one.
    func groups(_ cut: LabelCut) -> SeriesGroups? {
        var found: [SeriesGroups] = []
        for set in sets {
            guard let groups = set.groups(cut) else { return nil }
            found.append(groups)
        }
        var groups = SeriesGroups(expecting: count)
        var numbers: [Labels: Int] = [:]
        /// By set and group.
        var known = found.map { [Int](repeating: -1, count: $0.labels.count) }
        for index in 0..<count {
            let part = newestPart(index)
            let (set, group) = (Int(part.set), Int(found[Int(part.set)].groupOf[Int(part.index)]))
            if known[set][group] < 0 {
                let labels = found[set].labels[group]
                if let number = numbers[labels] {
                    known[set][group] = number
                } else {
                    known[set][group] = groups.labels.count
                    numbers[labels] = groups.labels.count
                    groups.append(newGroup: labels)
                    continue
                }
            }
            groups.append(toGroup: known[set][group])
        }
        return groups
    }

    /// Known where one set has all of the series.
    func steadyRun(_ index: Int) -> TimeRange? {
        guard starts[index + 1] - starts[index] == 1 else { return nil }
        let part = newestPart(index)
        return sets[Int(part.set)].steadyRun(Int(part.index))
    }

    func read(
        _ index: Int, _ range: TimeRange, into columns: inout SampleColumns
    ) throws(StorageError) {
        let first = columns.mark
        let places = Int(starts[index])..<Int(starts[index + 1])
        for place in places {
            let middle = columns.mark
            let part = parts[place]
            try sets[Int(part.set)].read(Int(part.index), range, into: &columns)
            if columns.overlap(first, middle) {
                columns.removeAll(from: first)
                return try readOverlapping(parts[places], range, into: &columns)
            }
        }
    }

    private func readOverlapping(
        _ parts: ArraySlice<Part>, _ range: TimeRange, into columns: inout SampleColumns
    ) throws(StorageError) {
        var sources: [SampleColumns] = []
        // The head, where it is there, is the last set.
        let headCount = hasHead && parts.last.map({ Int($0.set) }) == sets.count - 1 ? 1 : 0
        for part in parts.suffix(headCount) + parts.dropLast(headCount) {
            var source = SampleColumns()
            try sets[Int(part.set)].read(Int(part.index), range, into: &source)
            sources.append(source)
        }
        ChainedMerge.merge(sources, into: &columns)
    }
}

/// Walks over the series of all sets in label order.
private struct SelectionMerge {
    private let sets: [any SeriesSet]
    private let counts: [Int]
    /// The refs of the sets that are of blocks, and how their labels are compared.
    private let refs: [[UInt32]?]
    private var comparisons: [LabelComparison?]
    /// The next series of each set.
    private var next: [Int]
    /// The labels of those, where they had to be gathered.
    private var known: [Labels?]
    /// The sets that are not at their end, the oldest first.
    private var active: [Int]
    /// How many sets had the last series.
    private(set) var lastCount = 0
    /// The packed labels of the next series of the newest set, and those that were looked for
    /// before; memory that is used again.
    private var newestLabels: [UInt8] = []
    private var labelsBefore: [UInt8] = []
    private var turn = 0

    init(_ sets: [any SeriesSet]) {
        self.sets = sets
        counts = sets.map(\.count)
        let blocks = sets.map { $0 as? BlockSelection }
        refs = blocks.map { $0?.refs }
        comparisons = blocks.map { $0.map { LabelComparison($0.block.index) } }
        next = [Int](repeating: 0, count: sets.count)
        known = [Labels?](repeating: nil, count: sets.count)
        active = sets.indices.filter { sets[$0].count > 0 }
    }

    /// Calls `take` with the next series' place in each set that has it, the oldest first. False at
    /// the end of all.
    mutating func next(_ take: (_ set: Int, _ index: Int) -> Void) -> Bool {
        guard let newest = active.last else { return false }
        let isCommon = isCommon(newest)
        var labels = Labels.empty
        if !isCommon {
            labels = gathered(newest)
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
            if next[set] == counts[set] { isAtEnd = true }
        }
        if isAtEnd { active.removeAll { next[$0] == counts[$0] } }
        return true
    }

    /// Whether all sets that are not at their end have the next series of the newest one next.
    private mutating func isCommon(_ newest: Int) -> Bool {
        if active.count == 1 { return true }
        swap(&newestLabels, &labelsBefore)
        newestLabels.removeAll(keepingCapacity: true)
        sets[newest].appendLabels(at: next[newest], to: &newestLabels)
        let shared = Labels.sharedFields(newestLabels.raw, labelsBefore.raw)
        turn += 1
        for set in active where set != newest {
            let isEqual: Bool
            if let labels = known[set] {
                isEqual = labels.packed == newestLabels
            } else if let series = refs[set]?[next[set]] {
                isEqual =
                    comparisons[set]?.isEqual(series, newestLabels, turn: turn, shared) ?? false
            } else {
                isEqual = sets[set].hasLabels(newestLabels, at: next[set])
            }
            if !isEqual { return false }
        }
        return true
    }

    private func gathered(_ set: Int) -> Labels {
        known[set] ?? sets[set].labels(at: next[set])
    }
}
