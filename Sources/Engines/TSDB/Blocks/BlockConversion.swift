// SPDX-License-Identifier: Apache-2.0
//
// Blocks from one encoding to another, in a folder that no server uses. The new block is written
// beside the old one, whose name it has among its parents; it is read and compared, then the old
// one is removed. A run that is interrupted leaves both, and the next start of the server, which
// removes the parents of blocks that are there, keeps the new one; Prometheus, which does not look
// at dense blocks, is left with a whole one in any case.

internal import Bytes
internal import ChunkEncoding
package import Model
package import Platform
package import Storage

package struct BlockConversion {
    /// What blocks are to be.
    package enum Target: String, Sendable, Hashable, CaseIterable {
        /// What every Prometheus reads: XOR chunks, and no start timestamps.
        case xor
        /// What Prometheus reads from 3.11 on: XOR2 chunks. Start timestamps stay.
        case xor2
        case dense

        fileprivate var encoding: BlockEncoding { self == .dense ? .dense : .xor }

        /// How floats are encoded, and with `.xor` histograms; nil for as they are.
        fileprivate var floats: FloatEncoding? {
            switch self {
            case .xor: .xor
            case .xor2: .xor2
            case .dense: nil
            }
        }
    }

    private let directory: String
    private let target: Target
    private let fileSystem: any FileSystem
    private let time: Timestamp

    /// Converts a block, or all blocks of a data folder. Calls `done` after each with what was
    /// done. Returns whether every block could be converted. Deleted samples are left out. With
    /// `.xor`, a folder's log and head chunks are made readable for every Prometheus, too.
    package static func run(
        _ path: String, to target: Target, _ fileSystem: any FileSystem,
        time: Timestamp, done: (String) -> Void
    ) throws(StorageError) -> Bool {
        var path = path
        while path.count > 1, path.hasSuffix("/") { path.removeLast() }
        let name = path.split(separator: "/").last.map(String.init) ?? ""
        let wanted = BlockDirectory.block(named: name)?.id
        var directory = path
        if wanted != nil { directory = path == name ? "." : String(path.dropLast(name.count + 1)) }
        let lock = try UnusedFolder(directory, fileSystem)
        defer { lock.release() }
        try BlockDirectories.removeLeftovers(directory, fileSystem)
        let found = try BlockDirectories(directory, loaded: [:], fileSystem)
        let replaced = found.replaced
        var isComplete = true
        for (id, error) in found.damaged where wanted == nil || wanted == id {
            done("\(id): left as it is: \(error.message)")
            isComplete = false
        }
        let conversion = BlockConversion(
            directory: directory, target: target, fileSystem: fileSystem, time: time)
        for block in found.blocks where wanted == nil || wanted == block.meta.id {
            guard !replaced.contains(block.meta.id), try conversion.isNeeded(block) else {
                continue
            }
            done(try conversion.convert(block))
        }
        if wanted == nil, target == .xor {
            for line in try HeadConversion.run(directory, fileSystem) { done(line) }
        }
        return isComplete
    }

    private func isNeeded(_ block: Block) throws(StorageError) -> Bool {
        if block.meta.encoding != target.encoding { return true }
        guard let floats = target.floats else { return false }
        var isNeeded = false
        try BlockMerge([block], isExact: true).forEachSeries { _, chunks in
            if !chunks.allSatisfy({ $0.isEncoded(floats) }) { isNeeded = true }
        }
        return isNeeded
    }

    private func convert(_ block: Block) throws(StorageError) -> String {
        let name = block.meta.directoryName
        var generator = SystemRandomNumberGenerator()
        var meta = block.meta
        meta.id = ULID(milliseconds: time, using: &generator)
        meta.encoding = target.encoding
        meta.statistics = BlockMeta.Statistics()
        meta.compaction.parents = [
            BlockMeta.Parent(id: block.meta.id, range: block.meta.range)
        ]
        let merge = BlockMerge([block])
        let source: any BlockSource =
            target.floats.map { ReencodedSource(merge, floats: $0) } ?? merge
        guard let written = try BlockWriter(directory, fileSystem).write(source, meta) else {
            return "\(name): left as it is: all of its samples are deleted"
        }
        let fresh = try Block("\(directory)/\(written.directoryName)", fileSystem)
        let keepsStarts = target != .xor
        let before = try SampleDigest(merge, keepsStarts: keepsStarts)
        let after = try SampleDigest(BlockMerge([fresh]), keepsStarts: keepsStarts)
        guard before == after else {
            try BlockDirectories.remove(written.id, in: directory, fileSystem)
            throw StorageError(.damaged, "\(name): the new block does not hold the same samples")
        }
        try BlockDirectories.remove(block.meta.id, in: directory, fileSystem)
        return "\(name): \(written.statistics.samples) samples, \(block.byteCount) bytes, now "
            + "\(written.directoryName), \(fresh.byteCount) bytes"
    }
}

/// The chunks of another source, encoded anew where they are not as they are to be.
private struct ReencodedSource: BlockSource {
    private let source: BlockMerge
    private let floats: FloatEncoding

    init(_ source: BlockMerge, floats: FloatEncoding) {
        self.source = source
        self.floats = floats
    }

    func forEachSeries(
        _ body: (Labels, [EncodedChunk]) throws(StorageError) -> Void
    ) throws(StorageError) {
        try source.forEachSeries { (labels, chunks) throws(StorageError) in
            var encoded: [EncodedChunk] = []
            do throws(ChunkError) {
                for chunk in chunks { encoded += try chunk.encoded(floats) }
            } catch {
                throw StorageError(.damaged, "encoding a chunk anew: \(error)")
            }
            try body(labels, encoded)
        }
    }
}

/// What a source holds, in a number: labels, and times and bits of the samples, however they are
/// divided into chunks and encoded.
struct SampleDigest: Equatable {
    private var hash: UInt64 = 0
    private var count = 0

    /// `keepsStarts` says whether start timestamps count.
    init(_ source: any BlockSource, keepsStarts: Bool = true) throws(StorageError) {
        var digest = Self()
        try source.forEachSeries { (labels, chunks) throws(StorageError) in
            digest.add(xxHash64(labels.packed.raw))
            var starts: [Timestamp] = []
            for chunk in chunks {
                digest.count += chunk.sampleCount
                do throws(ChunkError) { try digest.add(chunk, &starts) } catch {
                    throw StorageError(.damaged, "comparing a chunk: \(error)")
                }
            }
            guard keepsStarts else { return }
            for start in starts where start != 0 { digest.add(UInt64(bitPattern: start)) }
        }
        self = digest
    }

    private init() {}

    private mutating func add(_ word: UInt64) {
        hash = (hash ^ word) &* 0x9E37_79B9_7F4A_7C15
        hash ^= hash >> 29
    }

    private mutating func add(
        _ chunk: EncodedChunk, _ starts: inout [Timestamp]
    ) throws(ChunkError) {
        var (times, hashes): ([Timestamp], [UInt64]) = ([], [])
        try forEachSample(in: chunk.bytes.raw, chunk.encoding) { time, value, start in
            times.append(time)
            starts.append(start)
            switch value {
            case .float(let value): hashes.append(value.bitPattern)
            case .histogram(let histogram):
                hashes.append(UInt64(bitPattern: Int64(histogram.hashValue)))
            }
        }
        for (time, hash) in zip(times, hashes) {
            add(UInt64(bitPattern: time))
            add(hash)
        }
    }
}
