// SPDX-License-Identifier: Apache-2.0
//
// The chunks of a block: files `chunks/000001` and so on, of up to 512 MiB.
//
//     magic, version, 3 zero bytes | chunks
//     chunk: uvarint length of the data, encoding, data, crc32 over encoding and data
//
// A chunk is named by the number of its file (from zero) in the upper 32 bits and its offset in the
// lower. Source: https://github.com/prometheus/prometheus/blob/main/tsdb/docs/format/chunks.md

internal import Bytes
internal import ChunkEncoding
internal import Platform
internal import Storage

enum ChunkSegmentFormat {
    private static let magic: UInt32 = 0x85BD_40DD
    static let version: UInt8 = 1
    static let headerLength = 8
    static let maximumLength = 512 << 20

    static func magic(_ encoding: BlockEncoding) -> UInt32 {
        encoding == .dense ? DenseSegment.magic : magic
    }

    static func fileName(_ segment: Int) -> String {
        let number = String(segment + 1)
        return String(repeating: "0", count: max(0, 6 - number.count)) + number
    }
}

/// The chunk files of one block, mapped. Immutable, so any thread may use it.
final class ChunkSegments: Sendable {
    let files: [MappedFile]
    let encoding: BlockEncoding
    private let directory: String

    /// Maps the segments of a block with the given encoding.
    init(
        _ directory: String, _ encoding: BlockEncoding, _ fileSystem: any FileSystem
    ) throws(StorageError) {
        self.directory = directory
        self.encoding = encoding
        var files: [MappedFile] = []
        do throws(FileError) {
            for entry in try fileSystem.entries(of: directory) {
                guard !entry.isDirectory, let number = Int(entry.name), number >= 0 else {
                    continue
                }
                files.append(try fileSystem.map("\(directory)/\(entry.name)"))
            }
        } catch {
            throw StorageError(error)
        }
        for file in files {
            var reader = ByteReader(file.bytes)
            let magic = try? reader.uint32BE()
            let version = try? reader.uint8()
            guard magic == ChunkSegmentFormat.magic(encoding) else {
                throw StorageError(
                    .damaged, "\(file.path): not a chunk segment: wrong magic number")
            }
            guard version == ChunkSegmentFormat.version else {
                throw StorageError(
                    .unsupported, "\(file.path): unknown chunk segment version \(version ?? 0)")
            }
        }
        self.files = files
    }

    var byteCount: Int { files.reduce(0) { $0 + $1.count } }

    func releasePages() {
        for file in files { file.releasePages() }
    }

    /// Calls `body` with the encoding and the data of a chunk, whose checksum is checked.
    @inline(__always)
    func withChunk<Result>(
        _ ref: UInt64,
        _ body: (EncodedChunk.Encoding, RawSpan) throws(StorageError) -> Result
    ) throws(StorageError) -> Result {
        let (segment, place) = try place(of: ref)
        let file = files[segment]
        let bytes = file.bytes
        guard let encoding = EncodedChunk.Encoding(rawValue: bytes[place.lowerBound - 1]) else {
            throw StorageError(
                .unsupported,
                "\(file.path): unknown chunk encoding at offset \(ref & 0xFFFF_FFFF)")
        }
        return try body(encoding, bytes.extracting(place))
    }

    /// In which segment, and where there, the data of a chunk stands, whose checksum is checked.
    @inline(__always)
    func place(of ref: UInt64) throws(StorageError) -> (segment: Int, data: Range<Int>) {
        let segment = Int(truncatingIfNeeded: ref >> 32)
        let offset = Int(truncatingIfNeeded: ref & 0xFFFF_FFFF)
        guard segment < files.count else {
            throw StorageError(
                .damaged, "\(directory): there is no segment \(segment + 1) for a chunk")
        }
        let file = files[segment]
        guard let place = ChunkSegments.place(file.bytes, offset) else {
            throw damaged(file, "chunk", at: offset)
        }
        return (segment, place)
    }

    /// Where the data of the chunk at `offset` stands; nil where it is damaged.
    static func place(_ bytes: RawSpan, _ offset: Int) -> Range<Int>? {
        guard offset >= ChunkSegmentFormat.headerLength, offset < bytes.byteCount else {
            return nil
        }
        var reader = ByteReader(bytes, at: offset)
        guard let length = try? reader.uvarint(), length < UInt64(reader.remaining) else {
            return nil
        }
        let encodingAt = reader.offset
        let end = encodingAt + 1 + Int(length)
        guard end + 4 <= bytes.byteCount else { return nil }
        var checksum = ByteReader(bytes, at: end)
        guard let expected = try? checksum.uint32BE(),
            expected == crc32c(bytes.extracting(encodingAt..<end))
        else { return nil }
        return (encodingAt + 1)..<end
    }
}

/// Writes the chunks of a new block. Chunks of one series stay together in a file where they fit.
struct ChunkSegmentWriter {
    private let directory: String
    private let encoding: BlockEncoding
    private let fileSystem: any FileSystem
    private let maximumLength: Int
    private var output: FileOutput?
    private var segment = -1
    /// What the segment has of the parts of dense chunks.
    var dense = DenseChunkSource()

    init(
        _ directory: String, _ encoding: BlockEncoding, _ fileSystem: any FileSystem,
        maximumLength: Int = ChunkSegmentFormat.maximumLength
    ) throws(StorageError) {
        self.directory = directory
        self.encoding = encoding
        self.fileSystem = fileSystem
        self.maximumLength = maximumLength
        do { try fileSystem.createDirectory(directory) } catch { throw StorageError(error) }
    }

    private mutating func cut() throws(StorageError) {
        try output?.finish()
        segment += 1
        let path = "\(directory)/\(ChunkSegmentFormat.fileName(segment))"
        var output = try FileOutput(path, fileSystem)
        var header = ByteWriter()
        header.uint32BE(ChunkSegmentFormat.magic(encoding))
        header.uint8(ChunkSegmentFormat.version)
        header.append([0, 0, 0])
        try output.write(header.bytes)
        self.output = output
        dense.beginSegment()
    }

    /// Where in the segment the next byte goes.
    var position: Int { output?.position ?? 0 }

    /// Begins a new segment where the open one has no room for so many bytes.
    mutating func makeRoom(_ length: Int) throws(StorageError) {
        if output == nil { return try cut() }
        if position + length > maximumLength, position > ChunkSegmentFormat.headerLength {
            try cut()
        }
    }

    /// Writes a chunk, for which there is room, and returns how it is referred to.
    mutating func put(_ kind: UInt8, _ data: [UInt8]) throws(StorageError) -> UInt64 {
        let start = position
        var head = ByteWriter(capacity: 6)
        head.uvarint(UInt64(data.count))
        head.uint8(kind)
        try output?.write(head.bytes)
        try output?.write(data)
        head.removeAll()
        head.uint32BE(crc32c(data, continuing: crc32c([kind])))
        try output?.write(head.bytes)
        return UInt64(segment) << 32 | UInt64(start)
    }

    /// Writes the chunks of one series and returns how the index names them.
    mutating func write(_ chunks: [EncodedChunk]) throws(StorageError) -> [IndexedChunk] {
        if encoding == .dense { return try writeDense(chunks) }
        var indexed: [IndexedChunk] = []
        indexed.reserveCapacity(chunks.count)
        for chunk in chunks {
            // Length (up to five bytes), encoding and checksum, as upstream reckons.
            try makeRoom(chunk.bytes.count + 10)
            let ref = try put(chunk.encoding.rawValue, chunk.bytes)
            indexed.append(IndexedChunk(ref: ref, range: chunk.range))
        }
        return indexed
    }

    /// Returns when all files are on the device.
    mutating func finish() throws(StorageError) {
        try output?.finish()
        do { try fileSystem.syncDirectory(directory) } catch { throw StorageError(error) }
    }
}
