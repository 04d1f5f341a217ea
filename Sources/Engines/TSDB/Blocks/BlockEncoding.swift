// SPDX-License-Identifier: Apache-2.0

internal import Platform

/// How a block holds its floats.
package enum BlockEncoding: String, Sendable, Hashable, CaseIterable {
    /// As Prometheus does.
    case xor
    /// In about a third of the room, which Prometheus cannot read (docs/formats/dense.md).
    case dense
}

/// The names of blocks' directories.
enum BlockDirectory {
    static let creationSuffix = ".tmp-for-creation"
    static let deletionSuffix = ".tmp-for-deletion"
    static let temporarySuffix = ".tmp"
    /// Behind the ULID of a dense block: what is no plain ULID Prometheus leaves alone.
    static let denseSuffix = ".dense"

    static func name(_ id: ULID, _ encoding: BlockEncoding) -> String {
        encoding == .dense ? "\(id)\(denseSuffix)" : "\(id)"
    }

    /// Which block a directory of this name is of; nil for none.
    static func block(named name: String) -> (id: ULID, encoding: BlockEncoding)? {
        if let id = ULID(name) { return (id, .xor) }
        guard name.hasSuffix(denseSuffix), let id = ULID(String(name.dropLast(denseSuffix.count)))
        else { return nil }
        return (id, .dense)
    }
}

extension BlockMeta {
    /// The name of the block's directory.
    package var directoryName: String { BlockDirectory.name(id, encoding) }
}
