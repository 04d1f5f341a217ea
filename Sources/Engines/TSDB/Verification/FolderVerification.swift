// SPDX-License-Identifier: Apache-2.0
//
// Reads every byte of a data folder that means something, and names what is wrong: blocks, head
// chunks, log, checkpoints, out-of-order log, the head's snapshot and notes. Changes nothing.
// Memory: a bit per series and 16 bytes per part of an index of the largest block.

internal import Bytes
internal import Model
package import Platform
package import Storage

package struct FolderVerification {
    private let directory: String
    private let fileSystem: any FileSystem
    private var report = FolderReport()

    private init(_ directory: String, _ fileSystem: any FileSystem) {
        self.directory = directory
        self.fileSystem = fileSystem
    }

    /// Verifies a data folder. An error only where the folder itself cannot be read.
    package static func run(
        _ directory: String, _ fileSystem: any FileSystem
    ) throws(StorageError) -> FolderReport {
        var verification = FolderVerification(directory, fileSystem)
        try verification.run()
        return verification.report
    }

    private mutating func run() throws(StorageError) {
        let entries: [DirectoryEntry]
        do { entries = try fileSystem.entries(of: directory) } catch {
            throw StorageError(error)
        }
        var metas: [BlockMeta] = []
        for entry in entries {
            if entry.isDirectory, BlockDirectory.block(named: entry.name) != nil {
                var block = BlockVerification(directory, entry.name, fileSystem)
                block.run(&report)
                if let meta = block.meta { metas.append(meta) }
            } else if entry.isDirectory, BlockDirectories.isLeftover(entry.name) {
                report.note(entry.name, "left by an interrupted run; the next start removes it")
            } else if entry.name == "lock" {
                report.note("lock", "the folder is in use, or its program did not end cleanly")
            }
        }
        noteRelations(metas)
        for log in ["wal", "wbl"] where isThere(log) {
            LogVerification(directory, log, fileSystem).run(&report)
        }
        if isThere("chunks_head") {
            HeadChunkVerification(directory, fileSystem).run(&report)
        }
        do throws(SnapshotFault) {
            try SnapshotFile(directory, fileSystem)?.verify()
        } catch {
            report.damage(SnapshotFormat.path, error.description)
        }
        verifyNotes()
    }

    private mutating func verifyNotes() {
        for note in HeadNote.all {
            do throws(FileError) {
                guard try note.isDamaged(directory, fileSystem) else { continue }
                report.damage(note.path, "wrong length, name or checksum")
            } catch {
                report.damage(note.path, error)
            }
        }
    }

    private func isThere(_ name: String) -> Bool {
        (try? fileSystem.status(of: "\(directory)/\(name)")) != nil
    }

    /// Blocks that overlap, and blocks whose data is in another one.
    private mutating func noteRelations(_ metas: [BlockMeta]) {
        let parents = Set(metas.flatMap { $0.compaction.parents.map(\.id) })
        for meta in metas where parents.contains(meta.id) {
            report.note(
                meta.id.description, "its data is in a newer block; the next start removes it")
        }
        for meta in metas where meta.compaction.hasFailed {
            report.note(meta.id.description, "a compaction of it failed and is not tried again")
        }
        let live = metas.filter { !parents.contains($0.id) }
            .sorted { ($0.range.start, $0.id) < ($1.range.start, $1.id) }
        for (block, next) in zip(live, live.dropFirst()) where next.range.start < block.range.end {
            report.note(
                next.id.description,
                "overlaps block \(block.id) from \(next.range.start) to "
                    + "\(min(block.range.end, next.range.end))")
        }
    }
}
