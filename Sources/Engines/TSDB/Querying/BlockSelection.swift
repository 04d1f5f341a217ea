// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import ChunkEncoding
internal import Model
internal import Platform
internal import Storage

/// The series of one block that a selection chose, by their refs; labels and samples are read from
/// the mapped files when they are asked for.
struct BlockSelection: SeriesSet {
    let block: Block
    let refs: [UInt32]
    /// From when on each series is shown; empty where all of them are shown in full.
    private let starts: [Timestamp]
    private let filePages: FilePages?

    /// The series that fulfil the matchers and have samples in chunks that overlap the closed
    /// `range`, but for what `expiry` hides.
    init(
        _ block: Block, _ matchers: [Matcher], _ range: TimeRange, _ expiry: SeriesExpiry? = nil,
        _ filePages: FilePages? = nil
    ) throws(StorageError) {
        self.block = block
        self.filePages = filePages
        let refs = try block.index.series(matching: matchers)
        if let expiry {
            (self.refs, starts) = try Self.shown(block, refs, range, expiry)
            return
        }
        starts = []
        let all = block.closedRange
        if range.start <= all.start, all.end <= range.end, block.tombstones.isEmpty {
            self.refs = refs
            return
        }
        var kept: [UInt32] = []
        kept.reserveCapacity(refs.count)
        for series in refs where try BlockSelection.hasData(block, series, range) {
            kept.append(series)
        }
        self.refs = kept
    }

    private static func shown(
        _ block: Block, _ refs: [UInt32], _ range: TimeRange, _ expiry: SeriesExpiry
    ) throws(StorageError) -> (refs: [UInt32], starts: [Timestamp]) {
        var shown: [UInt32] = []
        var starts: [Timestamp] = []
        for (series, start) in zip(refs, try expiry.starts(of: refs, in: block)) {
            let rest = TimeRange(start: max(range.start, start), end: range.end)
            guard rest.start <= rest.end, try hasData(block, series, rest) else { continue }
            shown.append(series)
            starts.append(start)
        }
        return (shown, starts)
    }

    /// Whether a chunk of the series overlaps `range` and is not deleted as a whole.
    private static func hasData(
        _ block: Block, _ series: UInt32, _ range: TimeRange
    ) throws(StorageError) -> Bool {
        guard let deleted = block.tombstones.ranges[UInt64(series)] else {
            return try block.index.hasChunks(of: series, overlapping: range)
        }
        var chunks: [IndexedChunk] = []
        try block.index.appendChunks(of: series, overlapping: range, to: &chunks)
        return chunks.contains { !deleted.cover($0.range) }
    }

    var count: Int { refs.count }

    /// Throws where the labels of a series from an index on cannot be read, for those who read no
    /// samples.
    func checkLabels(from first: Int) throws(StorageError) {
        for series in refs.dropFirst(first) { _ = try block.index.labels(of: series) }
    }

    func labels(at index: Int) -> Labels {
        // Damage is reported by `read`, and by `checkLabels`.
        (try? block.index.labels(of: refs[index])) ?? .empty
    }

    func hasLabels(_ packed: [UInt8], at index: Int) -> Bool {
        block.index.hasLabels(packed, of: refs[index])
    }

    /// Nil where a series is damaged, too.
    func groups(_ cut: LabelCut) -> SeriesGroups? { try? block.index.groups(refs, cut) }

    func read(
        _ index: Int, _ range: TimeRange, into columns: inout SampleColumns
    ) throws(StorageError) {
        filePages?.look(atSeries: index)
        let first = columns.mark
        let (chunks, range, deleted) = try chunks(index, range)
        for chunk in chunks { try block.chunks.read(chunk, within: range, into: &columns) }
        if let deleted { columns.remove(deleted, from: first) }
    }

    /// The samples of the newest chunk that has any.
    func readNewest(
        _ index: Int, _ range: TimeRange, into columns: inout SampleColumns
    ) throws(StorageError) {
        filePages?.look(atSeries: index)
        let first = columns.mark
        let (chunks, range, deleted) = try chunks(index, range)
        for chunk in chunks.reversed() {
            try block.chunks.read(chunk, within: range, into: &columns)
            if let deleted { columns.remove(deleted, from: first) }
            if columns.mark != first { return }
        }
    }

    /// The chunks of a series that overlap what it shows of a range, that, and what is deleted.
    private func chunks(
        _ index: Int, _ range: TimeRange
    ) throws(StorageError) -> ([IndexedChunk], TimeRange, DeletedRanges?) {
        let series = refs[index]
        var range = range
        if !starts.isEmpty { range.start = max(range.start, starts[index]) }
        guard range.start <= range.end else { return ([], range, nil) }
        var chunks: [IndexedChunk] = []
        try block.index.appendChunks(of: series, overlapping: range, to: &chunks)
        return (chunks, range, block.tombstones.ranges[UInt64(series)])
    }
}
