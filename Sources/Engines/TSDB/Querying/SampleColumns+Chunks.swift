// SPDX-License-Identifier: Apache-2.0

internal import ChunkEncoding
internal import Model
internal import Storage

/// Where the columns ended at some time.
struct ColumnMark: Equatable {
    var floats: Int
    var histograms: Int

    static let start = ColumnMark(floats: 0, histograms: 0)
}

extension SampleColumns {
    var mark: ColumnMark {
        ColumnMark(floats: timestamps.count, histograms: histogramTimestamps.count)
    }

    /// The floats as chunks. There are no histograms.
    func encodedFloats(
        as encoding: FloatEncoding, samplesPerChunk: Int = targetSampleCount
    ) -> [EncodedChunk] {
        encodeFloats(
            timestamps, values, startTimestamps: startTimestamps, as: encoding,
            samplesPerChunk: samplesPerChunk)
    }

    /// Appends the samples of a chunk that lie within the closed range. On an error the columns are
    /// as they were.
    @inline(__always)
    mutating func append(
        _ chunk: RawSpan, _ encoding: EncodedChunk.Encoding, within range: TimeRange
    ) throws(ChunkError) {
        if encoding == .xor, startTimestamps.isEmpty {
            return try decodeFloats(chunk, encoding, within: range, &timestamps, &values)
        }
        try appendOther(chunk, encoding, within: range)
    }

    private mutating func appendOther(
        _ chunk: RawSpan, _ encoding: EncodedChunk.Encoding, within range: TimeRange
    ) throws(ChunkError) {
        var starts: [Timestamp] = []
        if encoding == .xor2, startTimestamps.isEmpty, !holdsStartTimestamps(chunk, .xor2) {
            return try decodeFloats(chunk, encoding, within: range, &timestamps, &values)
        }
        if encoding.holdsFloats {
            try decodeFloats(
                chunk, encoding, within: range, &timestamps, &values, startTimestamps: &starts)
            Self.append(starts, to: &startTimestamps, count: timestamps.count)
        } else {
            try decodeHistograms(
                chunk, encoding, within: range, &histogramTimestamps, &histograms,
                startTimestamps: &starts)
            Self.append(
                starts, to: &histogramStartTimestamps, count: histogramTimestamps.count)
        }
    }

    /// A column of start timestamps is as long as the others, or empty as long as there are none.
    private static func append(
        _ starts: [Timestamp], to column: inout [Timestamp], count: Int
    ) {
        if column.isEmpty, starts.allSatisfy({ $0 == 0 }) { return }
        column += repeatElement(0, count: count - starts.count - column.count)
        column += starts
    }

    // MARK: Deletions

    /// Takes out the samples from `first` on whose times are deleted.
    mutating func remove(_ deleted: DeletedRanges, from first: ColumnMark) {
        if deleted.isEmpty { return }
        func isKept(_ timestamp: Timestamp) -> Bool {
            !deleted.cover(TimeRange(start: timestamp, end: timestamp))
        }
        let floats = (first.floats..<timestamps.count).filter { isKept(timestamps[$0]) }
        let others = (first.histograms..<histogramTimestamps.count).filter {
            isKept(histogramTimestamps[$0])
        }
        arrangeFloats(floats, from: first.floats)
        arrangeHistograms(others, from: first.histograms)
    }

    // MARK: Merges

    /// Merges two runs of samples, from `first` to `middle` and from there on, each in time order,
    /// into one. Of samples with one time that of the first run stays.
    mutating func merge(_ first: ColumnMark, _ middle: ColumnMark) {
        guard let end = lastTime(first, middle), let start = firstTime(middle), start <= end else {
            return
        }
        let histogramTimes = Set(histogramTimestamps[first.histograms..<middle.histograms])
        let floatTimes = Set(timestamps[first.floats..<middle.floats])
        let floats = Self.order(timestamps, first.floats, middle.floats, without: histogramTimes)
        let others = Self.order(
            histogramTimestamps, first.histograms, middle.histograms, without: floatTimes)
        arrangeFloats(floats, from: first.floats)
        arrangeHistograms(others, from: first.histograms)
        forgetResets(others, from: first.histograms, middle.histograms)
    }

    /// The last time between two marks.
    private func lastTime(_ first: ColumnMark, _ middle: ColumnMark) -> Timestamp? {
        let float = middle.floats > first.floats ? timestamps[middle.floats - 1] : nil
        let histogram =
            middle.histograms > first.histograms
            ? histogramTimestamps[middle.histograms - 1] : nil
        guard let float, let histogram else { return float ?? histogram }
        return max(float, histogram)
    }

    /// The first time behind a mark.
    private func firstTime(_ mark: ColumnMark) -> Timestamp? {
        let float = mark.floats < timestamps.count ? timestamps[mark.floats] : nil
        let histogram =
            mark.histograms < histogramTimestamps.count
            ? histogramTimestamps[mark.histograms] : nil
        guard let float, let histogram else { return float ?? histogram }
        return min(float, histogram)
    }

    /// The merged order, as indices. `others` are times that the second run must leave out.
    private static func order(
        _ times: [Timestamp], _ first: Int, _ middle: Int, without others: Set<Timestamp>
    ) -> [Int] {
        var order: [Int] = []
        order.reserveCapacity(times.count - first)
        var left = first
        var right = middle
        while left < middle || right < times.count {
            let takesLeft =
                right >= times.count || (left < middle && times[left] <= times[right])
            let index = takesLeft ? left : right
            let isTaken =
                order.last.map { times[$0] == times[index] } ?? false
                || (!takesLeft && others.contains(times[index]))
            if !isTaken { order.append(index) }
            if takesLeft { left += 1 } else { right += 1 }
        }
        return order
    }

    /// What a histogram knows of resets is about the one before it in its own run.
    private mutating func forgetResets(_ order: [Int], from first: Int, _ middle: Int) {
        for place in order.indices.dropFirst()
        where (order[place - 1] < middle) != (order[place] < middle) {
            if histograms[first + place].counterResetHint != .gauge {
                histograms[first + place].counterResetHint = .unknown
            }
        }
    }

    private mutating func arrangeFloats(_ order: [Int], from first: Int) {
        Self.arrange(&timestamps, order, from: first)
        Self.arrange(&values, order, from: first)
        Self.arrange(&startTimestamps, order, from: first)
    }

    private mutating func arrangeHistograms(_ order: [Int], from first: Int) {
        Self.arrange(&histogramTimestamps, order, from: first)
        Self.arrange(&histograms, order, from: first)
        Self.arrange(&histogramStartTimestamps, order, from: first)
    }

    private static func arrange<Element>(
        _ column: inout [Element], _ order: [Int], from first: Int
    ) {
        if column.isEmpty { return }
        column.replaceSubrange(first..., with: order.map { column[$0] })
    }
}
