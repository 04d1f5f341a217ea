// SPDX-License-Identifier: Apache-2.0
//
// Chunks that overlap, merged by time. Which one counts where several have a sample of one time is
// not a matter of taste: queries show it, and upstream's chained iterators (storage/merge.go) have
// their own way. The source that was read last gives way, and the others queue in a binary heap. So
// the heap here sinks and rises as Go's does, and equal times end up where they do there.

internal import Model
internal import Storage

struct ChainedMerge {
    /// The times of all sources, one behind the other.
    private var times: [Timestamp] = []
    /// Of each source the place of its first time, and behind the last one the end of all.
    private var starts: [Int] = [0]
    /// Where each source is.
    private var places: [Int] = []
    private var heap: [Int] = []

    private init(_ sources: [[Timestamp]]) {
        times.reserveCapacity(sources.reduce(0) { $0 + $1.count })
        for source in sources {
            places.append(times.count - 1)
            times += source
            starts.append(times.count)
        }
    }

    /// Calls `take` with the samples of all sources, given by their ascending times, in order:
    /// which source, which of its samples, as many as follow one another, and whether another
    /// source had the one before.
    static func walk(
        _ times: [[Timestamp]],
        _ take: (_ source: Int, _ indices: Range<Int>, _ hasMoved: Bool) -> Void
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
        walk(times) { source, indices, hasMoved in
            guard let order = orders[source] else {
                columns.appendFloats(indices, of: sources[source])
                return
            }
            // What a histogram knows of resets is about the one before it in its own source.
            let first = columns.histograms.count
            columns.append(order[indices], of: sources[source])
            guard hasMoved, order[indices.lowerBound] < 0,
                columns.histograms[first].counterResetHint != .gauge
            else { return }
            columns.histograms[first].counterResetHint = .unknown
        }
    }

    private func time(_ source: Int) -> Timestamp { times[places[source]] }

    private mutating func advance(_ source: Int) -> Bool {
        places[source] += 1
        return places[source] < starts[source + 1]
    }

    private mutating func run(_ take: (Int, Range<Int>, Bool) -> Void) {
        for source in places.indices.dropFirst() where advance(source) { push(source) }
        var current = 0
        var lastTime: Timestamp?
        var hasMoved = true
        while true {
            if advance(current) {
                if time(current) == lastTime { continue }
                if let next = heap.first, time(current) >= time(next) {
                    push(current)
                } else {
                    lastTime = takeRun(current, hasMoved, take)
                    hasMoved = false
                    continue
                }
            } else if heap.isEmpty {
                return
            }
            current = pop()
            hasMoved = true
            if time(current) == lastTime { continue }
            lastTime = takeRun(current, hasMoved, take)
            hasMoved = false
        }
    }

    /// Takes the sample at which a source is and those behind it that come before all of the other
    /// sources. Returns the time of the last one.
    private mutating func takeRun(
        _ source: Int, _ hasMoved: Bool, _ take: (Int, Range<Int>, Bool) -> Void
    ) -> Timestamp {
        let first = places[source]
        let end = starts[source + 1]
        var next = first + 1
        if let other = heap.first {
            let limit = time(other)
            while next < end, times[next] < limit, times[next] > times[next - 1] { next += 1 }
        } else {
            while next < end, times[next] > times[next - 1] { next += 1 }
        }
        places[source] = next - 1
        take(source, first - starts[source]..<next - starts[source], hasMoved)
        return times[next - 1]
    }

    // MARK: The heap, as Go's container/heap has it

    private func isEarlier(_ left: Int, _ right: Int) -> Bool {
        time(heap[left]) < time(heap[right])
    }

    private mutating func push(_ source: Int) {
        heap.append(source)
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

    /// Appends samples of another, given as in `timeOrder`.
    fileprivate mutating func append(_ order: ArraySlice<Int>, of other: SampleColumns) {
        var first = order.startIndex
        while first < order.endIndex {
            let isHistogram = order[first] < 0
            let next =
                order[first...].firstIndex { ($0 < 0) != isHistogram } ?? order.endIndex
            let start = isHistogram ? ~order[first] : order[first]
            let places = start..<start + (next - first)
            if isHistogram {
                appendHistograms(places, of: other)
            } else {
                appendFloats(places, of: other)
            }
            first = next
        }
    }

    fileprivate mutating func appendFloats(_ places: Range<Int>, of other: SampleColumns) {
        Self.append(
            other.startTimestamps, places, to: &startTimestamps, after: timestamps.count)
        timestamps += other.timestamps[places]
        values += other.values[places]
    }

    private mutating func appendHistograms(_ places: Range<Int>, of other: SampleColumns) {
        Self.append(
            other.histogramStartTimestamps, places, to: &histogramStartTimestamps,
            after: histogramTimestamps.count)
        histogramTimestamps += other.histogramTimestamps[places]
        histograms += other.histograms[places]
    }

    /// A column of start timestamps is as long as the others, or empty as long as there are none.
    private static func append(
        _ starts: [Timestamp], _ places: Range<Int>, to column: inout [Timestamp],
        after count: Int
    ) {
        if starts.isEmpty, column.isEmpty { return }
        column += repeatElement(0, count: count - column.count)
        if starts.isEmpty {
            column += repeatElement(0, count: places.count)
        } else {
            column += starts[places]
        }
    }
}
