// SPDX-License-Identifier: Apache-2.0
//
// The write-ahead log, in upstream's format (tsdb/docs/format/wal.md, tsdb/wlog).
//
//     wal/00000000, 00000001, …       segments of at most 128 MiB
//     wal/checkpoint.00000007/        what is left of segments up to 7, in segments of its own
//
// A segment is a row of pages of 32 KiB; the last one may be shorter. A record is compressed, then
// cut into fragments that do not cross pages; records do not cross segments:
//
//     | kind and compression, 1 byte | length, 2 bytes | CRC-32C, 4 bytes | data |
//
// The three low bits of the first byte: 0 the rest of the page is zeros, 1 a whole record, 2 first,
// 3 middle, 4 last fragment. Bit 3: snappy, bit 4: zstd. Numbers are big-endian.

internal import Bytes
internal import Platform

/// The numbers of the format.
enum WALFormat {
    static let pageSize = 32 * 1024
    static let headerSize = 7
    static let segmentSize = 128 << 20
    static let checkpointPrefix = "checkpoint."
    static let temporarySuffix = ".tmp"

    static func name(ofSegment index: Int) -> String {
        let digits = String(index)
        return String(repeating: "0", count: max(0, 8 - digits.utf8.count)) + digits
    }

    /// The number in a segment's name; nil for names of other files.
    static func index(ofSegment name: String) -> Int? {
        guard !name.isEmpty, name.utf8.allSatisfy({ $0 >= 0x30 && $0 <= 0x39 }) else { return nil }
        return Int(name)
    }

    static func name(ofCheckpoint index: Int) -> String {
        checkpointPrefix + name(ofSegment: index)
    }
}

/// Which part of a record a fragment is.
enum WALFragment: UInt8 {
    case padding = 0
    case full = 1
    case first = 2
    case middle = 3
    case last = 4

    var endsRecord: Bool { self == .full || self == .last }
}

/// Where a log is damaged and how it shows.
struct WALCorruption: Error, CustomStringConvertible {
    var path: String
    var segment: Int
    /// Where the damaged record begins: everything before it is sound.
    var offset: Int
    var reason: String

    var description: String { "corruption in segment \(path) at \(offset): \(reason)" }
}

/// A place between two records of a log.
struct WALPosition: Equatable, Sendable {
    var segment: Int
    var offset: Int
}

/// What stands in a folder of segments.
struct WALDirectory {
    var path: String
    /// The numbers of the segments, ascending and without gaps.
    var segments: [Int] = []
    /// The newest checkpoint by the number of the last segment that it covers.
    var checkpoint: Int?
    /// Leftovers of a checkpoint that was never finished, and of older ones.
    var obsolete: [String] = []

    /// Reads the folder; one that is missing is empty. Segments covered by the checkpoint are left
    /// out. An error where a segment is missing in between.
    init(_ path: String, _ fileSystem: any FileSystem) throws(FileError) {
        self.path = path
        guard try fileSystem.status(of: path) != nil else { return }
        var checkpoints: [Int] = []
        for entry in try fileSystem.entries(of: path) {
            if let index = WALFormat.index(ofSegment: entry.name) {
                segments.append(index)
            } else if entry.name.hasPrefix(WALFormat.checkpointPrefix), entry.isDirectory {
                let rest = String(entry.name.dropFirst(WALFormat.checkpointPrefix.count))
                if let index = WALFormat.index(ofSegment: rest) {
                    checkpoints.append(index)
                } else if rest.hasSuffix(WALFormat.temporarySuffix) {
                    obsolete.append("\(path)/\(entry.name)")
                }
            }
        }
        segments.sort()
        checkpoints.sort()
        checkpoint = checkpoints.last
        obsolete += checkpoints.dropLast().map { "\(path)/\(WALFormat.name(ofCheckpoint: $0))" }
        if let checkpoint {
            let covered = segments.filter { $0 <= checkpoint }
            obsolete += covered.map { "\(path)/\(WALFormat.name(ofSegment: $0))" }
            segments.removeAll { $0 <= checkpoint }
        }
    }

    /// Whether there is nothing that a start would read.
    var isEmpty: Bool { segments.isEmpty && checkpoint == nil }

    /// The first segment after a missing one, if any. The first of all follows the checkpoint, or
    /// is 0.
    var firstAfterGap: Int? {
        if let first = segments.first, first != (checkpoint ?? -1) + 1 { return first }
        return zip(segments, segments.dropFirst()).first { $0 + 1 != $1 }?.1
    }

    func path(ofSegment index: Int) -> String { "\(path)/\(WALFormat.name(ofSegment: index))" }
}
