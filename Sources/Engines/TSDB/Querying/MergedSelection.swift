// SPDX-License-Identifier: Apache-2.0
//
// Several selections as one: sets of series, each in label order, merged by labels with a heap.
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

    /// `sets` from the oldest to the newest.
    init(_ sets: [any SeriesSet]) {
        var allLabels: [Labels] = []
        var parts: [Part] = []
        var starts: [Int32] = []
        // Mostly all sets have the same series; as long as that is so, they go side by side.
        var common = 0
        let shortest = sets.lazy.map(\.count).min() ?? 0
        while common < shortest {
            let labels = sets[0].labels(at: common)
            guard sets.dropFirst().allSatisfy({ $0.hasLabels(labels, at: common) }) else { break }
            starts.append(Int32(parts.count))
            allLabels.append(labels)
            for set in sets.indices { parts.append(Part(set: Int32(set), index: Int32(common))) }
            common += 1
        }
        var heap = SelectionHeap(sets, from: common)
        while let next = heap.pop() {
            if let last = allLabels.last, last == next.labels {
                // The same series in a later set.
            } else {
                starts.append(Int32(parts.count))
                allLabels.append(next.labels)
            }
            parts.append(Part(set: Int32(next.set), index: Int32(next.index)))
        }
        starts.append(Int32(parts.count))
        self.sets = sets
        self.allLabels = allLabels
        self.parts = parts
        self.starts = starts
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

/// The next series of each set, the smallest labels first and of equal labels the earliest set.
private struct SelectionHeap {
    struct Entry {
        var labels: Labels
        var set: Int
        var index: Int
    }

    private let sets: [any SeriesSet]
    private var entries: [Entry] = []

    /// All series of the sets from an index on.
    init(_ sets: [any SeriesSet], from start: Int) {
        self.sets = sets
        for (set, series) in sets.enumerated() where series.count > start {
            entries.append(Entry(labels: series.labels(at: start), set: set, index: start))
        }
        for index in stride(from: entries.count / 2 - 1, through: 0, by: -1) { sink(index) }
    }

    private func precedes(_ left: Entry, _ right: Entry) -> Bool {
        // Most often all sets have the same series.
        left.labels == right.labels ? left.set < right.set : left.labels < right.labels
    }

    private mutating func sink(_ start: Int) {
        var index = start
        while true {
            var smallest = index
            for child in [2 * index + 1, 2 * index + 2]
            where child < entries.count && precedes(entries[child], entries[smallest]) {
                smallest = child
            }
            if smallest == index { return }
            entries.swapAt(index, smallest)
            index = smallest
        }
    }

    mutating func pop() -> Entry? {
        guard let top = entries.first else { return nil }
        let next = top.index + 1
        if next < sets[top.set].count {
            entries[0] = Entry(
                labels: sets[top.set].labels(at: next), set: top.set, index: next)
        } else {
            entries.swapAt(0, entries.count - 1)
            entries.removeLast()
        }
        sink(0)
        return top
    }
}
