// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import Model
internal import Platform
internal import Storage

/// What a data folder holds besides the head.
struct BlockDirectories {
    /// The blocks that could be opened, in order of time.
    var blocks: [Block] = []
    /// The blocks that could not, and why. They stay where they are.
    var damaged: [(id: ULID, error: StorageError)] = []

    /// Opens all blocks of a folder, taking those in `loaded` as they are. A damaged block is left
    /// out, unless a block that was made from it is there.
    init(
        _ directory: String, loaded: [ULID: Block], _ fileSystem: any FileSystem
    ) throws(StorageError) {
        let entries: [DirectoryEntry]
        do { entries = try fileSystem.entries(of: directory) } catch {
            throw StorageError(error)
        }
        for entry in entries where entry.isDirectory {
            guard let id = BlockDirectory.block(named: entry.name)?.id else { continue }
            if let block = loaded[id] {
                blocks.append(block)
                continue
            }
            do throws(StorageError) {
                blocks.append(try Block("\(directory)/\(entry.name)", fileSystem))
            } catch {
                damaged.append((id, error))
            }
        }
        let parents = replaced
        damaged.removeAll { parents.contains($0.id) }
        blocks.sort {
            ($0.meta.range.start, $0.meta.id) < ($1.meta.range.start, $1.meta.id)
        }
    }

    /// The blocks whose data is in another one that is there.
    var replaced: Set<ULID> {
        Set(blocks.flatMap { $0.meta.compaction.parents.map(\.id) })
    }

    /// Removes what an interrupted run left: directories of blocks that were being made or removed.
    static func removeLeftovers(
        _ directory: String, _ fileSystem: any FileSystem
    ) throws(StorageError) {
        do throws(FileError) {
            for entry in try fileSystem.entries(of: directory) where entry.isDirectory {
                if isLeftover(entry.name) { try fileSystem.remove("\(directory)/\(entry.name)") }
            }
        } catch {
            throw StorageError(error)
        }
    }

    /// Whether a directory of this name is of a block that was being made or removed.
    static func isLeftover(_ name: String) -> Bool {
        let suffixes = [
            BlockDirectory.creationSuffix, BlockDirectory.deletionSuffix,
            BlockDirectory.temporarySuffix,
        ]
        return suffixes.contains {
            name.hasSuffix($0)
                && BlockDirectory.block(named: String(name.dropLast($0.count))) != nil
        }
    }

    /// Removes a block: first its name, then its files, so that it never stands there in part. Goes
    /// on where an earlier try failed.
    static func remove(
        _ id: ULID, in directory: String, _ fileSystem: any FileSystem
    ) throws(StorageError) {
        do throws(FileError) {
            for encoding in BlockEncoding.allCases {
                let path = "\(directory)/\(BlockDirectory.name(id, encoding))"
                let nameless = path + BlockDirectory.deletionSuffix
                if try fileSystem.status(of: path) != nil {
                    try fileSystem.rename(path, to: nameless)
                } else if try fileSystem.status(of: nameless) == nil {
                    continue
                }
                try fileSystem.syncDirectory(directory)
                try fileSystem.remove(nameless)
            }
        } catch {
            throw StorageError(error)
        }
    }
}
