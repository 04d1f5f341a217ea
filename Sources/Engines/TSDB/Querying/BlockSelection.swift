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

    /// The series that fulfil the matchers and have samples in chunks that overlap the closed
    /// `range`.
    init(
        _ block: Block, _ matchers: [Matcher], _ range: TimeRange
    ) throws(StorageError) {
        self.block = block
        let refs = try block.index.series(matching: matchers)
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

    /// Whether a chunk of the series overlaps `range` and is not deleted as a whole.
    private static func hasData(
        _ block: Block, _ series: UInt32, _ range: TimeRange
    ) throws(StorageError) -> Bool {
        guard let deleted = block.tombstones.ranges[UInt64(series)] else {
            return try block.index.hasChunks(of: series, overlapping: range)
        }
        var chunks: [IndexedChunk] = []
        try block.index.appendChunks(of: series, overlapping: range, to: &chunks)
        return chunks.contains { chunk in
            !deleted.contains {
                $0.start <= chunk.range.start && chunk.range.end <= $0.end
            }
        }
    }

    var count: Int { refs.count }

    func labels(at index: Int) -> Labels {
        // Damage was reported by `init` where it read the series, and is by `read`.
        (try? block.index.labels(of: refs[index])) ?? .empty
    }

    func read(
        _ index: Int, _ range: TimeRange, into columns: inout SampleColumns
    ) throws(StorageError) {
        let series = refs[index]
        let first = columns.mark
        var chunks: [IndexedChunk] = []
        try block.index.appendChunks(of: series, overlapping: range, to: &chunks)
        for chunk in chunks {
            try block.chunks.withChunk(chunk.ref) { (encoding, data) throws(StorageError) in
                do throws(ChunkError) {
                    try columns.append(data, encoding, within: range)
                } catch {
                    throw StorageError(.damaged, "\(block.directory): \(error)")
                }
            }
        }
        if let deleted = block.tombstones.ranges[UInt64(series)] {
            columns.remove(in: deleted, from: first)
        }
    }
}

extension Block {
    /// Calls `body` with the distinct names of labels of the series that fulfil the matchers.
    func addLabelNames(_ matchers: [Matcher], to names: inout Set<String>) throws(StorageError) {
        let file = index.file
        let bytes = file.bytes
        if matchers.isEmpty {
            for label in index.labelNames { names.insert(text(bytes, label.name)) }
            return
        }
        var symbols: Set<UInt32> = []
        for series in try index.series(matching: matchers) {
            try index.forEachSymbolPair(of: series) { name, _ in
                symbols.insert(name)
                return true
            }
        }
        for symbol in symbols {
            if let range = index.symbols.range(of: symbol, in: bytes) {
                names.insert(text(bytes, range))
            }
        }
    }

    /// Adds the distinct values of a label among the series that fulfil the matchers.
    func addLabelValues(
        _ name: String, _ matchers: [Matcher], to values: inout Set<String>
    ) throws(StorageError) {
        guard let label = index.label(name) else { return }
        let file = index.file
        let bytes = file.bytes
        if matchers.isEmpty {
            try index.forEachValue(of: label) { (value, _) in
                values.insert(text(value, 0..<value.byteCount))
                return true
            }
            return
        }
        guard let wanted = index.symbols.symbol(bytes.extracting(label.name), in: bytes) else {
            return
        }
        var symbols: Set<UInt32> = []
        for series in try index.series(matching: matchers) {
            try index.forEachSymbolPair(of: series) { name, value in
                guard name == wanted else { return true }
                symbols.insert(value)
                return false
            }
        }
        for symbol in symbols {
            if let range = index.symbols.range(of: symbol, in: bytes) {
                values.insert(text(bytes, range))
            }
        }
    }
}

/// A range of bytes as text.
func text(_ bytes: RawSpan, _ range: Range<Int>) -> String {
    unsafe bytes.extracting(range).withUnsafeBytes { unsafe String(decoding: $0, as: UTF8.self) }
}
