// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import ChunkEncoding
internal import Model
internal import Platform
internal import Storage

/// The late samples of all series, by slot. Owned by the head and touched under its lock.
struct OutOfOrderStore {
    /// How many open samples make a chunk (upstream's `OutOfOrderCapMax`).
    static let openLimit = 32

    /// How much older than the newest sample of the head a sample may be; zero lets none in.
    private(set) var window: Milliseconds
    /// The write-behind log; nil as long as nothing may come late.
    private(set) var log: WALWriter?
    /// With which segment the log begins.
    var firstSegment = 0
    private var series: [UInt32: OutOfOrderSeries] = [:]
    /// The times of late samples; they may be wider than what is there.
    private(set) var range: TimeRange?
    /// Chunks up to here are in blocks, and new queriers do not look at them.
    var hiddenThrough = HeadChunkFiles.Place.none

    init(window: Milliseconds) { self.window = max(0, window) }

    /// Goes on with another window; the first one that lets samples in begins the log.
    mutating func setWindow(
        _ window: Milliseconds, _ directory: String, _ options: HeadOptions,
        _ fileSystem: any FileSystem
    ) throws(FileError) {
        if window > 0 || !isEmpty, log == nil {
            let path = OutOfOrderLog.path(directory)
            let folder = try WALDirectory(path, fileSystem)
            log = try WALWriter(
                path, segment: firstSegment,
                earlier: folder.segments.map(folder.path(ofSegment:)),
                compression: options.compression, segmentSize: options.segmentSize, fileSystem)
        }
        self.window = max(0, window)
    }

    /// Begins a new segment and returns its number: what came before is in those with lower ones.
    func beginSegment() throws(FileError) -> Int {
        guard let log else { return firstSegment }
        try log.beginSegment()
        return log.segment
    }

    /// Writes the open samples to the log and removes its segments up to now: they have markers
    /// that name chunks which are lost, and whose places others may get.
    func rewriteLog(
        _ refs: (UInt32) -> UInt64, storesStarts: Bool, _ directory: String,
        _ fileSystem: any FileSystem
    ) throws(FileError) {
        guard let log else { return }
        var records = OutOfOrderRecords(storesStarts: storesStarts)
        for (slot, one) in series {
            one.forEachOpen { records.add(refs(slot), $0, $1, start: $2) }
        }
        records.finishGroup()
        for record in records.finished { try log.add(record.raw) }
        try log.write()
        try log.sync()
        let folder = try WALDirectory(OutOfOrderLog.path(directory), fileSystem)
        for segment in folder.segments where segment < firstSegment {
            try fileSystem.remove(folder.path(ofSegment: segment))
        }
    }

    mutating func closeLog() throws(FileError) {
        try log?.close()
        log = nil
    }

    var isEmpty: Bool { series.isEmpty }

    subscript(slot: UInt32) -> OutOfOrderSeries? {
        get { series[slot] }
        set {
            guard let newValue, !newValue.isEmpty else {
                series[slot] = nil
                return
            }
            series[slot] = newValue
        }
    }

    /// Puts a sample in place that the log had. The chunk is not closed before samples are taken.
    mutating func replay(
        _ timestamp: Timestamp, _ value: SampleValue, start: Timestamp, _ slot: UInt32
    ) {
        var one = series.removeValue(forKey: slot) ?? OutOfOrderSeries()
        if one.insert(timestamp, value, start: start) {
            include(TimeRange(start: timestamp, end: timestamp))
        }
        series[slot] = one
    }

    /// A marker: the open samples of a series are in chunks.
    mutating func forgetOpen(_ slot: UInt32) {
        guard var one = series.removeValue(forKey: slot) else { return }
        one.forgetOpen()
        self[slot] = one
    }

    /// A chunk that a start found.
    mutating func attach(_ chunk: OutOfOrderChunk, to slot: UInt32) {
        series[slot, default: OutOfOrderSeries()].attach(chunk)
        include(chunk.range)
    }

    /// What a commit prepared.
    mutating func adopt(_ batch: OutOfOrderBatch) {
        for (slot, one) in batch.series { self[slot] = one }
        if let range = batch.range { include(range) }
    }

    func has(_ slot: UInt32) -> Bool { !series.isEmpty && series[slot] != nil }

    /// Every slot with late samples.
    var slots: [UInt32] { Array(series.keys) }

    mutating func include(_ range: TimeRange) { self.range = range.union(self.range) }

    func overlaps(_ wanted: TimeRange) -> Bool { range.map { $0.touches(wanted) } ?? false }

    /// Full chunks, and series with open samples.
    var chunkCount: Int {
        series.values.reduce(0) { $0 + $1.chunks.count + ($1.open.isEmpty ? 0 : 1) }
    }

    /// The first head chunk file that is needed; nil for none.
    var firstFile: UInt32? {
        series.values.lazy.flatMap(\.chunks).map(\.place.file).min()
    }

    /// Forgets the chunks up to a place.
    mutating func removeChunks(upTo place: HeadChunkFiles.Place) {
        for slot in slots {
            guard var one = series[slot] else { continue }
            one.removeChunks(upTo: place)
            self[slot] = one
        }
        range = nil
        for one in series.values { range = one.range.map { $0.union(range) } ?? range }
    }
}
