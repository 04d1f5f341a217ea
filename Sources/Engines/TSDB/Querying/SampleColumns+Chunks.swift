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

    // MARK: Parts

    /// Whether a run of samples, from `middle` on, begins before the one from `first` to `middle`
    /// has ended.
    func overlap(_ first: ColumnMark, _ middle: ColumnMark) -> Bool {
        guard let end = lastTime(first, middle), let start = firstTime(middle) else { return false }
        return start <= end
    }

    /// Takes out all samples behind a mark.
    mutating func removeAll(from mark: ColumnMark) {
        arrangeFloats([], from: mark.floats)
        arrangeHistograms([], from: mark.histograms)
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
