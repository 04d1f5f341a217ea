// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import Platform
internal import Storage

/// Writes a new file from front to end through a buffer. Owned by one thread.
struct FileOutput {
    private static let bufferSize = 1 << 20

    private let file: any OpenFile
    private var buffer = ByteWriter(capacity: FileOutput.bufferSize + 4096)
    private var written = 0

    init(_ path: String, _ fileSystem: any FileSystem) throws(StorageError) {
        do {
            file = try fileSystem.open(path, .replace)
        } catch {
            throw StorageError(error)
        }
    }

    /// Where the next byte goes.
    var position: Int { written + buffer.count }

    mutating func write(_ bytes: [UInt8]) throws(StorageError) { try write(bytes.raw) }

    mutating func write(_ bytes: RawSpan) throws(StorageError) {
        buffer.append(bytes)
        if buffer.count >= FileOutput.bufferSize { try flush() }
    }

    /// Writes zeros up to the next multiple of `alignment`.
    mutating func pad(to alignment: Int) throws(StorageError) {
        while position % alignment != 0 { buffer.uint8(0) }
    }

    /// Overwrites bytes that were written before.
    mutating func overwrite(_ bytes: [UInt8], at offset: Int) throws(StorageError) {
        try flush()
        do { try file.write(bytes.raw, at: offset) } catch { throw StorageError(error) }
    }

    mutating func flush() throws(StorageError) {
        guard buffer.count > 0 else { return }
        do { try file.write(buffer.bytes.raw, at: written) } catch { throw StorageError(error) }
        written += buffer.count
        buffer.removeAll()
    }

    /// Returns when everything written is on the device.
    mutating func finish() throws(StorageError) {
        try flush()
        do { try file.sync() } catch { throw StorageError(error) }
    }
}

extension StorageError {
    /// A refusal of the operating system.
    init(_ error: FileError) { self.init(.inputOutput, error.description) }
}
