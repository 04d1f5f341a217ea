// SPDX-License-Identifier: Apache-2.0
//
// The head's files as every Prometheus reads them, in a folder that no server uses. Before 3.11
// Prometheus leaves out records with start timestamps, and head chunks in encodings that it does
// not know: samples in such records would be missing, and so would those of late chunks, since
// the log says of them that they are in chunks, and those in front of a chunk that it does know.
//
// The segments that hold such records are written anew, one by one, each with the same samples
// without start timestamps. Where there are such chunks, the head chunk files go, and with them
// the markers that speak of them: the logs have all that they held. The snapshot goes in any case.
// A run that is interrupted loses nothing, and the next one does the rest.

internal import Bytes
internal import ChunkEncoding
internal import Model
internal import Platform
internal import Storage

struct HeadConversion {
    private let directory: String
    private let fileSystem: any FileSystem
    private let temporary: String
    /// Whether head chunk files go.
    private var dropsChunks = false
    private var reader = WALReader()
    private var samples = WALSamples()

    private static let chunks = "chunks_head"
    private static let logs = ["wal", "wbl"]
    private static let newKinds: [WALRecordKind] = [
        .samplesWithStart, .histogramsWithStart, .floatHistogramsWithStart,
    ]

    /// Converts what has to be, and tells what was done.
    static func run(
        _ directory: String, _ fileSystem: any FileSystem
    ) throws(StorageError) -> [String] {
        var conversion = HeadConversion(directory, fileSystem)
        do {
            return try conversion.run()
        } catch let error as WALCorruption {
            throw StorageError(
                .damaged, "\(error); a start and a clean end of the server mend a torn log")
        } catch let error as FileError {
            throw StorageError(error)
        } catch {
            throw StorageError(.damaged, "converting the log: \(error)")
        }
    }

    private init(_ directory: String, _ fileSystem: any FileSystem) {
        self.directory = directory
        self.fileSystem = fileSystem
        temporary = "\(directory)/\(SnapshotFormat.directory)/log.tmp"
    }

    private mutating func run() throws -> [String] {
        try fileSystem.remove(temporary)
        dropsChunks = try hasNewChunks()
        let changed = WALRecordKinds(
            Self.newKinds + (dropsChunks ? [.mappedChunkMarkers] : []))
        var paths: [String] = []
        for log in Self.logs {
            for path in try segments(of: log) where try kinds(in: path).overlaps(changed) {
                paths.append(path)
            }
        }
        guard dropsChunks || !paths.isEmpty else { return [] }
        // It names places in the segments.
        try fileSystem.remove("\(directory)/\(SnapshotFormat.path)")
        var lines: [String] = []
        for path in paths {
            try rewrite(path)
            lines.append("\(path): written anew")
        }
        try fileSystem.remove(temporary)
        if dropsChunks {
            try fileSystem.remove("\(directory)/\(Self.chunks)")
            try fileSystem.syncDirectory(directory)
            // It would hide what a start sees of files that are still there: so it goes after them.
            try HeadNote.lateChunks.remove(directory, fileSystem)
            lines.append("\(Self.chunks): removed; the log has its samples")
        }
        return lines
    }

    /// Whether a head chunk has an encoding with room for start timestamps.
    private func hasNewChunks() throws -> Bool {
        let files = HeadChunkFiles("\(directory)/\(Self.chunks)", fileSystem)
        for number in try files.numbersOnDisk() {
            let file = try files.open(number)
            var at = HeadChunkFormat.headerSize
            while at < file.bytes.byteCount, let entry = HeadChunkEntry(file.bytes, at: at) {
                guard let encoding = EncodedChunk.Encoding(rawValue: entry.encoding) else { break }
                if encoding == .xor2 || encoding.holdsHistogramStarts { return true }
                at = entry.end
            }
        }
        return false
    }

    /// The segments that a start would read, below the folder.
    private func segments(of log: String) throws -> [String] {
        let folder = try WALDirectory("\(directory)/\(log)", fileSystem)
        var paths: [String] = []
        if let checkpoint = folder.checkpoint {
            let name = "\(log)/\(WALFormat.name(ofCheckpoint: checkpoint))"
            let inner = try WALDirectory("\(directory)/\(name)", fileSystem)
            paths = inner.segments.map { "\(name)/\(WALFormat.name(ofSegment: $0))" }
        }
        return paths + folder.segments.map { "\(log)/\(WALFormat.name(ofSegment: $0))" }
    }

    private mutating func kinds(in path: String) throws -> WALRecordKinds {
        var kinds = WALRecordKinds()
        try forEachRecord(in: path) { _, record in
            if record.byteCount > 0 { kinds.insert(record[0]) }
        }
        return kinds
    }

    private mutating func forEachRecord(
        in path: String, _ body: (inout Self, RawSpan) throws -> Void
    ) throws {
        let file = try fileSystem.map("\(directory)/\(path)")
        var reader = WALReader()
        swap(&reader, &self.reader)
        defer { swap(&reader, &self.reader) }
        var failure: (any Error)?
        try reader.forEachRecord(in: file.bytes, path: path, segment: 0) {
            (record, offset) throws(WALCorruption) in
            guard failure == nil else { return }
            do {
                try body(&self, record)
            } catch let error as ByteError {
                throw WALCorruption(
                    path: path, segment: 0, offset: offset, reason: "decode record: \(error)")
            } catch {
                failure = error
            }
        }
        if let failure { throw failure }
    }

    // MARK: Writing

    /// One segment stays one segment, whatever its size.
    private mutating func rewrite(_ path: String) throws {
        let name = String(path[path.index(after: path.lastIndex(of: "/") ?? path.startIndex)...])
        let target = "\(directory)/\(path)"
        let log = try WALWriter(
            temporary, segment: 0, compression: .snappy,
            segmentSize: Int.max / WALFormat.pageSize * WALFormat.pageSize, fileSystem)
        try forEachRecord(in: path) { conversion, record in
            try conversion.copy(record, to: log)
            try log.write()
        }
        try log.close()
        try fileSystem.rename("\(temporary)/\(WALFormat.name(ofSegment: 0))", to: target)
        try fileSystem.syncDirectory(String(target.dropLast(name.utf8.count + 1)))
    }

    private mutating func copy(_ record: RawSpan, to log: WALWriter) throws {
        guard record.byteCount > 0 else { return }
        switch WALRecordKind(rawValue: record[0]) {
        case .samplesWithStart:
            samples.removeAll()
            try samples.decode(record)
            var plain = SamplesRecord()
            for index in samples.refs.indices {
                plain.append(
                    samples.refs[index], samples.timestamps[index], samples.values[index])
            }
            if !plain.isEmpty { try log.add(plain.bytes) }
        case .histogramsWithStart, .floatHistogramsWithStart:
            let histograms = try WALHistograms(record)
            var plain = HistogramRecords()
            for index in histograms.refs.indices {
                plain.append(
                    histograms.refs[index], histograms.timestamps[index],
                    histograms.values[index])
            }
            try plain.forEachRecord { (record) throws(FileError) in try log.add(record) }
        case .mappedChunkMarkers where dropsChunks: break
        default: try log.add(record)
        }
    }
}
