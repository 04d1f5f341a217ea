// SPDX-License-Identifier: Apache-2.0
//
// Up to which place head chunk files hold late samples that are in blocks. The files stay as long
// as they hold other chunks, and a start would take the late ones for news: show again what was
// deleted from the blocks, and write all of it once more. So the place is kept in a file of its
// own, `narthex/late-chunks` (docs/formats/head-snapshot.md has it to the byte).
//
// It is only ever on the safe side: without it, or with one that is damaged, late samples are seen
// twice and not missed. A chunk that is written later has a later place; where files were lost, so
// that places could be given again, the start moves the place back first.

internal import Bytes
internal import Platform

enum WrittenLateChunks {
    /// "NTXLATE1"
    private static let magic: UInt64 = 0x3145_5441_4C58_544E
    private static let name = "late-chunks"

    private static func folder(_ directory: String) -> String {
        "\(directory)/\(SnapshotFormat.directory)"
    }

    /// The place that was noted last; `none` where there is none that can be read.
    static func read(
        _ directory: String, _ fileSystem: any FileSystem
    ) throws(FileError) -> HeadChunkFiles.Place {
        let path = "\(folder(directory))/\(name)"
        guard try fileSystem.status(of: path) != nil else { return .none }
        let file = try fileSystem.map(path)
        do throws(ByteError) {
            var reader = ByteReader(file.bytes)
            let isOurs = try reader.uint64LE() == magic
            let place = HeadChunkFiles.Place(
                file: try reader.uint32LE(), offset: try reader.uint32LE())
            let checksum = crc32c(file.bytes.extracting(0..<16))
            let isSound = try reader.uint32LE() == checksum && reader.isAtEnd
            return isOurs && isSound ? place : .none
        } catch {
            return .none
        }
    }

    /// Notes a place, on the device when it returns.
    static func write(
        _ place: HeadChunkFiles.Place, _ directory: String, _ fileSystem: any FileSystem
    ) throws(FileError) {
        let folder = folder(directory)
        try fileSystem.createSyncedDirectory(folder)
        var writer = ByteWriter()
        writer.uint64LE(magic)
        writer.uint32LE(place.file)
        writer.uint32LE(place.offset)
        writer.uint32LE(crc32c(writer.bytes.raw))
        let temporary = "\(folder)/\(name).tmp"
        let file = try fileSystem.open(temporary, .replace)
        try file.write(writer.bytes.raw, at: 0)
        try file.sync()
        try fileSystem.rename(temporary, to: "\(folder)/\(name)")
        try fileSystem.syncDirectory(folder)
    }
}
