// SPDX-License-Identifier: Apache-2.0
//
// What the head notes of itself in small files of `narthex/`, each a number under a checksum
// (docs/formats/head-snapshot.md has them to the byte). Upstream has no such thing: without a note,
// or with one that is damaged, samples are seen in head and block and none is missed, but what was
// deleted from blocks may come back out of the log and the head chunk files.

internal import Bytes
internal import Model
internal import Platform

/// One of these files.
struct HeadNote: Sendable {
    private let magic: UInt64
    /// Relative to the data folder.
    let path: String

    /// Up to which place head chunk files hold late samples that are in blocks.
    static let lateChunks = HeadNote(magic: 0x3145_5441_4C58_544E, name: "late-chunks")
    /// Before which time blocks have, or had, all samples in order.
    static let start = HeadNote(magic: 0x3154_5254_5358_544E, name: "start")

    static let all = [lateChunks, start]

    private init(magic: UInt64, name: String) {
        self.magic = magic
        path = "\(SnapshotFormat.directory)/\(name)"
    }

    /// The number that was noted last; nil where there is none that can be read.
    func read(_ directory: String, _ fileSystem: any FileSystem) throws(FileError) -> UInt64? {
        guard let file = try file(directory, fileSystem) else { return nil }
        return number(file.bytes)
    }

    /// Whether the file is there and not what was written.
    func isDamaged(_ directory: String, _ fileSystem: any FileSystem) throws(FileError) -> Bool {
        guard let file = try file(directory, fileSystem) else { return false }
        return number(file.bytes) == nil
    }

    private func file(
        _ directory: String, _ fileSystem: any FileSystem
    ) throws(FileError) -> MappedFile? {
        let path = "\(directory)/\(path)"
        return try fileSystem.status(of: path) == nil ? nil : try fileSystem.map(path)
    }

    private func number(_ bytes: RawSpan) -> UInt64? {
        do throws(ByteError) {
            var reader = ByteReader(bytes)
            let isOurs = try reader.uint64LE() == magic
            let number = try reader.uint64LE()
            let isSound = try reader.uint32LE() == crc32c(bytes.extracting(0..<16))
            return isOurs && isSound && reader.isAtEnd ? number : nil
        } catch {
            return nil
        }
    }

    /// Notes a number, on the device when it returns.
    func write(
        _ number: UInt64, _ directory: String, _ fileSystem: any FileSystem
    ) throws(FileError) {
        let folder = "\(directory)/\(SnapshotFormat.directory)"
        try fileSystem.createSyncedDirectory(folder)
        var writer = ByteWriter()
        writer.uint64LE(magic)
        writer.uint64LE(number)
        writer.uint32LE(crc32c(writer.bytes.raw))
        let temporary = "\(directory)/\(path).tmp"
        let file = try fileSystem.open(temporary, .replace)
        try file.write(writer.bytes.raw, at: 0)
        try file.sync()
        try fileSystem.rename(temporary, to: "\(directory)/\(path)")
        try fileSystem.syncDirectory(folder)
    }

    func remove(_ directory: String, _ fileSystem: any FileSystem) throws(FileError) {
        guard try fileSystem.status(of: "\(directory)/\(path)") != nil else { return }
        try fileSystem.remove("\(directory)/\(path)")
        try fileSystem.syncDirectory("\(directory)/\(SnapshotFormat.directory)")
    }
}
