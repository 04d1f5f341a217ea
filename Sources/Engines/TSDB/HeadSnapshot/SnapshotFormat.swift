// SPDX-License-Identifier: Apache-2.0
//
// A snapshot of the head: what a start would otherwise have to replay from the log. The page in
// docs/formats/head-snapshot.md has it to the byte.
//
//     magic "NTXHEAD1"
//     frames: kind 1, length LE32, checksum LE32 (of kind and data), data
//
// The first frame is the summary, of a fixed length, because it is written last. Then the names of
// labels, the pairs, and for each slice of slots its labels and its samples, then records in the
// log's format. A snapshot is only ever a shortcut: the log holds everything that it holds, and one
// that is damaged, or does not fit to the log and the head chunk files, is left out.

internal import Bytes
internal import Model
internal import Platform

enum SnapshotFormat {
    static let magic: [UInt8] = Array("NTXHEAD1".utf8)
    static let frameHeaderSize = 9
    /// Ours alone: upstream ignores the folder.
    static let directory = "narthex"
    static let name = "head.snapshot"
    /// Relative to the data folder.
    static let path = "\(directory)/\(name)"
    static let temporaryName = "head.snapshot.tmp"
    /// How much of the log before the position is compared.
    static let fingerprintSize = 4096
    /// A frame is never longer.
    static let maximumFrameSize = 1 << 28

    /// The records whose effects a snapshot holds. A log that has others is always read in full.
    /// What the write-behind log holds is in no snapshot: it is read in full.
    static let kinds = WALRecordKinds([
        .series, .samples, .tombstones, .exemplars, .mappedChunkMarkers, .histograms,
        .floatHistograms, .customHistograms, .customFloatHistograms, .metadata,
        .samplesWithStart, .histogramsWithStart, .floatHistogramsWithStart,
    ])

    /// Removes a snapshot that a start did not use, for good: the head goes on without it, and may
    /// write head chunk files of the same names and sizes as those that the snapshot knew.
    static func remove(
        _ directory: String, _ fileSystem: any FileSystem
    ) throws(FileError) {
        guard try fileSystem.status(of: "\(directory)/\(path)") != nil else { return }
        try fileSystem.remove("\(directory)/\(path)")
        try fileSystem.syncDirectory("\(directory)/\(Self.directory)")
    }
}

/// The kinds of frames.
enum SnapshotFrame: UInt8 {
    case summary = 1
    case names = 2
    case pairs = 3
    case labels = 4
    case samples = 5
    /// One record of a log, to be applied behind everything else.
    case record = 6
    case files = 7
    case expiries = 8
    /// The last one: a file that ends before it was not finished.
    case end = 9
    case aliases = 10

    /// What a frame's header says of its data: CRC-32C of the data, changed by the kind, so that a
    /// frame does not pass for one of another kind.
    func checksum(_ data: RawSpan) -> UInt32 {
        crc32c(data) ^ (UInt32(rawValue) &* 0x9E37_79B1)
    }
}

/// Why a snapshot is not used.
struct SnapshotFault: Error, CustomStringConvertible {
    var description: String

    init(_ description: String) { self.description = description }
}

/// How far the log and the files had come, and what else the head knew.
struct SnapshotSummary: Equatable {
    /// Every record before it is part of the snapshot.
    var position: WALPosition
    /// Of the bytes of the segment before the position.
    var fingerprint: UInt32 = 0
    /// The newest checkpoint of the log: another one may have dropped series that are in here.
    var checkpoint: Int?
    var nextRef: UInt64
    var minTime: Timestamp
    var maxTime: Timestamp
    /// Chunks from here on may be missing in the snapshot.
    var chunkFile: UInt32
    var chunkOffset: UInt32
    var seriesCount = 0

    func encode(to writer: inout ByteWriter) {
        writer.uint64LE(UInt64(position.segment))
        writer.uint64LE(UInt64(position.offset))
        writer.uint32LE(fingerprint)
        writer.uint64LE(UInt64(bitPattern: Int64(checkpoint ?? -1)))
        writer.uint64LE(nextRef)
        writer.uint64LE(UInt64(bitPattern: minTime))
        writer.uint64LE(UInt64(bitPattern: maxTime))
        writer.uint32LE(chunkFile)
        writer.uint32LE(chunkOffset)
        writer.uint64LE(UInt64(seriesCount))
    }
}

extension SnapshotSummary {
    init(_ data: RawSpan) throws(ByteError) {
        var reader = ByteReader(data)
        let segment = Int(clamping: try reader.uint64LE())
        position = WALPosition(segment: segment, offset: Int(clamping: try reader.uint64LE()))
        fingerprint = try reader.uint32LE()
        let number = Int(Int64(bitPattern: try reader.uint64LE()))
        checkpoint = number < 0 ? nil : number
        nextRef = try reader.uint64LE()
        minTime = Timestamp(bitPattern: try reader.uint64LE())
        maxTime = Timestamp(bitPattern: try reader.uint64LE())
        chunkFile = try reader.uint32LE()
        chunkOffset = try reader.uint32LE()
        seriesCount = Int(clamping: try reader.uint64LE())
    }
}
