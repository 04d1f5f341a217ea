// SPDX-License-Identifier: Apache-2.0

package import ChunkEncoding
package import Model
package import Storage

/// What a block is written from: the head over a time range, or blocks that are merged.
package protocol BlockSource {
    /// Calls `body` for each series in label order, with its chunks in time order, which do not
    /// overlap and lie within the block's range. A series without chunks is left out.
    func forEachSeries(
        _ body: (Labels, [EncodedChunk]) throws(StorageError) -> Void
    ) throws(StorageError)

    /// Calls `body` with texts that the symbol table is to hold whether series use them or not.
    func forEachExtraSymbol(_ body: (RawSpan) throws(StorageError) -> Void) throws(StorageError)
}

extension BlockSource {
    package func forEachExtraSymbol(
        _ body: (RawSpan) throws(StorageError) -> Void
    ) throws(StorageError) {}
}
