// SPDX-License-Identifier: Apache-2.0
//
// How a snapshot is taken while the head goes on: the place in the log is noted first, then the
// series are copied slice by slice, each under a short hold of the lock. A sample that is committed
// meanwhile is after that place in the log, and perhaps also in the slice: a start leaves out the
// samples of the log that a series already has, so both are right. Series are only taken if they
// were in the log before the place. Truncation is kept out, so no slot gets another series.

internal import Bytes
internal import ChunkEncoding
internal import Model
internal import Platform

/// Takes one snapshot, on one thread, while truncation is kept out.
struct SnapshotWriter {
    private let directory: String
    private let store: GuardedStore
    private let fileSystem: any FileSystem
    private var output: SnapshotOutput
    private var summary: SnapshotSummary
    private let end: Int

    /// How many slots or pairs are copied under one hold of the lock.
    private static let sliceSize = 256

    /// Notes the place in the log. Nil where the log says nothing yet (it is read-only, or its
    /// newest segment is empty), and where it has records that a snapshot does not hold.
    init?(
        _ directory: String, _ store: GuardedStore, _ fileSystem: any FileSystem
    ) throws(FileError) {
        let checkpoint = try WALDirectory("\(directory)/wal", fileSystem).checkpoint
        let beginning = store.withLock { $0.beginSnapshot(checkpoint: checkpoint) }
        guard let beginning else { return nil }
        (summary, end) = beginning
        self.directory = directory
        self.store = store
        self.fileSystem = fileSystem
        output = try SnapshotOutput(directory, fileSystem)
    }

    /// Writes everything. `pause` is called between slices, without the lock; where it returns
    /// false the snapshot is given up. Returns the size, or nil for one that was given up.
    mutating func run(pause: () -> Bool) throws(FileError) -> Int? {
        do throws(FileError) {
            guard try writeSeries(pause), try writePairs(pause), pause() else {
                output.abandon()
                return nil
            }
            try writeDeletions()
            try writeExemplars()
            try writeMetadata()
            try writeExpiries()
            try writeAliases()
            try syncLog()
            try writeFiles()
            try output.finish(summary)
            return output.byteCount
        } catch {
            output.abandon()
            throw error
        }
    }

    private mutating func writeSeries(_ pause: () -> Bool) throws(FileError) -> Bool {
        var at = 0
        let (end, nextRef) = (end, summary.nextRef)
        while at < end {
            guard pause() else { return false }
            let range = UInt32(at)..<UInt32(min(at + Self.sliceSize, end))
            let slice = store.withLock { $0.snapshotSlice(range, before: nextRef) }
            summary.seriesCount += slice.count
            try output.write(.labels, slice.labels.bytes.raw)
            try output.write(.samples, slice.samples.bytes.raw)
            for open in slice.histograms { try write(open) }
            at = Int(range.upperBound)
        }
        return true
    }

    /// An open chunk of histograms: its samples, as the log has them.
    private mutating func write(_ open: SnapshotSlice.OpenHistograms) throws(FileError) {
        var records = HistogramRecords(storesStarts: open.chunk.encoding.holdsHistogramStarts)
        do throws(ChunkError) {
            try forEachSample(in: open.chunk.bytes.raw, open.chunk.encoding) {
                timestamp, value, start in
                guard case .histogram(let value) = value else { return }
                records.append(open.ref, timestamp, value, start: start)
            }
        } catch {
            preconditionFailure("an open chunk of the head is damaged: \(error)")
        }
        try records.forEachRecord { (record) throws(FileError) in try output.write(.record, record)
        }
    }

    private mutating func writeDeletions() throws(FileError) {
        let nextRef = summary.nextRef
        let records = store.withLock { $0.snapshotDeletions(before: nextRef) }
        for record in records { try output.write(.record, record.raw) }
    }

    /// Those of series that the head has: of others the log could not say whose they are.
    private mutating func writeExemplars() throws(FileError) {
        let exemplars = store.withLock { $0.exemplars }
        var all: [SnapshotExemplar] = []
        exemplars.forEach { all.append(SnapshotExemplar(labels: $0, exemplar: $1, timestamp: $2)) }
        let nextRef = summary.nextRef
        var at = 0
        while at < all.count {
            let slice = Array(all[at..<min(at + Self.sliceSize, all.count)])
            let record = store.withLock { $0.snapshotExemplars(slice, before: nextRef) }
            if !record.isEmpty { try output.write(.record, record.raw) }
            at += slice.count
        }
    }

    private mutating func writeMetadata() throws(FileError) {
        let slots = store.withLock { $0.metadata.slots }
        let nextRef = summary.nextRef
        for start in stride(from: 0, to: slots.count, by: Self.sliceSize) {
            let slice = slots[start..<min(start + Self.sliceSize, slots.count)]
            let record = store.withLock { $0.snapshotMetadata(slice, before: nextRef) }
            if !record.isEmpty { try output.write(.record, record.raw) }
        }
    }

    /// After the series, so that all pairs are there that they name.
    private mutating func writePairs(_ pause: () -> Bool) throws(FileError) -> Bool {
        let end = store.withLock { $0.labels.pairs.end }
        var at = 0
        while at < end {
            guard pause() else { return false }
            let range = UInt32(at)..<UInt32(min(at + Self.sliceSize, end))
            let bytes = store.withLock { $0.snapshotPairs(range) }
            try output.write(.pairs, bytes.raw)
            at = Int(range.upperBound)
        }
        let names = store.withLock { $0.snapshotNames() }
        try output.write(.names, names.raw)
        return true
    }

    private mutating func writeExpiries() throws(FileError) {
        let expiries = store.withLock { $0.restart.expiries }
        var bytes = ByteWriter()
        bytes.uvarint(UInt64(expiries.count))
        expiries.forEach { ref, time in
            bytes.uvarint(ref)
            bytes.varint(time)
        }
        try output.write(.expiries, bytes.bytes.raw)
    }

    private mutating func writeAliases() throws(FileError) {
        let aliases = store.withLock { $0.restart.aliases }
        var bytes = ByteWriter()
        bytes.uvarint(UInt64(aliases.count))
        for (alias, ref) in aliases.sorted(by: { $0.key < $1.key }) {
            bytes.uvarint(alias)
            bytes.uvarint(ref)
        }
        try output.write(.aliases, bytes.bytes.raw)
    }

    /// The log must not end before the place that the snapshot names.
    private mutating func syncLog() throws(FileError) {
        try store.syncLog(fileSystem)
        let path = "\(directory)/wal/\(WALFormat.name(ofSegment: summary.position.segment))"
        let segment = try fileSystem.map(path)
        summary.fingerprint = segment.bytes.fingerprint(before: summary.position.offset)
    }

    /// The full chunks of the snapshot must lie in their files, and stay there.
    private mutating func writeFiles() throws(FileError) {
        try store.flushChunks()
        let chunks = "\(directory)/chunks_head"
        let (numbers, synced, current) = try store.withLock { (store) throws(FileError) in
            (try store.files.numbersOnDisk(), store.files.syncedBefore, store.files.current)
        }
        var bytes = ByteWriter()
        bytes.uvarint(UInt64(numbers.count))
        for number in numbers {
            let path = "\(chunks)/\(HeadChunkFormat.name(ofFile: number))"
            if number >= synced { try fileSystem.open(path, .readWrite).sync() }
            let file = try fileSystem.map(path)
            bytes.uvarint(UInt64(number))
            bytes.uvarint(UInt64(file.count))
            bytes.uint32LE(file.bytes.fingerprint(before: file.count))
        }
        if !numbers.isEmpty { try fileSystem.syncDirectory(chunks) }
        store.withLock { $0.files.syncedBefore = max(synced, current) }
        try output.write(.files, bytes.bytes.raw)
    }
}

private struct SnapshotExemplar: Sendable {
    var labels: Labels
    var exemplar: Exemplar
    var timestamp: Timestamp
}

extension RawSpan {
    /// A checksum of the last bytes before an offset.
    func fingerprint(before offset: Int) -> UInt32 {
        let end = min(offset, byteCount)
        return crc32c(extracting(max(0, end - SnapshotFormat.fingerprintSize)..<end))
    }
}

extension HeadStore {
    /// Puts all series into the log and notes its place; nil where there is none to note.
    fileprivate func beginSnapshot(checkpoint: Int?) -> (SnapshotSummary, end: Int)? {
        if !writing.newSeries.isEmpty { logNewSeries() }
        guard let log, writing.newSeries.isEmpty, log.position.offset > 0 else { return nil }
        var kinds = restart.kinds
        kinds.formUnion(log.kinds)
        guard kinds.isSubset(of: SnapshotFormat.kinds) else { return nil }
        let place = files.nextPlace
        let summary = SnapshotSummary(
            position: log.position, checkpoint: checkpoint, nextRef: restart.nextRef,
            minTime: bounds.minTime, maxTime: bounds.maxTime, chunkFile: place.file,
            chunkOffset: place.offset)
        return (summary, samples.series.end)
    }

    fileprivate func snapshotSlice(
        _ slots: Range<UInt32>, before nextRef: UInt64
    ) -> SnapshotSlice {
        var slice = SnapshotSlice()
        for slot in slots where labels.has(slot) && samples.series.refs[slot] < nextRef {
            slice.add(slot, labels, samples)
        }
        slice.finish()
        return slice
    }

    fileprivate func snapshotDeletions(before nextRef: UInt64) -> [[UInt8]] {
        var records: [[UInt8]] = []
        var record = TombstoneRecord()
        deletions.forEach { slot, deleted in
            let ref = samples.series.refs[slot]
            guard ref < nextRef else { return }
            for range in deleted.ranges { record.append(ref, range) }
            if record.count >= TombstoneRecord.countLimit {
                records.append(record.writer.bytes)
                record.removeAll()
            }
        }
        if !record.isEmpty { records.append(record.writer.bytes) }
        return records
    }

    /// A record of the exemplars whose series are part of the snapshot; empty for none.
    fileprivate func snapshotExemplars(
        _ slice: [SnapshotExemplar], before nextRef: UInt64
    ) -> [UInt8] {
        var record = ExemplarRecord()
        for one in slice {
            let packed = one.labels.packed
            guard let slot = labels.find(packed.raw, hash: xxHash64(packed.raw)),
                samples.series.refs[slot] < nextRef
            else { continue }
            record.append(
                LoggedExemplar(
                    ref: samples.series.refs[slot], timestamp: one.timestamp,
                    exemplar: one.exemplar))
        }
        return record.writer.bytes
    }

    /// For each pair the number of its name plus one, 0 for a number that is free, and its value.
    fileprivate func snapshotPairs(_ numbers: Range<UInt32>) -> [UInt8] {
        var bytes = ByteWriter()
        bytes.uvarint(UInt64(numbers.count))
        for number in numbers {
            let pair = labels.pairs[number]
            guard pair.seriesCount > 0 else {
                bytes.uvarint(0)
                continue
            }
            bytes.uvarint(UInt64(pair.name) + 1)
            let value = labels.pairs.value(number)
            bytes.uvarint(UInt64(value.byteCount))
            bytes.append(value)
        }
        return bytes.bytes
    }

    fileprivate func snapshotNames() -> [UInt8] {
        var bytes = ByteWriter()
        bytes.uvarint(UInt64(labels.pairs.names.end))
        for number in 0..<UInt32(labels.pairs.names.end) {
            let name = labels.pairs.names.bytes(number)
            bytes.uvarint(UInt64(name.count))
            bytes.append(name)
        }
        return bytes.bytes
    }
}
