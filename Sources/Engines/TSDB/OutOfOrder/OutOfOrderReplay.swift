// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import ChunkEncoding
internal import Instrumentation
internal import Model
internal import Platform
internal import Storage

/// Reads the write-behind log at a start, when series and head chunks are known.
struct OutOfOrderReplay {
    private let path: String
    private let store: HeadStore
    private let fileSystem: any FileSystem
    private var slots: RefTable
    /// The last head chunk that is there: what markers say of later ones counts for nothing.
    private let lastPlace: HeadChunkFiles.Place
    private var reader = WALReader()
    private var samples = WALSamples()
    private var unknownRefs = 0
    /// Whether a marker names a chunk that is not there.
    private(set) var hasLostChunks = false

    init(
        _ path: String, _ store: HeadStore, _ slots: RefTable, lastPlace: HeadChunkFiles.Place,
        _ fileSystem: any FileSystem
    ) {
        self.path = path
        self.store = store
        self.slots = slots
        self.lastPlace = lastPlace
        self.fileSystem = fileSystem
    }

    /// Returns the number of the last segment; nil where there is none.
    mutating func run() throws -> Int? {
        let folder = try WALDirectory(path, fileSystem)
        for (before, next) in zip(folder.segments, folder.segments.dropFirst())
        where before + 1 != next {
            throw StorageError(
                .damaged,
                "get WBL segment range: segments are not sequential: the one before "
                    + "\(folder.path(ofSegment: next)) is missing")
        }
        var last: Int?
        for (position, segment) in folder.segments.enumerated() {
            last = segment
            do {
                try replay(folder.path(ofSegment: segment), segment)
            } catch let damage as WALCorruption {
                let later = folder.segments[(position + 1)...]
                try store.repairLog(folder, damage, later: later, fileSystem)
                break
            }
        }
        if unknownRefs > 0 {
            store.options.log.warn(
                "Unknown series references for ooo WAL replay", ["samples": "\(unknownRefs)"])
        }
        return last
    }

    private mutating func replay(_ path: String, _ segment: Int) throws {
        let file = try fileSystem.map(path)
        var reader = WALReader()
        swap(&reader, &self.reader)
        defer { swap(&reader, &self.reader) }
        try reader.forEachRecord(in: file.bytes, path: path, segment: segment) {
            (record, offset) throws(WALCorruption) in
            do throws(ByteError) {
                try apply(record)
            } catch {
                throw WALCorruption(
                    path: path, segment: segment, offset: offset, reason: "decode record: \(error)")
            }
        }
    }

    private mutating func apply(_ record: RawSpan) throws(ByteError) {
        guard record.byteCount > 0, let kind = WALRecordKind(rawValue: record[0]) else { return }
        switch kind {
        case .samples, .samplesWithStart:
            samples.removeAll()
            try samples.decode(record)
            for index in samples.refs.indices {
                insert(
                    samples.refs[index], samples.timestamps[index],
                    .float(Double(bitPattern: samples.values[index])),
                    start: samples.start(index))
            }
        case .histograms, .floatHistograms, .customHistograms, .customFloatHistograms,
            .histogramsWithStart, .floatHistogramsWithStart:
            let histograms = try WALHistograms(record)
            for index in histograms.refs.indices {
                insert(
                    histograms.refs[index], histograms.timestamps[index],
                    .histogram(histograms.values[index]), start: histograms.starts[index])
            }
        case .mappedChunkMarkers:
            for marker in try decodeMarkers(record) {
                guard marker.place <= lastPlace else {
                    hasLostChunks = true
                    continue
                }
                if let slot = slots[marker.ref] { store.outOfOrder.forgetOpen(slot) }
            }
        default: break
        }
    }

    private mutating func insert(
        _ ref: UInt64, _ timestamp: Timestamp, _ value: SampleValue, start: Timestamp
    ) {
        guard let slot = slots[ref] else {
            unknownRefs += 1
            // The ref must not be given to another series as long as the log has it.
            store.restart.nextRef = max(store.restart.nextRef, ref &+ 1)
            return
        }
        if store.samples.series.refs[slot] != ref {
            store.restart.expiries.note(ref, through: timestamp)
        }
        store.outOfOrder.replay(timestamp, value, start: start, slot)
    }
}

extension HeadStore {
    /// Cuts a log in front of a damaged record and removes the segments behind it.
    func repairLog(
        _ folder: WALDirectory, _ damage: WALCorruption, later: ArraySlice<Int>,
        _ fileSystem: any FileSystem
    ) throws(FileError) {
        metrics.walCorruptions.increment()
        options.log.warn("WAL read failed, attempting repair: \(damage)")
        guard restart.foreignData == nil else { return }
        for segment in later.reversed() {
            try fileSystem.remove(folder.path(ofSegment: segment))
            options.log.warn("removed WAL segment \(segment) behind the damage")
        }
        let file = try fileSystem.open(folder.path(ofSegment: damage.segment), .readWrite)
        try file.truncate(to: damage.offset)
        try file.sync()
        try fileSystem.syncDirectory(folder.path)
    }
}
