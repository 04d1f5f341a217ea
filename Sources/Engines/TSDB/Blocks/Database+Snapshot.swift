// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import Instrumentation
internal import Model
internal import Platform
package import Storage
internal import Synchronization

extension Database {
    /// Makes a copy of all data in `snapshots/<time>-<random>` and returns that name. Blocks are
    /// linked, not copied; the head becomes a block of its own where it is wanted, and late samples
    /// become blocks as they do after a cut.
    package func snapshot(includingHead: Bool) throws(StorageError) -> String {
        let random = String(environment.randomNumber() >> 1, radix: 16)
        let name = "\(basicTimeText(environment.now()))-\(random)"
        let target = "\(directory)/snapshots/\(name)"
        var failure: StorageError?
        maintenance.withLock { _ in
            do throws(StorageError) {
                try fill(target, includingHead: includingHead)
            } catch {
                failure = error
            }
        }
        if let failure {
            // A part of a snapshot would be taken for one.
            try? environment.fileSystem.remove(target)
            throw failure
        }
        return name
    }

    private func fill(_ target: String, includingHead: Bool) throws(StorageError) {
        let fileSystem = environment.fileSystem
        do throws(FileError) {
            try fileSystem.createDirectory(target)
            for block in blocks {
                let copy = "\(target)/\(block.meta.directoryName)"
                try fileSystem.createDirectory("\(copy)/chunks")
                for name in ["meta.json", "index", Tombstones.fileName] {
                    let original = "\(block.directory)/\(name)"
                    guard try fileSystem.status(of: original) != nil else { continue }
                    try fileSystem.link(original, as: "\(copy)/\(name)")
                }
                for entry in try fileSystem.entries(of: "\(block.directory)/chunks") {
                    try fileSystem.link(
                        "\(block.directory)/chunks/\(entry.name)",
                        as: "\(copy)/chunks/\(entry.name)")
                }
                try fileSystem.syncDirectory("\(copy)/chunks")
                try fileSystem.syncDirectory(copy)
            }
        } catch {
            throw StorageError(error)
        }
        if includingHead, let held = head.timeRange {
            let id = environment.newID()
            let range = TimeRange(start: held.start, end: held.end.saturatingNext)
            var meta = BlockMeta(id: id, range: range)
            meta.compaction.sources = [id]
            _ = try BlockWriter(target, fileSystem).write(head.blockSource(held), meta)
        }
        if includingHead, let cut = try head.outOfOrderCut(), let range = cut.range {
            for part in alignedRanges(range) {
                let meta = newMeta(part, hint: BlockMeta.Hint.outOfOrder)
                _ = try BlockWriter(target, fileSystem).write(cut.source(part), meta)
            }
        }
        do { try fileSystem.syncDirectory(target) } catch { throw StorageError(error) }
    }
}

/// A time in ISO 8601's basic form, UTC, whole seconds: `20260102T030405Z`.
func basicTimeText(_ time: Timestamp) -> String {
    utcText(time).prefix { $0 != "." }.filter { $0 != "-" && $0 != ":" } + "Z"
}
