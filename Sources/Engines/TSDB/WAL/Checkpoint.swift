// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import Instrumentation
internal import Model
internal import Platform
internal import Storage

extension Head {
    /// Rewrites the older two thirds of the log to what is still needed of them, as upstream does:
    /// the series that the head has, and samples from `time` on, and the newest metadata. The
    /// current segment is never touched.
    func checkpoint(before time: Timestamp) throws(StorageError) {
        let path = "\(directory)/wal"
        do {
            let folder = try WALDirectory(path, fileSystem)
            let plan = try store.withLock { (store) throws(FileError) in
                try store.beginCheckpoint(folder, before: time)
            }
            guard let plan else { return }
            metrics.checkpointsCreated.increment()
            do {
                var writer = try CheckpointWriter(path, plan, fileSystem)
                try writer.run(folder)
            } catch {
                metrics.checkpointsFailed.increment()
                if error is WALCorruption { metrics.walCorruptions.increment() }
                throw error
            }
            try removeCovered(path)
            store.withLock { $0.restart.expiries.removeAll(before: time) }
        } catch let error as FileError {
            throw StorageError(.inputOutput, "create checkpoint: \(error)")
        } catch {
            throw StorageError(.damaged, "create checkpoint: \(error)")
        }
    }

    /// What the new checkpoint replaces. Leftovers would be ignored, so failing is not fatal.
    private func removeCovered(_ path: String) throws {
        do {
            for obsolete in try WALDirectory(path, fileSystem).obsolete {
                try fileSystem.remove(obsolete)
            }
        } catch {
            options.log.warn("truncating WAL segments failed: \(error)")
        }
    }
}

/// What a checkpoint is to hold.
struct CheckpointPlan: Sendable {
    /// The last segment that it covers.
    var last: Int
    var time: Timestamp
    var liveRefs: [UInt64]
    /// Refs of series with late samples, whose deletions may be older.
    var lateRefs: Set<UInt64>
    /// Refs whose series records stay although the head has no such series.
    var keptRefs: [UInt64]
    var compression: WALCompression
    var segmentSize: Int
}

extension HeadStore {
    /// Begins a new segment and says what to cover; nil where there is too little.
    fileprivate func beginCheckpoint(
        _ folder: WALDirectory, before time: Timestamp
    ) throws(FileError) -> CheckpointPlan? {
        guard let log, let first = folder.segments.first else { return nil }
        let newest = log.segment
        try log.beginSegment()
        let last = first + (newest - 1 - first) * 2 / 3
        guard last > first else { return nil }
        var live: [UInt64] = []
        live.reserveCapacity(labels.seriesCount)
        labels.live.forEach { live.append(samples.series.refs[$0]) }
        var kept: [UInt64] = []
        restart.expiries.forEach { ref, expiry in if expiry >= time { kept.append(ref) } }
        return CheckpointPlan(
            last: last, time: time, liveRefs: live,
            lateRefs: Set(outOfOrder.slots.map { samples.series.refs[$0] }), keptRefs: kept,
            compression: options.compression, segmentSize: options.segmentSize)
    }
}

/// Writes one checkpoint: into a folder with a temporary name, which gets its name when it is
/// whole.
private struct CheckpointWriter {
    private let path: String
    private let plan: CheckpointPlan
    private let fileSystem: any FileSystem
    private let temporary: String
    private let log: WALWriter
    private var kept = RefTable()
    private var reader = WALReader()
    private var samples = WALSamples()
    private var waiting = 0
    /// The newest metadata of each series.
    private var metadata: [UInt64: LoggedMetadata] = [:]

    init(_ path: String, _ plan: CheckpointPlan, _ fileSystem: any FileSystem) throws(FileError) {
        self.path = path
        self.plan = plan
        self.fileSystem = fileSystem
        let name = WALFormat.name(ofCheckpoint: plan.last)
        temporary = "\(path)/\(name)\(WALFormat.temporarySuffix)"
        try fileSystem.remove(temporary)
        log = try WALWriter(
            temporary, segment: 0, compression: plan.compression,
            segmentSize: plan.segmentSize, fileSystem)
        for ref in plan.liveRefs { kept[ref] = 1 }
        for ref in plan.keptRefs { kept[ref] = 1 }
    }

    mutating func run(_ folder: WALDirectory) throws {
        do {
            if let before = folder.checkpoint {
                let old = "\(path)/\(WALFormat.name(ofCheckpoint: before))"
                let inner = try WALDirectory(old, fileSystem)
                for segment in inner.segments {
                    try copy(inner.path(ofSegment: segment), segment)
                }
            }
            for segment in folder.segments where segment <= plan.last {
                try copy(folder.path(ofSegment: segment), segment)
            }
            try addMetadata()
            try log.write()
            try log.close()
            let final = "\(path)/\(WALFormat.name(ofCheckpoint: plan.last))"
            try fileSystem.rename(temporary, to: final)
            try fileSystem.syncDirectory(path)
        } catch {
            try? fileSystem.remove(temporary)
            throw error
        }
    }

    private mutating func copy(_ path: String, _ segment: Int) throws {
        let file = try fileSystem.map(path)
        var reader = WALReader()
        swap(&reader, &self.reader)
        defer { swap(&reader, &self.reader) }
        var failure: (any Error)?
        try reader.forEachRecord(in: file.bytes, path: path, segment: segment) {
            (record, offset) throws(WALCorruption) in
            guard failure == nil else { return }
            do {
                try copy(record)
            } catch let error as ByteError {
                throw WALCorruption(
                    path: path, segment: segment, offset: offset, reason: "decode record: \(error)")
            } catch {
                failure = error
            }
        }
        if let failure { throw failure }
    }

    private mutating func copy(_ record: RawSpan) throws {
        guard record.byteCount > 0, let kind = WALRecordKind(rawValue: record[0]) else { return }
        switch kind {
        case .series:
            var result = SeriesRecord()
            try forEachSeries(in: record) { ref, packed in
                if kept[ref] != nil { result.append(ref, packed.raw) }
            }
            if !result.isEmpty { try add(result.writer.bytes.raw) }
        case .samples, .samplesWithStart:
            samples.removeAll()
            try samples.decode(record)
            var result = FloatRecord(storesStarts: kind == .samplesWithStart)
            for index in samples.refs.indices where samples.timestamps[index] >= plan.time {
                result.append(
                    samples.refs[index], samples.timestamps[index], samples.values[index],
                    start: samples.start(index))
            }
            if !result.isEmpty { try add(result.bytes) }
        case .exemplars:
            var result = ExemplarRecord()
            for entry in try decodeExemplars(record) where entry.timestamp >= plan.time {
                result.append(entry)
            }
            if !result.isEmpty { try add(result.writer.bytes.raw) }
        case .histograms, .floatHistograms, .customHistograms, .customFloatHistograms,
            .histogramsWithStart, .floatHistogramsWithStart:
            let histograms = try WALHistograms(record)
            var result = HistogramRecords(storesStarts: kind.hasStarts)
            for index in histograms.refs.indices
            where histograms.timestamps[index] >= plan.time {
                result.append(
                    histograms.refs[index], histograms.timestamps[index],
                    histograms.values[index], start: histograms.starts[index])
            }
            try result.forEachRecord { (record) throws(FileError) in try add(record) }
        case .tombstones:
            var result = TombstoneRecord()
            try forEachTombstone(in: record) { ref, range in
                if kept[ref] != nil, range.end >= plan.time || plan.lateRefs.contains(ref) {
                    result.append(ref, range)
                }
            }
            if !result.isEmpty { try add(result.writer.bytes.raw) }
        case .metadata:
            for entry in try decodeMetadata(record) where kept[entry.ref] != nil {
                metadata[entry.ref] = entry
            }
        default: break
        }
    }

    private mutating func addMetadata() throws(FileError) {
        var record = MetadataRecord()
        for ref in metadata.keys.sorted() {
            if let entry = metadata[ref] { record.append(entry) }
            if record.byteCount > 1 << 20 {
                try add(record.writer.bytes.raw)
                record = MetadataRecord()
            }
        }
        if !record.isEmpty { try add(record.writer.bytes.raw) }
    }

    private mutating func add(_ record: RawSpan) throws(FileError) {
        try log.add(record)
        waiting += record.byteCount
        if waiting > 1 << 20 {
            try log.write()
            waiting = 0
        }
    }
}
