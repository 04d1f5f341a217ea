// SPDX-License-Identifier: Apache-2.0

package import Platform
package import Storage

/// The blocks of a data folder by what they say about themselves.
package struct BlockList {
    /// In order of time, with what they occupy.
    package let blocks: [(meta: BlockMeta, byteCount: Int)]
    /// The blocks that do not open, and why.
    package let damaged: [(id: ULID, reason: String)]

    package init(_ directory: String, _ fileSystem: any FileSystem) throws(StorageError) {
        let found = try BlockDirectories(directory, loaded: [:], fileSystem)
        blocks = found.blocks.map { ($0.meta, $0.byteCount) }
        damaged = found.damaged.map { ($0.id, $0.error.message) }
    }
}
