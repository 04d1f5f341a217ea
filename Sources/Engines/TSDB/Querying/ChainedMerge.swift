// SPDX-License-Identifier: Apache-2.0
//
// Chunks that overlap, merged by time. Which one counts where several have a sample of one time is
// not a matter of taste: queries show it, and upstream's chained iterators (storage/merge.go) have
// their own way. The source that was read last gives way, and the others queue in a binary heap. So
// the heap here sinks and rises as Go's does, and equal times end up where they do there.

internal import Model
internal import Storage

struct ChainedMerge {
    private struct Cursor {
        let columns: SampleColumns
        /// Places in time order: a float's index, or the complement of a histogram's.
        let order: [Int]
        var at = -1

        init(_ columns: SampleColumns) {
            self.columns = columns
            order = columns.timeOrder
        }

        var time: Timestamp { columns.time(order[at]) }

        mutating func advance() -> Bool {
            at += 1
            return at < order.count
        }
    }

    private var cursors: [Cursor]
    private var heap: [Int] = []

    private init(_ sources: [SampleColumns]) { cursors = sources.map(Cursor.init) }

    /// Appends the samples of all sources, in the order in which the chunks come, to `columns`.
    static func merge(_ sources: [SampleColumns], into columns: inout SampleColumns) {
        guard !sources.isEmpty else { return }
        var merge = ChainedMerge(sources)
        merge.run(&columns)
    }

    private mutating func run(_ columns: inout SampleColumns) {
        for index in cursors.indices.dropFirst() where cursors[index].advance() { push(index) }
        var current = 0
        var lastTime: Timestamp?
        var hasMoved = true
        while true {
            if cursors[current].advance() {
                let time = cursors[current].time
                if time == lastTime { continue }
                if let next = heap.first, time >= cursors[next].time {
                    push(current)
                } else {
                    take(current, hasMoved, &columns)
                    (lastTime, hasMoved) = (time, false)
                    continue
                }
            } else if heap.isEmpty {
                return
            }
            current = pop()
            hasMoved = true
            let time = cursors[current].time
            if time == lastTime { continue }
            take(current, hasMoved, &columns)
            (lastTime, hasMoved) = (time, false)
        }
    }

    /// What a histogram knows of resets is about the one before it in its own source.
    private func take(_ index: Int, _ hasMoved: Bool, _ columns: inout SampleColumns) {
        let cursor = cursors[index]
        columns.append(cursor.order[cursor.at], of: cursor.columns)
        guard hasMoved, let last = columns.histograms.indices.last, cursor.order[cursor.at] < 0,
            columns.histograms[last].counterResetHint != .gauge
        else { return }
        columns.histograms[last].counterResetHint = .unknown
    }

    // MARK: The heap, as Go's container/heap has it

    private func isEarlier(_ left: Int, _ right: Int) -> Bool {
        cursors[heap[left]].time < cursors[heap[right]].time
    }

    private mutating func push(_ cursor: Int) {
        heap.append(cursor)
        var child = heap.count - 1
        while child > 0 {
            let parent = (child - 1) / 2
            if !isEarlier(child, parent) { return }
            heap.swapAt(parent, child)
            child = parent
        }
    }

    private mutating func pop() -> Int {
        let last = heap.count - 1
        heap.swapAt(0, last)
        var parent = 0
        while true {
            var child = 2 * parent + 1
            if child >= last { break }
            if child + 1 < last, isEarlier(child + 1, child) { child += 1 }
            if !isEarlier(child, parent) { break }
            heap.swapAt(parent, child)
            parent = child
        }
        return heap.removeLast()
    }
}

extension SampleColumns {
    /// All samples in time order: the index of a float, or the complement of a histogram's.
    fileprivate var timeOrder: [Int] {
        if histogramTimestamps.isEmpty { return Array(timestamps.indices) }
        var order: [Int] = []
        order.reserveCapacity(timestamps.count + histogramTimestamps.count)
        var next = 0
        for index in histogramTimestamps.indices {
            while next < timestamps.count, timestamps[next] < histogramTimestamps[index] {
                order.append(next)
                next += 1
            }
            order.append(~index)
        }
        return order + (next..<timestamps.count)
    }

    fileprivate func time(_ place: Int) -> Timestamp {
        place < 0 ? histogramTimestamps[~place] : timestamps[place]
    }

    fileprivate mutating func append(_ place: Int, of other: SampleColumns) {
        if place < 0 {
            let start =
                other.histogramStartTimestamps.isEmpty ? 0 : other.histogramStartTimestamps[~place]
            Self.append(start, to: &histogramStartTimestamps, after: histogramTimestamps.count)
            histogramTimestamps.append(other.histogramTimestamps[~place])
            histograms.append(other.histograms[~place])
        } else {
            let start = other.startTimestamps.isEmpty ? 0 : other.startTimestamps[place]
            Self.append(start, to: &startTimestamps, after: timestamps.count)
            timestamps.append(other.timestamps[place])
            values.append(other.values[place])
        }
    }

    /// A column of start timestamps is as long as the others, or empty as long as there are none.
    private static func append(
        _ start: Timestamp, to column: inout [Timestamp], after count: Int
    ) {
        if column.isEmpty, start == 0 { return }
        column += repeatElement(0, count: count - column.count)
        column.append(start)
    }
}
