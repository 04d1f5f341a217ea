// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import Platform

/// Writes a snapshot: under a temporary name, which it loses when everything is on the device.
struct SnapshotOutput {
    private let directory: String
    private let fileSystem: any FileSystem
    private let file: any OpenFile
    private var buffer = ByteWriter()
    private(set) var byteCount = 0
    private var unsynced = 0

    /// `directory` is the data folder.
    init(_ directory: String, _ fileSystem: any FileSystem) throws(FileError) {
        self.directory = "\(directory)/\(SnapshotFormat.directory)"
        self.fileSystem = fileSystem
        try fileSystem.createSyncedDirectory(self.directory)
        file = try fileSystem.open(
            "\(self.directory)/\(SnapshotFormat.temporaryName)", .replace)
        // Room for the summary, which is written last.
        buffer.append(SnapshotFormat.magic)
        let room = [UInt8](repeating: 0, count: Self.summarySize)
        append(.summary, room.raw)
    }

    private static var summarySize: Int {
        var writer = ByteWriter()
        SnapshotSummary(
            position: WALPosition(segment: 0, offset: 0), nextRef: 0, minTime: 0, maxTime: 0,
            chunkFile: 0, chunkOffset: 0
        ).encode(to: &writer)
        return writer.count
    }

    private mutating func append(_ kind: SnapshotFrame, _ data: RawSpan) {
        buffer.uint8(kind.rawValue)
        buffer.uint32LE(UInt32(data.byteCount))
        buffer.uint32LE(kind.checksum(data))
        buffer.append(data)
    }

    mutating func write(_ kind: SnapshotFrame, _ data: RawSpan) throws(FileError) {
        append(kind, data)
        if buffer.count > 1 << 20 { try flush() }
    }

    /// In steps, so that syncing the log does not have to wait for one large sync.
    private mutating func flush() throws(FileError) {
        try file.write(buffer.bytes.raw, at: byteCount)
        byteCount += buffer.count
        unsynced += buffer.count
        buffer.removeAll()
        if unsynced > 16 << 20 {
            try file.sync()
            unsynced = 0
        }
    }

    /// Puts the snapshot in the place of the one before.
    mutating func finish(_ summary: SnapshotSummary) throws(FileError) {
        let nothing: [UInt8] = []
        append(.end, nothing.raw)
        try flush()
        var data = ByteWriter()
        summary.encode(to: &data)
        append(.summary, data.bytes.raw)
        try file.write(buffer.bytes.raw, at: SnapshotFormat.magic.count)
        try file.sync()
        try fileSystem.rename(
            "\(directory)/\(SnapshotFormat.temporaryName)",
            to: "\(directory)/\(SnapshotFormat.name)")
        try fileSystem.syncDirectory(directory)
    }

    /// Removes what was written so far.
    func abandon() { try? fileSystem.remove("\(directory)/\(SnapshotFormat.temporaryName)") }
}
