// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import Model
package import Platform
package import Storage

/// An immutable block, opened. Any thread may use it. Its files stay mapped until the last reader
/// lets go of it, also when the directory is removed meanwhile.
package final class Block: Sendable {
    let directory: String
    package let meta: BlockMeta
    let index: IndexReader
    let chunks: ChunkSegments
    let tombstones: Tombstones
    /// What the block occupies: the lengths of all its files.
    package let byteCount: Int
    /// The same without the tombstones.
    private let otherByteCount: Int

    /// Opens the block in a directory.
    package init(_ directory: String, _ fileSystem: any FileSystem) throws(StorageError) {
        self.directory = directory
        let metaFile: MappedFile
        let indexFile: MappedFile
        do {
            metaFile = try fileSystem.map("\(directory)/meta.json")
            indexFile = try fileSystem.map("\(directory)/index")
        } catch {
            throw StorageError(error)
        }
        do {
            meta = try BlockMeta(parsing: metaFile.bytes)
        } catch {
            throw StorageError(.damaged, "\(metaFile.path): \(error.reason)")
        }
        index = try IndexReader(indexFile)
        chunks = try ChunkSegments("\(directory)/chunks", meta.encoding, fileSystem)
        tombstones = try Tombstones(directory, fileSystem)
        otherByteCount = metaFile.count + indexFile.count + chunks.byteCount
        byteCount = otherByteCount + Self.byteCount(of: tombstones)
    }

    /// A block with other deletions. The files have been changed by then.
    init(_ block: Block, _ meta: BlockMeta, _ tombstones: Tombstones) {
        directory = block.directory
        self.meta = meta
        index = block.index
        chunks = block.chunks
        self.tombstones = tombstones
        otherByteCount = block.otherByteCount
        byteCount = otherByteCount + Self.byteCount(of: tombstones)
    }

    private static func byteCount(of tombstones: Tombstones) -> Int {
        tombstones.isEmpty ? 9 : tombstones.encoded().count
    }

    func releasePages() {
        index.file.releasePages()
        chunks.releasePages()
    }

    /// The times of the block as a closed range.
    var closedRange: TimeRange {
        TimeRange(
            start: meta.range.start, end: max(meta.range.start, meta.range.end.saturatingPrevious))
    }

    /// Whether the block has times in common with a closed range.
    func overlaps(_ range: TimeRange) -> Bool {
        meta.range.start <= range.end && range.start < meta.range.end
    }
}
