// SPDX-License-Identifier: Apache-2.0
//
// Writes a block. Everything goes into `<ulid>.tmp-for-creation`, is synced, and then takes its
// name: a directory with a block's name is always a whole block.

internal import Bytes
internal import ChunkEncoding
internal import Model
package import Platform
package import Storage

package struct BlockWriter {
    private let fileSystem: any FileSystem
    /// Where blocks stand.
    private let parent: String
    package var maximumSegmentLength = ChunkSegmentFormat.maximumLength

    package init(_ parent: String, _ fileSystem: any FileSystem) {
        self.parent = parent
        self.fileSystem = fileSystem
    }

    /// Writes all of `source` as the block that `meta` describes, in its encoding, but for its
    /// statistics, which are counted. Returns the final meta, or nil, with nothing left behind,
    /// where there was no sample.
    package func write(_ source: any BlockSource, _ meta: BlockMeta) throws(StorageError)
        -> BlockMeta?
    {
        let directory = "\(parent)/\(meta.directoryName)"
        let temporary = directory + BlockDirectory.creationSuffix
        do {
            try fileSystem.remove(temporary)
            try fileSystem.createDirectory(temporary)
        } catch {
            throw StorageError(error)
        }
        do throws(StorageError) {
            let written = try fill(temporary, source, meta)
            guard written.statistics.samples > 0 else {
                try? fileSystem.remove(temporary)
                return nil
            }
            do throws(FileError) {
                try fileSystem.syncDirectory(temporary)
                try fileSystem.rename(temporary, to: directory)
                try fileSystem.syncDirectory(parent)
            } catch {
                throw StorageError(error)
            }
            return written
        } catch {
            // What remains of it is removed at the next start in any case.
            try? fileSystem.remove(temporary)
            throw error
        }
    }

    private func fill(
        _ directory: String, _ source: any BlockSource, _ meta: BlockMeta
    ) throws(StorageError) -> BlockMeta {
        var meta = meta
        var chunkWriter = try ChunkSegmentWriter(
            "\(directory)/chunks", meta.encoding, fileSystem, maximumLength: maximumSegmentLength)
        var indexWriter = try IndexWriter(
            "\(directory)/index", meta.encoding == .dense ? .dense : .written, meta.range,
            fileSystem)
        try source.forEachExtraSymbol { text in indexWriter.add(symbol: text) }
        var statistics = BlockMeta.Statistics()
        try source.forEachSeries { (labels, chunks) throws(StorageError) in
            guard !chunks.isEmpty else { return }
            let indexed = try chunkWriter.write(chunks)
            try indexWriter.add(labels, indexed)
            statistics.series += 1
            statistics.chunks += Int64(indexed.count)
            for chunk in chunks {
                let count = Int64(chunk.sampleCount)
                statistics.samples += count
                if chunk.encoding.holdsFloats {
                    statistics.floatSamples += count
                } else {
                    statistics.histogramSamples += count
                }
            }
        }
        meta.statistics = statistics
        guard statistics.samples > 0 else { return meta }
        try chunkWriter.finish()
        try indexWriter.finish()
        try BlockWriter.replace("\(directory)/meta.json", with: meta.encoded(), fileSystem)
        try BlockWriter.replace(
            "\(directory)/\(Tombstones.fileName)", with: Tombstones().encoded(), fileSystem)
        return meta
    }

    /// Replaces a file by new contents, whole or not at all.
    static func replace(
        _ path: String, with bytes: [UInt8], _ fileSystem: any FileSystem
    ) throws(StorageError) {
        let temporary = path + BlockDirectory.temporarySuffix
        var output = try FileOutput(temporary, fileSystem)
        try output.write(bytes)
        try output.finish()
        do { try fileSystem.rename(temporary, to: path) } catch { throw StorageError(error) }
    }
}
