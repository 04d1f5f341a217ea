// SPDX-License-Identifier: Apache-2.0

internal import Model
internal import Platform
internal import Storage
internal import TSDB

extension Run {
    /// Flips a bit of a file while nobody uses it. What is lost by that lies in the file alone, and
    /// nothing wrong is answered.
    mutating func flip() throws(Disagreement) {
        writePendingQuietly()
        expectation.kill()
        extras.kill()
        abandon()
        disk.faults = DiskFaults()
        // A deletion whose record is damaged is undone, and it is forgotten what was deleted.
        let hasDeleted = counts[.delete] != nil
        let files = disk.allFiles.filter {
            let holdsDeletions =
                $0.path.contains("/wal/") || $0.path.hasSuffix("/tombstones")
                || $0.path.hasSuffix("/late-chunks") || $0.path.hasSuffix("/narthex/start")
            return $0.size > 0 && !(hasDeleted && holdsDeletions)
        }
        guard !files.isEmpty else { return try start(found: .committed) }
        let (path, size) = random.element(of: files)
        let bit = random.below(size * 8)
        note("bit \(bit) of \(size) bytes of \(path)")
        disk.flip(path, bit: bit)
        let isInCheckpoint = path.contains("/checkpoint.")
        expectDamage(path)
        do throws(StorageError) {
            try open()
        } catch {
            guard isInCheckpoint, error.code == .damaged else {
                throw Disagreement("damage prevents a start: \(error)")
            }
            note("prevents the start: \(error)")
            return abandon()
        }
        // The end of the blocks, by which samples are outlived, may be another one: lower, or that
        // of a block whose folder could not be synced. Nothing need be hidden.
        let ends = database?.blocks.map(\.meta.range.end) ?? []
        expectation.horizons.move(to: ends, startOfHead: .min)
        try lookAtDamage(path)
        // Nothing guards the times in a block's meta.json; wrong ones may say that all is too old.
        if database?.readOnlyReason == nil, !path.hasSuffix("/meta.json") {
            surroundings.clock += setup.blockRange * 2
            try append()
            try lookAtDamage(path)
        }
        // Nothing more can be expected of a damaged folder.
        abandon()
    }

    private mutating func writePendingQuietly() {
        disk.faults = DiskFaults()
        // Whether it succeeds makes no difference to what may be lost.
        try? head?.writePending()
    }

    /// Takes back what the damaged file may cost. The log has what is in the head chunk files, but
    /// for what a power cut took from the log and not from them.
    private mutating func expectDamage(_ path: String) {
        if path.contains("/narthex/") { return }
        if path.contains("/chunks_head/"), counts[.cutPower] == nil { return }
        expectation.damage(from: .min, through: .max)
    }

    private mutating func lookAtDamage(_ path: String) throws(Disagreement) {
        guard let database else { return }
        do {
            let contents = try Self.contents(database)
            let always = TimeRange(start: .min, end: .max)
            try expectation.compare(contents, always, found: .committed)
            var hints = SelectHints(range: always)
            hints.labelsOnly = true
            let set = try database.querier(over: always).select([], hints: hints)
            for index in 0..<set.count where expectation.series[set.labels(at: index)] == nil {
                throw Disagreement("labels out of nowhere: \(set.labels(at: index))")
            }
        } catch let error as StorageError {
            let isInBlock = path.contains("/chunks/") || path.hasSuffix("/index")
            guard isInBlock, error.code == .damaged || error.code == .unsupported else {
                throw Disagreement("damage of \(path) breaks a query: \(error)")
            }
        } catch let error as Disagreement {
            throw error
        } catch {
            throw Disagreement("\(error)")
        }
    }
}
