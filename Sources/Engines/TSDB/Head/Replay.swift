// SPDX-License-Identifier: Apache-2.0
//
// What happens at a start, in this order:
//
//  0. a snapshot, where there is one that fits to the log and to the head chunk files: it stands
//     for the checkpoint and for the log up to its place, and for the chunks before its place in
//     their files. What follows is about what is left then. Damage found while it is read leads to
//     a start without it.
//  1. survey: is there anything in log or head chunk files that is not stored yet? Then nothing on
//     disk is changed, and the head is read-only.
//  2. head chunk files: which full chunks there are, by series ref. A file that is damaged goes,
//     with
//     those after it; the last file is cut behind its last sound chunk. The log has the samples.
//  3. checkpoint and segments: series records give refs their slots and attach the chunks; samples
//     that the chunks cover are skipped. Two refs of one label set lead to one slot.
//  4. a damaged segment is cut before the damaged record, later ones are removed.
//  5. a new segment is begun.

internal import Bytes
internal import ChunkEncoding
internal import Instrumentation
internal import Model
internal import Platform
internal import Storage

/// One start of a head.
struct Replay {
    let directory: String
    let store: HeadStore
    let fileSystem: any FileSystem
    /// The chunks of each ref whose series record was not seen yet.
    private var chunks = RecoveredChunks()
    var slots = RefTable()
    /// Further refs of a slot.
    var aliases: [UInt32: [UInt64]] = [:]
    private var reader = WALReader()
    private var samples = WALSamples()
    private var unknownRefs = 0
    private var unusableHistograms = 0
    private var unknownExemplarRefs = 0
    /// Where the log is read from, if not from its beginning.
    private var start: WALPosition?
    /// How many bytes of the log were read.
    private var tail = 0
    private var unknownMetadataRefs = 0

    /// A head as its folder holds it, with the size of the snapshot that helped, and how much of
    /// the log was read.
    static func start(
        _ directory: String, _ options: HeadOptions, minValidTime: Timestamp,
        _ exemplars: ExemplarStore, _ metrics: HeadMetrics, _ fileSystem: any FileSystem
    ) throws(StorageError) -> (HeadStore, snapshot: Int?, tail: Int) {
        func fresh() throws(StorageError) -> Replay {
            let store = try HeadStore(
                directory, options, minValidTime: minValidTime, exemplars, metrics, fileSystem)
            return Replay(directory, store, fileSystem)
        }
        var replay = try fresh()
        var size: Int?
        do {
            if let file = try SnapshotFile(directory, fileSystem) {
                guard try HeadStart.read(directory, fileSystem) <= minValidTime else {
                    throw SnapshotFault("a block from before it cannot be read, the log may help")
                }
                try replay.restore(file)
                size = file.byteCount
            }
        } catch {
            options.log.warn("the head snapshot is not used: \(error)")
            replay = try fresh()
        }
        try replay.run()
        return (replay.store, size, replay.tail)
    }

    private init(_ directory: String, _ store: HeadStore, _ fileSystem: any FileSystem) {
        self.directory = directory
        self.store = store
        self.fileSystem = fileSystem
    }

    private var logPath: String { "\(directory)/wal" }

    mutating func run() throws(StorageError) {
        do {
            let folder = try WALDirectory(logPath, fileSystem)
            if start == nil { try loadChunks() }
            store.files.isReadOnly = store.restart.foreignData != nil
            try chunks.repair(store)
            try store.files.syncLast()
            if chunks.lastPlace < chunks.writtenThrough, store.restart.foreignData == nil {
                try store.files.syncDeletions()
                try WrittenLateChunks.write(chunks.lastPlace, directory, fileSystem)
            }
            if start == nil, store.restart.foreignData == nil {
                try SnapshotFormat.remove(directory, fileSystem)
                try HeadStart.removeWithout(folder, directory, fileSystem)
            }
            if start == nil { try replayCheckpoint(folder) }
            let last = try replaySegments(folder)
            var late = OutOfOrderReplay(
                OutOfOrderLog.path(directory), store, slots, lastPlace: chunks.lastPlace,
                fileSystem)
            let lastLate = try late.run()
            if lastLate == nil { store.restart.aliases.removeAll() }
            finish()
            if store.restart.foreignData == nil {
                for path in folder.obsolete { try fileSystem.remove(path) }
                let earlier = folder.segments.filter { $0 <= last }.map(folder.path(ofSegment:))
                store.log = try WALWriter(
                    logPath, segment: last + 1, earlier: earlier,
                    compression: store.options.compression,
                    segmentSize: store.options.segmentSize, fileSystem)
                store.outOfOrder.firstSegment = (lastLate ?? -1) + 1
                try store.outOfOrder.setWindow(
                    store.options.outOfOrderWindow, directory, store.options, fileSystem)
                if late.hasLostChunks {
                    try store.outOfOrder.rewriteLog(
                        { store.samples.series.refs[$0] },
                        storesStarts: store.options.storesStarts, directory, fileSystem)
                }
            }
        } catch let error as FileError {
            throw StorageError(.inputOutput, error.description)
        } catch let error as StorageError {
            throw error
        } catch {
            throw StorageError(.damaged, "\(error)")
        }
    }

    private mutating func loadChunks(
        from place: HeadChunkFiles.Place? = nil
    ) throws(FileError) {
        chunks.writtenThrough = try WrittenLateChunks.read(directory, fileSystem)
        try chunks.load(store, from: place)
    }

    // MARK: Snapshot

    /// Fills the store from a snapshot. Changes nothing on disk.
    private mutating func restore(_ file: SnapshotFile) throws {
        let summary = file.summary
        let folder = try WALDirectory(logPath, fileSystem)
        guard folder.checkpoint == summary.checkpoint else {
            throw SnapshotFault("the log was checkpointed since")
        }
        guard summary.nextRef < 1 << 62 else { throw SnapshotFault("no ref is left") }
        guard folder.segments.contains(summary.position.segment) else {
            throw SnapshotFault("segment \(summary.position.segment) of the log is missing")
        }
        let segment = try fileSystem.map(folder.path(ofSegment: summary.position.segment))
        guard segment.count >= summary.position.offset,
            segment.bytes.fingerprint(before: summary.position.offset) == summary.fingerprint
        else { throw SnapshotFault("segment \(summary.position.segment) is another one") }
        let place = HeadChunkFiles.Place(file: summary.chunkFile, offset: summary.chunkOffset)
        try loadChunks(from: place)
        // Also one that is younger than the snapshot: its repair would come after the records of
        // the snapshot may have begun another file.
        if let damaged = chunks.firstDamagedFile {
            throw SnapshotFault("head chunk file \(damaged) is damaged")
        }
        try restoreSeries(file)
        start = summary.position
        store.restart.nextRef = max(store.restart.nextRef, summary.nextRef)
        if summary.maxTime >= store.bounds.minValidTime {
            store.bounds.minTime = min(store.bounds.minTime, summary.minTime)
            store.bounds.maxTime = max(store.bounds.maxTime, summary.maxTime)
        }
        for slot in 0..<store.samples.series.end {
            slots[store.samples.series.refs[slot]] = UInt32(slot)
        }
        try file.forEachFrame(.aliases) { reader in
            for _ in 0..<(try reader.uvarint()) {
                let alias = try reader.uvarint()
                // Of series that left the head meanwhile nothing is waiting in the log.
                if let slot = slots[try reader.uvarint()] { note(alias, slot) }
            }
        }
        try chunks.attachAll(&slots, store)
        try file.forEachFrame(.record) { reader in
            try apply(try reader.take(reader.remaining))
        }
    }

    private func restoreSeries(_ file: SnapshotFile) throws {
        let sizes = try checkedFileSizes(file)
        let labels = try SnapshotLabels(file)
        let result = Result {
            try store.samples.restore(
                file, minValidTime: store.bounds.minValidTime, sizes: sizes)
        }
        // Also after a failure: its thread must have ended.
        let count = try labels.finish(&store.labels)
        guard try result.get() == count, count == file.summary.seriesCount else {
            throw SnapshotFault("series are missing")
        }
        store.metrics.seriesCreated.increment(by: Double(count))
        try file.forEachFrame(.expiries) { reader in
            for _ in 0..<(try reader.uvarint()) {
                let ref = try reader.uvarint()
                store.restart.expiries.note(ref, through: try reader.varint())
            }
        }
    }

    /// How long the head chunk files were; those that are gone or are not the same are left out.
    private func checkedFileSizes(_ file: SnapshotFile) throws -> [UInt32: Int] {
        var sizes: [UInt32: Int] = [:]
        try file.forEachFrame(.files) { reader in
            for _ in 0..<(try reader.uvarint()) {
                let number = UInt32(truncatingIfNeeded: try reader.uvarint())
                let size = Int(clamping: try reader.uvarint())
                let fingerprint = try reader.uint32LE()
                guard let found = store.files.mappedFile(number), found.count >= size,
                    found.bytes.fingerprint(before: size) == fingerprint
                else { continue }
                sizes[number] = size
            }
        }
        return sizes
    }

    /// Where the reading of a segment begins; nil for one that a snapshot stands for.
    private func offset(in segment: Int) -> Int? {
        guard let start, segment <= start.segment else { return 0 }
        return segment == start.segment ? start.offset : nil
    }

    // MARK: Log

    private mutating func replayCheckpoint(_ folder: WALDirectory) throws {
        guard let index = folder.checkpoint else { return }
        let path = "\(logPath)/\(WALFormat.name(ofCheckpoint: index))"
        let inner = try WALDirectory(path, fileSystem)
        for segment in inner.segments {
            do {
                try replay(inner.path(ofSegment: segment), segment, from: 0)
            } catch let damage as WALCorruption {
                throw StorageError(.damaged, "backfill checkpoint: \(damage)")
            }
        }
    }

    /// Returns the number of the last segment.
    private mutating func replaySegments(_ folder: WALDirectory) throws -> Int {
        var last = folder.checkpoint ?? -1
        // A missing segment may come back; what stands behind it is not thrown away.
        if let segment = folder.firstAfterGap {
            throw StorageError(
                .damaged,
                "get segment range: segments are not sequential: the one before "
                    + "\(folder.path(ofSegment: segment)) is missing")
        }
        for (position, segment) in folder.segments.enumerated() {
            last = segment
            guard let offset = offset(in: segment) else { continue }
            do {
                try replay(folder.path(ofSegment: segment), segment, from: offset)
            } catch let damage as WALCorruption {
                let later = folder.segments[(position + 1)...]
                try store.repairLog(folder, damage, later: later, fileSystem)
                return segment
            }
        }
        return last
    }

    private mutating func replay(_ path: String, _ segment: Int, from offset: Int) throws {
        let file = try fileSystem.map(path)
        tail += file.count - offset
        var reader = WALReader()
        swap(&reader, &self.reader)
        defer { swap(&reader, &self.reader) }
        var failure: StorageError?
        try reader.forEachRecord(in: file.bytes, from: offset, path: path, segment: segment) {
            (record, offset) throws(WALCorruption) in
            do {
                try apply(record)
            } catch let error as StorageError {
                failure = failure ?? error
            } catch {
                throw WALCorruption(
                    path: path, segment: segment, offset: offset, reason: "decode record: \(error)")
            }
        }
        if let failure { throw failure }
    }

    private mutating func apply(_ record: RawSpan) throws {
        guard record.byteCount > 0 else { return }
        store.restart.kinds.insert(record[0])
        guard let kind = WALRecordKind(rawValue: record[0]) else { return }
        switch kind {
        case .series:
            var failure: StorageError?
            try forEachSeries(in: record) { ref, packed in
                do throws(StorageError) {
                    try addSeries(ref, packed)
                } catch {
                    failure = failure ?? error
                }
            }
            if let failure { throw failure }
        case .samples, .samplesWithStart:
            samples.removeAll()
            try samples.decode(record)
            try addSamples()
        case .histograms, .floatHistograms, .customHistograms, .customFloatHistograms,
            .histogramsWithStart, .floatHistogramsWithStart:
            try addHistograms(try WALHistograms(record))
        case .metadata:
            for entry in try decodeMetadata(record) {
                if let slot = slots[entry.ref] {
                    store.metadata.set(try entry.metadata(), slot)
                } else {
                    unknownMetadataRefs += 1
                }
            }
        case .exemplars:
            for logged in try decodeExemplars(record)
            where !store.replay(logged, slot: slots[logged.ref]) {
                unknownExemplarRefs += 1
            }
        case .tombstones: try addDeletions(record)
        default: break
        }
    }

    private mutating func addSeries(_ ref: UInt64, _ packed: [UInt8]) throws(StorageError) {
        store.restart.nextRef = max(store.restart.nextRef, ref &+ 1)
        guard !packed.isEmpty, ref != 0 else { return }
        let (slot, isNew) = try store.findOrCreate(packed.raw, ref: ref)
        slots[ref] = slot
        if !isNew, store.samples.series.refs[slot] != ref {
            store.restart.expiries.note(ref, through: .min)
            note(ref, slot)
        }
        try chunks.attach(ref, to: slot, store)
    }

    /// Notes a further ref of a series.
    private mutating func note(_ alias: UInt64, _ slot: UInt32) {
        slots[alias] = slot
        aliases[slot, default: []].append(alias)
        store.restart.aliases[alias] = store.samples.series.refs[slot]
    }

    private mutating func addSamples() throws(StorageError) {
        try store.samples.pieces.reserve(2 * samples.refs.count)
        try store.samples.series.reserveChunks(samples.refs.count)
        try store.samples.reserveStarts()
        unknownRefs += store.samples.replay(samples, &slots, &store.bounds, &store.restart)
        // While replaying, nobody else writes the buffer out.
        if store.files.waitingCount > 4 << 20 { try? store.files.writeNow() }
    }

    private mutating func addHistograms(_ histograms: WALHistograms) throws(StorageError) {
        try store.samples.series.reserveChunks(histograms.refs.count)
        unusableHistograms += histograms.unusable
        unknownRefs += store.samples.replay(
            histograms, &slots, &store.bounds, &store.restart)
        if store.files.waitingCount > 4 << 20 { try? store.files.writeNow() }
    }

    private func finish() {
        if unusableHistograms > 0 {
            store.options.log.warn(
                "skipping histograms with unknown schema or wrong spans in WAL records: "
                    + "\(unusableHistograms)")
        }
        if unknownRefs + unknownExemplarRefs + unknownMetadataRefs > 0 {
            store.options.log.warn(
                "Unknown series references",
                [
                    "samples": "\(unknownRefs)", "exemplars": "\(unknownExemplarRefs)",
                    "metadata": "\(unknownMetadataRefs)",
                ])
        }
        store.bounds.minTime = max(store.bounds.minTime, store.bounds.minValidTime)
        store.forgetDeletions(endingBefore: store.bounds.minValidTime)
        if let foreign = store.restart.foreignData {
            store.options.log.warn("The head is read-only", ["reason": foreign])
        }
    }
}

extension SampleStore {
    /// Appends the samples of a record, but for those that chunks cover. Returns how many have a
    /// ref that nothing is known of. The bounds: pieces and full chunks were reserved.
    fileprivate mutating func replay(
        _ samples: WALSamples, _ slots: inout RefTable, _ bounds: inout HeadBounds,
        _ notes: inout RestartNotes
    ) -> Int {
        var unknown = 0
        let minValidTime = bounds.minValidTime
        for index in samples.refs.indices {
            let time = samples.timestamps[index]
            guard time >= minValidTime else { continue }
            let ref = samples.refs[index]
            guard let slot = slots[ref] else {
                unknown += 1
                notes.nextRef = max(notes.nextRef, ref &+ 1)
                continue
            }
            if series.refs[slot] != ref { notes.expiries.note(ref, through: time) }
            let state = unsafe series.states.pointer(Int(slot))
            if unsafe state.pointee.hasSamples, unsafe time <= state.pointee.encoder.timestamp {
                continue
            }
            let value = Double(bitPattern: samples.values[index])
            if StaleMarker.isStale(value), let lane = lanes[slot] {
                append(slot, time, lane.staleMarker(value), start: samples.start(index))
            } else if mayHoldXOR2 {
                appendToAny(Int(slot), time, value, start: samples.start(index))
            } else {
                append(Int(slot), time, value)
            }
            bounds.include(time)
        }
        return unknown
    }

    /// The same with histograms.
    fileprivate mutating func replay(
        _ histograms: WALHistograms, _ slots: inout RefTable, _ bounds: inout HeadBounds,
        _ notes: inout RestartNotes
    ) -> Int {
        var unknown = 0
        for index in histograms.refs.indices {
            let time = histograms.timestamps[index]
            guard time >= bounds.minValidTime else { continue }
            let ref = histograms.refs[index]
            guard let slot = slots[ref] else {
                unknown += 1
                notes.nextRef = max(notes.nextRef, ref &+ 1)
                continue
            }
            if series.refs[slot] != ref { notes.expiries.note(ref, through: time) }
            let state = series.states[slot]
            if state.hasSamples, time <= state.encoder.timestamp { continue }
            append(slot, time, histograms.values[index], start: histograms.starts[index])
            bounds.include(time)
        }
        return unknown
    }
}
