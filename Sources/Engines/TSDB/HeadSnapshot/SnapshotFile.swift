// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import Platform

/// A snapshot on disk, mapped, whose frames are known but not read yet.
struct SnapshotFile: Sendable {
    let summary: SnapshotSummary
    private let file: MappedFile
    private let frames: [Frame]

    private struct Frame {
        var kind: SnapshotFrame
        var data: Range<Int>
        var checksum: UInt32
    }

    var byteCount: Int { file.count }

    /// The snapshot in a data folder; nil where there is none.
    init?(_ directory: String, _ fileSystem: any FileSystem) throws(SnapshotFault) {
        let path = "\(directory)/\(SnapshotFormat.path)"
        let file: MappedFile
        do throws(FileError) {
            guard try fileSystem.status(of: path) != nil else { return nil }
            file = try fileSystem.map(path)
        } catch {
            throw SnapshotFault("\(error)")
        }
        do throws(ByteError) {
            let frames = try Self.frames(file.bytes)
            summary = try Self.summary(file.bytes, frames)
            self.frames = frames
        } catch {
            throw SnapshotFault("\(path): not a whole snapshot")
        }
        self.file = file
    }

    private static func summary(
        _ bytes: RawSpan, _ frames: [Frame]
    ) throws(ByteError) -> SnapshotSummary {
        guard let first = frames.first, first.kind == .summary, frames.last?.kind == .end else {
            throw ByteError.truncated(offset: bytes.byteCount)
        }
        let data = bytes.extracting(first.data)
        guard first.kind.checksum(data) == first.checksum else {
            throw ByteError.truncated(offset: 0)
        }
        return try SnapshotSummary(data)
    }

    private static func frames(
        _ bytes: RawSpan
    ) throws(ByteError) -> [Frame] {
        var reader = ByteReader(bytes)
        let magic = try reader.take(SnapshotFormat.magic.count)
        for (index, byte) in SnapshotFormat.magic.enumerated() where magic[index] != byte {
            throw .truncated(offset: index)
        }
        var found: [Frame] = []
        while !reader.isAtEnd {
            let kind = SnapshotFrame(rawValue: try reader.uint8())
            let length = Int(try reader.uint32LE())
            let checksum = try reader.uint32LE()
            guard let kind, length <= SnapshotFormat.maximumFrameSize else {
                throw .truncated(offset: reader.offset)
            }
            let start = reader.offset
            try reader.skip(length)
            found.append(Frame(kind: kind, data: start..<reader.offset, checksum: checksum))
        }
        return found
    }

    private func check(_ frame: Frame, _ data: RawSpan) throws(SnapshotFault) {
        guard frame.kind.checksum(data) == frame.checksum else {
            throw SnapshotFault(
                "wrong checksum of a frame of \(frame.kind) at \(frame.data.lowerBound)")
        }
    }

    /// Compares all frames with their checksums, without decoding them.
    func verify() throws(SnapshotFault) {
        for frame in frames { try check(frame, file.bytes.extracting(frame.data)) }
    }

    /// Calls `body` with the data of each frame of a kind, in order, after checking its checksum.
    func forEachFrame(
        _ kind: SnapshotFrame,
        _ body: (inout ByteReader) throws -> Void
    ) throws(SnapshotFault) {
        for frame in frames where frame.kind == kind {
            let data = file.bytes.extracting(frame.data)
            try check(frame, data)
            var reader = ByteReader(data)
            do {
                try body(&reader)
            } catch {
                throw SnapshotFault("frame of \(kind) at \(frame.data.lowerBound): \(error)")
            }
        }
    }
}
