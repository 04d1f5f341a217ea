// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import ChunkEncoding
internal import Instrumentation
internal import Model
internal import Platform
package import Storage
internal import Synchronization

extension Database {
    /// One round of upkeep: cuts blocks from the head while it is due, merges blocks while there is
    /// something to merge, removes what has outlived its time or its place. Takes as long as the
    /// disk takes; commits and queries go on.
    package func maintain() throws(StorageError) {
        state.withLock { $0.isMaintenanceDue = false }
        guard readOnlyReason == nil else { return }
        var failure: StorageError?
        maintenance.withLock { _ in
            do throws(StorageError) {
                guard !state.withLock({ $0.isClosed }) else { return }
                if try cutHeadWhileDue() {
                    state.withLock { $0.lastCut = environment.now() }
                    try cutOutOfOrder()
                }
                if areStaleSeriesDue { try cutStaleSeries() }
                try relieve()
                try removeOutlived()
                try removeDiscarded()
                try removeOutlivedSeries()
                try mergeBlocks()
                releasePages()
            } catch {
                // A close interrupts; what was begun is done again at the next start.
                if error.code == .cancelled { return }
                metrics.compactionsFailed.increment()
                failure = error
            }
        }
        if let failure { throw failure }
    }

    /// What queries and compactions read of files counts as memory until the system needs it for
    /// something else. Once a round it is let go of; what is read all the time comes back from the
    /// system's cache at the price of some thousand faults.
    private func releasePages() {
        for block in blocks { block.releasePages() }
        head.releasePages()
    }

    /// The same, while queries run: indices are read all the time.
    func releaseChunkPages() {
        for block in blocks { block.chunks.releasePages() }
        head.releasePages()
    }

    // MARK: Head

    /// Returns whether there was something to cut. The log is rewritten once behind all cuts, also
    /// behind those before one that failed: a rewriting copies all that is not in blocks, which for
    /// weeks that are sent at once is nearly everything.
    private func cutHeadWhileDue() throws(StorageError) -> Bool {
        var hasCut = false
        var failure: StorageError?
        do throws(StorageError) {
            while isHeadDue, try cutHead() { hasCut = true }
        } catch {
            if error.code == .cancelled { throw error }
            failure = error
        }
        do throws(StorageError) {
            try head.truncateLog()
        } catch {
            throw failure ?? error
        }
        if let failure { throw failure }
        return hasCut
    }

    /// Writes the oldest aligned range of the head as a block and lets the head forget it. Returns
    /// whether the head did.
    private func cutHead() throws(StorageError) -> Bool {
        guard let held = head.timeRange else { return false }
        let start = CompactionPlan.alignedStart(held.start, options.blockRange)
        return try cutHead(before: start + options.blockRange)
    }

    /// Writes what the head has before a time as a block and lets it forget that. Returns whether
    /// it did.
    func cutHead(before end: Timestamp) throws(StorageError) -> Bool {
        guard let held = head.timeRange else { return false }
        let start = held.start
        let began = monotonicNanoseconds()
        let id = environment.newID()
        var meta = BlockMeta(id: id, range: TimeRange(start: start, end: end))
        meta.compaction.sources = [id]
        // A block's end is open, a range of the head closed.
        let source = head.blockSource(TimeRange(start: start, end: end - 1))
        let written = try writeBlock(source, meta)
        if let written {
            publish(sorted(blocks + [try open(written)]))
            environment.log.info(
                "write block",
                [
                    "mint": "\(start)", "maxt": "\(end)", "ulid": "\(id)",
                    "series": "\(written.statistics.series)",
                    "duration": durationText(since: began),
                ])
        }
        try head.truncate(before: end)
        return head.timeRange.map { $0.start >= end } ?? true
    }

    /// Writes a part of the head as blocks, one for each aligned range that has samples in it; all
    /// of them or none.
    func writeBlocks(
        _ range: TimeRange, hint: String, _ source: (TimeRange) -> any BlockSource
    ) throws(StorageError) -> [Block] {
        var written: [Block] = []
        do throws(StorageError) {
            for part in alignedRanges(range) {
                let meta = newMeta(part, hint: hint)
                let block = try writeBlock(source(part), meta).map(open)
                if let block { written.append(block) }
            }
        } catch {
            withdraw(written.map(\.meta.id))
            throw error
        }
        return written
    }

    /// The ranges of blocks that a closed range touches, closed too. None reaches across the time
    /// up to which blocks have all samples: merged with one of those, it would hide that time.
    func alignedRanges(_ range: TimeRange) -> [TimeRange] {
        let border = blocks.lazy.filter(\.meta.isInOrder).map(\.meta.range.end).max()
        let start = CompactionPlan.alignedStart(range.start, options.blockRange)
        return stride(from: start, through: range.end, by: Int(options.blockRange)).flatMap {
            let whole = TimeRange(start: $0, end: $0 + options.blockRange - 1)
            guard let border, whole.start < border, border <= whole.end else { return [whole] }
            return [
                TimeRange(start: whole.start, end: border - 1),
                TimeRange(start: border, end: whole.end),
            ]
        }
    }

    /// The meta of a new block that does not stand for the whole of its closed range.
    func newMeta(_ range: TimeRange, hint: String) -> BlockMeta {
        let id = environment.newID()
        // A block's end is open.
        var meta = BlockMeta(id: id, range: TimeRange(start: range.start, end: range.end + 1))
        meta.compaction.sources = [id]
        meta.compaction.hints = [hint]
        return meta
    }

    func writeBlock(
        _ source: any BlockSource, _ meta: BlockMeta
    ) throws(StorageError) -> BlockMeta? {
        let began = monotonicNanoseconds()
        defer {
            metrics.compactions.increment()
            metrics.compactionSeconds.observe(Double(monotonicNanoseconds() - began) / 1e9)
        }
        do throws(StorageError) {
            return try BlockWriter(directory, environment.fileSystem).write(
                InterruptibleSource(source, database: self), meta)
        } catch {
            // It may have its name already.
            withdraw([meta.id])
            throw error
        }
    }

    /// Opens a block that was written. One that cannot be opened does not stay.
    func open(_ meta: BlockMeta) throws(StorageError) -> Block {
        do throws(StorageError) {
            return try Block("\(directory)/\(meta.directoryName)", environment.fileSystem)
        } catch {
            withdraw([meta.id])
            throw error
        }
    }

    func durationText(since began: UInt64) -> String {
        "\((monotonicNanoseconds() - began) / 1_000_000)ms"
    }

    // MARK: Merging

    private var blockRanges: [Milliseconds] {
        let largest =
            options.largestBlockRange
            ?? CompactionPlan.largestRange(
                retention: options.settings.retention.time, smallest: options.blockRange)
        return CompactionPlan.ranges(smallest: options.blockRange, largest: largest)
    }

    private func nextMerge(_ metas: [BlockMeta]) -> [BlockMeta] {
        let plan = CompactionPlan.next(metas, ranges: blockRanges)
        guard plan.isEmpty else { return plan }
        return CompactionPlan.next(
            beyondRetention(metas), ranges: CompactionPlan.ranges(smallest: options.blockRange))
    }

    private func mergeBlocks() throws(StorageError) {
        // A head that has become due meanwhile comes first.
        while !isHeadDue {
            let loaded = blocks
            let plan = nextMerge(loaded.map(\.meta))
            guard !plan.isEmpty else { return }
            let chosen = Set(plan.map(\.id))
            let parents = loaded.filter { chosen.contains($0.meta.id) }
            do throws(StorageError) {
                try merge(parents)
            } catch {
                if error.code == .damaged { try markFailed(parents) }
                throw error
            }
        }
    }

    private func merge(_ parents: [Block]) throws(StorageError) {
        let began = monotonicNanoseconds()
        let id = environment.newID()
        let settings = state.withLock { $0.settings }
        let source = BlockMerge(
            parents, expiries(of: parents, among: blocks, settings.retention),
            floats: settings.floatEncoding)
        let overlaps = zip(parents, parents.dropFirst()).contains {
            $1.meta.range.start < $0.meta.range.end
        }
        if overlaps { metrics.verticalCompactions.increment() }
        var meta = source.meta(id: id)
        meta.encoding = settings.blockEncoding
        let written = try writeBlock(source, meta)
        replace(parents, with: try written.map(open))
        try discard(parents.map(\.meta.id))
        environment.log.info(
            "compact blocks",
            [
                "count": "\(parents.count)", "ulid": written == nil ? "none" : "\(id)",
                "sources": parents.map(\.meta.id.description).joined(separator: " "),
                "duration": durationText(since: began),
            ])
    }

    /// Notes in the blocks that merging them failed, so that it is not tried for ever.
    func markFailed(_ parents: [Block]) throws(StorageError) {
        var reopened: [Block] = []
        for parent in parents {
            var meta = parent.meta
            meta.compaction.hasFailed = true
            try BlockWriter.replace(
                "\(parent.directory)/meta.json", with: meta.encoded(), environment.fileSystem)
            reopened.append(try Block(parent.directory, environment.fileSystem))
        }
        let others = blocks.filter { block in
            !parents.contains { $0.meta.id == block.meta.id }
        }
        publish(sorted(others + reopened))
    }
}

/// A source that ends with an error once the database is to be closed.
private struct InterruptibleSource: BlockSource {
    private let source: any BlockSource
    private let database: Database

    init(_ source: any BlockSource, database: Database) {
        self.source = source
        self.database = database
    }

    func forEachSeries(
        _ body: (Labels, [EncodedChunk]) throws(StorageError) -> Void
    ) throws(StorageError) {
        try source.forEachSeries { (labels, chunks) throws(StorageError) in
            if database.state.withLock({ $0.isClosed }) {
                throw StorageError(.cancelled, "the database is being closed")
            }
            try body(labels, chunks)
        }
    }
}
