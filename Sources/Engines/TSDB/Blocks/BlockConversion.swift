// SPDX-License-Identifier: Apache-2.0
//
// Blocks from one encoding to the other, in a folder that no server uses. The new block is written
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
    private let directory: String
    private let encoding: BlockEncoding
    private let fileSystem: any FileSystem
    private let time: Timestamp

    /// Converts a block, or all blocks of a data folder. Calls `done` after each with what was
    /// done. Returns whether every block could be converted. Deleted samples are left out.
    package static func run(
        _ path: String, to encoding: BlockEncoding, _ fileSystem: any FileSystem,
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
            directory: directory, encoding: encoding, fileSystem: fileSystem, time: time)
        for block in found.blocks where wanted == nil || wanted == block.meta.id {
            guard !replaced.contains(block.meta.id), block.meta.encoding != encoding else {
                continue
            }
            done(try conversion.convert(block))
        }
        return isComplete
    }

    private func convert(_ block: Block) throws(StorageError) -> String {
        let name = block.meta.directoryName
        var generator = SystemRandomNumberGenerator()
        var meta = block.meta
        meta.id = ULID(milliseconds: time, using: &generator)
        meta.encoding = encoding
        meta.statistics = BlockMeta.Statistics()
        meta.compaction.parents = [
            BlockMeta.Parent(id: block.meta.id, range: block.meta.range)
        ]
        let source = BlockMerge([block])
        guard let written = try BlockWriter(directory, fileSystem).write(source, meta) else {
            return "\(name): left as it is: all of its samples are deleted"
        }
        let fresh = try Block("\(directory)/\(written.directoryName)", fileSystem)
        guard try SampleDigest(source) == SampleDigest(BlockMerge([fresh])) else {
            try BlockDirectories.remove(written.id, in: directory, fileSystem)
            throw StorageError(.damaged, "\(name): the new block does not hold the same samples")
        }
        try BlockDirectories.remove(block.meta.id, in: directory, fileSystem)
        return "\(name): \(written.statistics.samples) samples, \(block.byteCount) bytes, now "
            + "\(written.directoryName), \(fresh.byteCount) bytes"
    }
}

/// What a source holds, in a number: labels, and times and bits of the samples, however they are
/// divided into chunks. Histograms count as they are encoded.
struct SampleDigest: Equatable {
    private var hash: UInt64 = 0
    private var count = 0

    init(_ source: any BlockSource) throws(StorageError) {
        var hash: UInt64 = 0
        var count = 0
        func add(_ word: UInt64) {
            hash = (hash ^ word) &* 0x9E37_79B9_7F4A_7C15
            hash ^= hash >> 29
        }
        try source.forEachSeries { (labels, chunks) throws(StorageError) in
            add(xxHash64(labels.packed.raw))
            var times: [Timestamp] = []
            var values: [Double] = []
            var starts: [Timestamp] = []
            for chunk in chunks {
                count += chunk.sampleCount
                guard chunk.encoding.holdsFloats else {
                    add(xxHash64(chunk.bytes.raw))
                    continue
                }
                let always = TimeRange(start: .earliest, end: .latest)
                times.removeAll(keepingCapacity: true)
                values.removeAll(keepingCapacity: true)
                starts.removeAll(keepingCapacity: true)
                do throws(ChunkError) {
                    try decodeFloats(
                        chunk.bytes.raw, chunk.encoding, within: always, &times, &values,
                        startTimestamps: &starts)
                } catch {
                    throw StorageError(.damaged, "comparing a chunk: \(error)")
                }
                for (time, value) in zip(times, values) {
                    add(UInt64(bitPattern: time))
                    add(value.bitPattern)
                }
                for start in starts where start != 0 { add(UInt64(bitPattern: start)) }
            }
        }
        self.hash = hash
        self.count = count
    }
}
