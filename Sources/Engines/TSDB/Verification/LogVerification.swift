// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import Model
internal import Platform
internal import Storage

/// Verifies a log: its checkpoints and segments, their framing and the contents of the records.
struct LogVerification {
    private let directory: String
    private let name: String
    private let fileSystem: any FileSystem

    init(_ directory: String, _ name: String, _ fileSystem: any FileSystem) {
        self.directory = directory
        self.name = name
        self.fileSystem = fileSystem
    }

    func run(_ report: inout FolderReport) {
        do throws(FileError) {
            let folder = try WALDirectory("\(directory)/\(name)", fileSystem)
            for path in folder.obsolete {
                report.note(
                    String(path.dropFirst(directory.count + 1)),
                    "replaced by a newer checkpoint, or left by an interrupted run")
            }
            if let checkpoint = folder.checkpoint {
                let inner = "\(name)/\(WALFormat.name(ofCheckpoint: checkpoint))"
                let folder = try WALDirectory("\(directory)/\(inner)", fileSystem)
                if folder.segments.isEmpty { report.damage(inner, "the checkpoint is empty") }
                verify(folder, inner, &report)
            }
            verify(folder, name, &report)
        } catch {
            report.damage(name, error)
        }
    }

    private func verify(_ folder: WALDirectory, _ name: String, _ report: inout FolderReport) {
        // The first segment follows the checkpoint; of an out-of-order log any may be the first.
        if let segment = folder.firstAfterGap, name != "wbl" {
            report.damage(
                "\(name)/\(WALFormat.name(ofSegment: segment))", "the segment before it is missing")
        }
        for segment in folder.segments {
            report.segments += 1
            verifySegment("\(name)/\(WALFormat.name(ofSegment: segment))", segment, &report)
        }
    }

    private func verifySegment(_ path: String, _ segment: Int, _ report: inout FolderReport) {
        let file: MappedFile
        do { file = try fileSystem.map("\(directory)/\(path)") } catch {
            return report.damage(path, error)
        }
        let found = Self.read(file.bytes, path, segment)
        report.records += found.records
        if let damage = found.damage {
            report.damage(path, "\(damage.reason) at offset \(damage.offset)")
        }
        for reason in found.unknown { report.damage(path, reason) }
        if let offset = offsetOfForeignBits(file.bytes) {
            report.damage(path, "unused bits are set at offset \(offset)")
        }
    }

    /// Reads a segment up to its first damage.
    static func read(
        _ bytes: RawSpan, _ path: String, _ segment: Int
    ) -> (records: Int64, unknown: [String], damage: WALCorruption?) {
        var reader = WALReader()
        var records: Int64 = 0
        var unknown: [String] = []
        do throws(WALCorruption) {
            try reader.forEachRecord(in: bytes, path: path, segment: segment) {
                (record, offset) throws(WALCorruption) in
                records += 1
                do {
                    if try decode(record) { return }
                } catch {
                    throw WALCorruption(
                        path: path, segment: segment, offset: offset,
                        reason: "decode record: \(error)")
                }
                unknown.append("a record of the unknown kind \(record[0]) at offset \(offset)")
            }
            return (records, unknown, nil)
        } catch {
            return (records, unknown, error)
        }
    }

    /// Whether the record is of a known kind; an error where its contents are wrong.
    private static func decode(_ record: RawSpan) throws -> Bool {
        guard record.byteCount > 0 else { return true }
        guard let kind = WALRecordKind(rawValue: record[0]) else { return false }
        switch kind {
        case .series: try forEachSeries(in: record) { _, _ in }
        case .samples, .samplesWithStart:
            var samples = WALSamples()
            try samples.decode(record)
        case .tombstones: try forEachTombstone(in: record) { (_, _) throws(StorageError) in }
        case .histograms, .floatHistograms, .customHistograms, .customFloatHistograms,
            .histogramsWithStart, .floatHistogramsWithStart:
            _ = try WALHistograms(record)
        case .exemplars: _ = try decodeExemplars(record)
        case .mappedChunkMarkers: _ = try decodeMarkers(record)
        case .metadata: for entry in try decodeMetadata(record) { _ = try entry.metadata() }
        }
        return true
    }

    /// Where the first byte of a fragment has bits that mean nothing; no checksum covers them.
    private func offsetOfForeignBits(_ bytes: RawSpan) -> Int? {
        var at = 0
        while at + WALFormat.headerSize <= bytes.byteCount {
            let first = bytes[at]
            guard let kind = WALFragment(rawValue: first & 7) else { return nil }
            let compression = first & 0x18
            if first & 0xE0 != 0 || compression == 0x18 || (kind == .padding && first != 0) {
                return at
            }
            if kind == .padding {
                at = (at / WALFormat.pageSize + 1) * WALFormat.pageSize
            } else {
                at += WALFormat.headerSize + (Int(bytes[at + 1]) << 8 | Int(bytes[at + 2]))
            }
        }
        return nil
    }
}
