// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import ChunkEncoding
internal import Model
internal import Platform
internal import Storage

/// Walks all series of a block and reads all their chunks.
struct BlockContents {
    private let name: String
    private let index: IndexReader
    private let segments: ChunkSegments?
    /// Half-open; nil where it is not known.
    private let range: TimeRange?
    private(set) var statistics = BlockMeta.Statistics()
    /// Whether all series and chunks could be read.
    private(set) var isComplete = true
    private var refs: [UInt32] = []
    /// How many bytes of each segment belong to chunks.
    private var used: [Int] = []
    /// The shared parts of segments that were counted, by segment and offset.
    private var shared: Set<UInt64> = []
    private var columns = SampleColumns()

    init(
        _ name: String, _ index: IndexReader, _ segments: ChunkSegments?, _ range: TimeRange?
    ) {
        self.name = name
        self.index = index
        self.segments = segments
        self.range = range
        used = (segments?.files ?? []).map { _ in ChunkSegmentFormat.headerLength }
    }

    func hasSeries(_ ref: UInt64) -> Bool {
        guard let ref = UInt32(exactly: ref) else { return false }
        var low = 0
        var high = refs.count
        while low < high {
            let middle = (low + high) / 2
            if refs[middle] < ref { low = middle + 1 } else { high = middle }
        }
        return low < refs.count && refs[low] == ref
    }

    mutating func verify(_ report: inout FolderReport) {
        let file = index.file
        index.allPostings.appendAll(file.bytes, to: &refs)
        var previous: Labels?
        for (place, series) in refs.enumerated() {
            if place > 0, refs[place - 1] >= series {
                damage("index", "the list of all series is not in order at \(series)", &report)
            }
            do throws(StorageError) {
                let labels = try index.labels(of: series)
                verify(labels, after: previous, series, &report)
                previous = labels
                try verifyChunks(of: series, &report)
            } catch {
                isComplete = false
                report.damage("\(name)/index", error)
            }
        }
        statistics.series = Int64(refs.count)
        report.series += statistics.series
        report.chunks += statistics.chunks
        report.samples += statistics.samples
        verifyUse(&report)
    }

    private mutating func damage(
        _ file: String, _ reason: String, _ report: inout FolderReport
    ) {
        report.damage("\(name)/\(file)", reason)
    }

    private mutating func verify(
        _ labels: Labels, after previous: Labels?, _ series: UInt32, _ report: inout FolderReport
    ) {
        if let previous, previous >= labels {
            damage("index", "series \(series) \(labels) is not in order", &report)
        }
        let names = labels.map(\.name)
        if !zip(names, names.dropFirst()).allSatisfy({ isOrderedBytewise($0, $1) }) {
            damage("index", "the labels of series \(series) are not in order", &report)
        }
    }

    private mutating func verifyChunks(
        of series: UInt32, _ report: inout FolderReport
    ) throws(StorageError) {
        var chunks: [IndexedChunk] = []
        try index.forEachChunk(of: series) {
            chunks.append($0)
            return true
        }
        var end: Timestamp?
        for chunk in chunks {
            statistics.chunks += 1
            let isInside =
                range.map { $0.start <= chunk.range.start && chunk.range.end < $0.end } ?? true
            if !isInside || chunk.range.start > chunk.range.end {
                damage(
                    "index",
                    "series \(series) has a chunk from \(chunk.range.start) to "
                        + "\(chunk.range.end), outside of the block", &report)
            }
            if let end, chunk.range.start <= end {
                damage(
                    "index", "chunks of series \(series) overlap at \(chunk.range.start)", &report)
            }
            end = chunk.range.end
            verify(chunk, &report)
        }
    }

    private mutating func verify(_ chunk: IndexedChunk, _ report: inout FolderReport) {
        guard let segments else {
            isComplete = false
            return
        }
        let segment = Int(truncatingIfNeeded: chunk.ref >> 32)
        let file = "chunks/\(ChunkSegmentFormat.fileName(segment))"
        do throws(StorageError) {
            columns.removeAll()
            let always = TimeRange(start: .earliest, end: .latest)
            try segments.read(chunk, within: always, into: &columns)
            let extents = try segments.extents(of: chunk)
            used[segment] += extents.chunk.count
            if let times = extents.times { use(times, of: segment) }
            count()
            verifySamples(of: chunk, file, &report)
        } catch {
            isComplete = false
            report.damage("\(name)/\(file)", error)
        }
    }

    /// Counts a part of a segment that chunks share, once.
    private mutating func use(_ extent: Range<Int>, of segment: Int) {
        guard shared.insert(UInt64(segment) << 32 | UInt64(extent.lowerBound)).inserted else {
            return
        }
        used[segment] += extent.count
    }

    private mutating func count() {
        let floats = Int64(columns.timestamps.count)
        let histograms = Int64(columns.histogramTimestamps.count)
        statistics.samples += floats + histograms
        statistics.floatSamples += floats
        statistics.histogramSamples += histograms
    }

    private mutating func verifySamples(
        of chunk: IndexedChunk, _ file: String, _ report: inout FolderReport
    ) {
        let times =
            columns.timestamps.isEmpty ? columns.histogramTimestamps : columns.timestamps
        let offset = chunk.offset
        if times.first != chunk.range.start || times.last != chunk.range.end {
            damage(
                file,
                "the chunk at offset \(offset) does not have the times that the index says",
                &report)
        }
        if !zip(times, times.dropFirst()).allSatisfy({ $0 < $1 }) {
            damage(file, "the samples of the chunk at offset \(offset) are not in order", &report)
        }
    }

    /// What of the segments belongs to no chunk, and the unused bytes of their headers.
    private mutating func verifyUse(_ report: inout FolderReport) {
        for (number, file) in (segments?.files ?? []).enumerated() {
            let name = "chunks/\(ChunkSegmentFormat.fileName(number))"
            if !file.bytes.isZero(5..<min(file.count, ChunkSegmentFormat.headerLength)) {
                damage(name, "non-zero bytes at offset 5", &report)
            }
            if isComplete, used[number] != file.count {
                damage(name, "\(file.count - used[number]) bytes belong to no chunk", &report)
            }
        }
    }
}
