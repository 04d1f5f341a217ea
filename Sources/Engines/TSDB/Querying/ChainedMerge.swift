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
        let times: [Timestamp]
        var at = -1

        var time: Timestamp { times[at] }

        mutating func advance() -> Bool {
            at += 1
            return at < times.count
        }
    }

    private var cursors: [Cursor]
    private var heap: [Int] = []

    private init(_ times: [[Timestamp]]) { cursors = times.map { Cursor(times: $0) } }

    /// Calls `take` with the samples of all sources, given by their ascending times, in order:
    /// which source, which of its samples, and whether another source had the one before.
    static func walk(
        _ times: [[Timestamp]], _ take: (_ source: Int, _ index: Int, _ hasMoved: Bool) -> Void
    ) {
        guard !times.isEmpty else { return }
        var merge = ChainedMerge(times)
        merge.run(take)
    }

    /// Appends the samples of all sources, in the order in which the chunks come, to `columns`.
    static func merge(_ sources: [SampleColumns], into columns: inout SampleColumns) {
        let orders = sources.map(\.timeOrder)
        let times = zip(sources, orders).map { source, order in
            order?.map(source.time) ?? source.timestamps
        }
        walk(times) { source, index, hasMoved in
            let place = orders[source].map { $0[index] } ?? index
            columns.append(place, of: sources[source])
            // What a histogram knows of resets is about the one before it in its own source.
            guard hasMoved, place < 0, let last = columns.histograms.indices.last,
                columns.histograms[last].counterResetHint != .gauge
            else { return }
            columns.histograms[last].counterResetHint = .unknown
        }
    }

    private mutating func run(_ take: (Int, Int, Bool) -> Void) {
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
                    take(current, cursors[current].at, hasMoved)
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
            take(current, cursors[current].at, hasMoved)
            (lastTime, hasMoved) = (time, false)
        }
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
    /// All samples in time order: the index of a float, or the complement of a histogram's; nil
    /// where there are floats only.
    fileprivate var timeOrder: [Int]? {
        if histogramTimestamps.isEmpty { return nil }
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
