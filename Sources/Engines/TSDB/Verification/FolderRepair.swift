// SPDX-License-Identifier: Apache-2.0
//
// Makes a damaged folder one that a server can start on, and deletes nothing: what has to go is
// moved to `set-aside/<time>/` in the folder, under the path that it had. No server looks there.
//
//  - A damaged block goes aside. Where its meta, tombstones and the tables of its index are sound,
//    what can be read of it is written as a new block first.
//  - The file of the first damage in a log is copied aside, then cut before the damaged record;
//    later segments go aside. Likewise head chunk files: the log still has their samples, up to the
//    last truncation.
//  - A damaged snapshot of the head goes aside: it is a shortcut through the log. So does a damaged
//    note of what is in blocks; what was deleted there may come back.
//  - A segment that is missing makes the later ones go aside.

internal import Bytes
internal import Instrumentation
package import Model
package import Platform
package import Storage

package struct FolderRepair {
    private let directory: String
    private let fileSystem: any FileSystem
    private let time: Timestamp
    private let aside: String
    /// What was done, in order.
    private var actions: [String] = []

    /// Repairs a folder that no server uses, and tells what was done. `time` names the folder for
    /// what is set aside.
    package static func run(
        _ directory: String, _ fileSystem: any FileSystem, time: Timestamp
    ) throws(StorageError) -> [String] {
        let lock = try UnusedFolder(directory, fileSystem)
        defer { lock.release() }
        let report = try FolderVerification.run(directory, fileSystem)
        var repair = FolderRepair(directory, fileSystem, time)
        do throws(FileError) {
            try repair.repairBlocks(report)
            for log in ["wal", "wbl"] { try repair.repairLog(log, report) }
            try repair.repairHeadChunks(report)
            if repair.isDamaged(SnapshotFormat.path, report) {
                try repair.setAside(SnapshotFormat.path, "damaged; the log has all that it held")
            }
            for note in HeadNote.all where repair.isDamaged(note.path, report) {
                try repair.setAside(note.path, "damaged; samples may be in head and block")
            }
        } catch {
            throw StorageError(error)
        }
        return repair.actions
    }

    private init(_ directory: String, _ fileSystem: any FileSystem, _ time: Timestamp) {
        self.directory = directory
        self.fileSystem = fileSystem
        self.time = time
        aside = "set-aside/\(basicTimeText(time))"
    }

    // MARK: Moving

    private func parent(of path: String) -> String {
        path.lastIndex(of: "/").map { String(path[..<$0]) } ?? ""
    }

    /// Moves a file or folder aside.
    private mutating func setAside(_ path: String, _ why: String) throws(FileError) {
        let target = "\(directory)/\(aside)/\(path)"
        try fileSystem.createDirectory(parent(of: target))
        try fileSystem.rename("\(directory)/\(path)", to: target)
        try fileSystem.syncDirectory(parent(of: target))
        try fileSystem.syncDirectory(parent(of: "\(directory)/\(path)"))
        actions.append("\(path): moved to \(aside)/\(path) (\(why))")
    }

    /// Copies a file aside and cuts it.
    private mutating func cut(_ path: String, to size: Int, _ why: String) throws(FileError) {
        let target = "\(directory)/\(aside)/\(path)"
        try fileSystem.createDirectory(parent(of: target))
        let original = try fileSystem.map("\(directory)/\(path)")
        let copy = try fileSystem.open(target, .replace)
        try copy.write(original.bytes, at: 0)
        try copy.sync()
        try fileSystem.syncDirectory(parent(of: target))
        let file = try fileSystem.open("\(directory)/\(path)", .readWrite)
        try file.truncate(to: size)
        try file.sync()
        actions.append("\(path): copied to \(aside)/\(path), then cut to \(size) bytes (\(why))")
    }

    // MARK: Parts

    private mutating func repairBlocks(_ report: FolderReport) throws(FileError) {
        var seen: Set<String> = []
        for finding in report.findings where finding.kind == .damage {
            let name = String(finding.path.prefix { $0 != "/" })
            guard BlockDirectory.block(named: name) != nil, seen.insert(name).inserted else {
                continue
            }
            salvage(name)
            try setAside(name, "\(finding.path): \(finding.reason)")
        }
    }

    /// Writes what can be read of a block as a new one. Where that fails the block only goes aside.
    private mutating func salvage(_ name: String) {
        do throws(StorageError) {
            let block = try Block("\(directory)/\(name)", fileSystem)
            let source = SalvageSource(block)
            var meta = block.meta
            var generator = SystemRandomNumberGenerator()
            meta.id = ULID(milliseconds: time, using: &generator)
            let written = try BlockWriter(directory, fileSystem).write(source, meta)
            actions.append(
                written == nil
                    ? "\(name): nothing of it can be read"
                    : "\(name): \(written?.statistics.samples ?? 0) of "
                        + "\(block.meta.statistics.samples) samples written as block \(meta.id)")
        } catch {
            actions.append("\(name): nothing is taken over: \(error.message)")
        }
    }

    /// Whether the report has damage below a path.
    private func isDamaged(_ path: String, _ report: FolderReport) -> Bool {
        report.findings.contains {
            $0.kind == .damage && ($0.path == path || $0.path.hasPrefix("\(path)/"))
        }
    }

    private mutating func repairLog(
        _ name: String, _ report: FolderReport
    ) throws(FileError) {
        guard isDamaged(name, report) else { return }
        let folder = try WALDirectory("\(directory)/\(name)", fileSystem)
        if let checkpoint = folder.checkpoint {
            let inner = "\(name)/\(WALFormat.name(ofCheckpoint: checkpoint))"
            try repairSegments(inner, try WALDirectory("\(directory)/\(inner)", fileSystem))
        }
        try repairSegments(name, folder)
    }

    /// Cuts the first damaged segment and moves those behind it, or behind a gap, aside.
    private mutating func repairSegments(
        _ name: String, _ folder: WALDirectory
    ) throws(FileError) {
        let gap = name == "wbl" ? nil : folder.firstAfterGap
        var isBehind = false
        for segment in folder.segments {
            let path = "\(name)/\(WALFormat.name(ofSegment: segment))"
            if segment == gap { isBehind = true }
            if isBehind {
                try setAside(path, "behind damage or a gap in the log")
                continue
            }
            let file = try fileSystem.map("\(directory)/\(path)")
            guard let damage = LogVerification.read(file.bytes, path, segment).damage else {
                continue
            }
            try cut(path, to: damage.offset, damage.reason)
            isBehind = true
        }
    }

    private mutating func repairHeadChunks(_ report: FolderReport) throws(FileError) {
        guard isDamaged("chunks_head", report) else { return }
        let files = HeadChunkFiles("\(directory)/chunks_head", fileSystem)
        let numbers = try files.numbersOnDisk()
        // Files behind damage go too: a series' chunks must not have a gap that hides samples.
        guard
            let first = numbers.first(where: {
                isDamaged("chunks_head/\(HeadChunkFormat.name(ofFile: $0))", report)
            })
        else { return }
        for number in numbers.reversed() where number >= first {
            let path = "chunks_head/\(HeadChunkFormat.name(ofFile: number))"
            try setAside(path, "at or behind a damaged head chunk file; the log has its samples")
        }
    }
}
