// SPDX-License-Identifier: Apache-2.0
//
// Late samples become blocks of their own after the head was cut: all that there are by then, one
// block for each aligned range, with the hint that they do not stand for the whole of their range.
//
//  1. The write-behind log begins a new segment, and all open samples go to the head chunk files.
//     What older segments hold lies in chunks up to the last one now.
//  2. The blocks are written from those chunks, and published.
//  3. New queriers do not look at the chunks any more. Once the queriers opened before are
//     released, it is noted which chunks are done with (`WrittenLateChunks`), and they and the
//     older segments go.

internal import ChunkEncoding
internal import Instrumentation
internal import Model
internal import Platform
package import Storage
internal import Synchronization

extension Head {
    /// All late samples that there are now, to be written as blocks; nil where there are none.
    package func outOfOrderCut() throws(StorageError) -> (any OutOfOrderCut)? {
        guard foreignData == nil else { return nil }
        let segment: Int?
        do {
            segment = try store.withLock { (store) throws(FileError) -> Int? in
                guard !store.outOfOrder.isEmpty, store.log != nil else { return nil }
                return try store.outOfOrder.beginSegment()
            }
        } catch {
            throw StorageError(.inputOutput, "get ooo compaction head: \(error)")
        }
        guard let segment else { return nil }
        // In slices, so that commits get the lock in between.
        let slots = store.withLock { $0.outOfOrder.slots }
        for start in stride(from: 0, to: slots.count, by: 1024) {
            let slice = slots[start..<min(start + 1024, slots.count)]
            store.withLock { store in
                for slot in slice { store.closeLate(slot) }
            }
        }
        let cut = store.withLock { HeadOutOfOrderCut(head: self, segment: segment, $0) }
        guard cut.range != nil else { return nil }
        return cut
    }

    /// Forgets what blocks hold now.
    fileprivate func release(_ cut: HeadOutOfOrderCut) throws(StorageError) {
        try snapshots.truncation.withLock { _ throws(StorageError) in
            store.withLock { $0.outOfOrder.hiddenThrough = cut.lastPlace }
            let newest = leases.withLock { $0.newest }
            _ = leases.wait { $0.hasNone(upTo: newest) ? true : nil }
            do {
                // A place that is noted must not be given again, so its file is to be whole.
                try store.flushChunks()
                try store.withLock { (store) throws(FileError) in try store.files.finishFile() }
                try store.flushChunks()
                try WrittenLateChunks.write(cut.lastPlace, directory, fileSystem)
                let folder = try WALDirectory(OutOfOrderLog.path(directory), fileSystem)
                for segment in folder.segments where segment < cut.segment {
                    try fileSystem.remove(folder.path(ofSegment: segment))
                }
                // A checkpoint forgets what is deleted of them.
                try fileSystem.syncDirectory(folder.path)
                // What is left is of this run.
                store.withLock { $0.restart.aliases.removeAll() }
            } catch {
                throw StorageError(.inputOutput, "truncate ooo wbl: \(error)")
            }
            store.withLock { store in
                store.outOfOrder.removeChunks(upTo: cut.lastPlace)
                store.forgetDeletions(endingBefore: store.visibleStart)
            }
            removeUnusedFiles()
        }
    }
}

extension Head {
    /// Deletes the head chunk files that no chunk lies in any more. In slices, too.
    private func removeUnusedFiles() {
        let sliceSize = 1 << 14
        var first = UInt32.max
        var at = 0
        while true {
            let known = first
            let (end, found) = store.withLock { store in
                let end = min(at + sliceSize, store.samples.series.end)
                return (end, min(known, store.firstFile(ofSlots: at..<end)))
            }
            first = found
            if end == at { break }
            at = end
        }
        let needed = first
        store.withLock { store in
            do {
                try store.files.finishFile()
                try store.files.deleteFiles(
                    before: min(needed, store.outOfOrder.firstFile ?? .max))
            } catch {
                store.options.log.warn("removing head chunk files failed: \(error)")
            }
        }
    }
}

/// The write-behind log.
enum OutOfOrderLog {
    static func path(_ directory: String) -> String { "\(directory)/wbl" }
}

extension HeadStore {
    /// Forgets what is deleted before a time, but for series that have late samples: those may be
    /// older.
    func forgetDeletions(endingBefore time: Timestamp) {
        let late = outOfOrder
        deletions.removeAll(endingBefore: time) { late.has($0) }
    }

    /// The first head chunk file in which one of the series has a chunk in order.
    fileprivate func firstFile(ofSlots slots: Range<Int>) -> UInt32 {
        var first = UInt32.max
        for slot in slots where labels.has(UInt32(slot)) {
            samples.series.forEachChunk(UInt32(slot)) {
                first = min(first, $0.file)
                return true
            }
        }
        return first
    }

    /// Moves the open late samples of a series to the head chunk files.
    fileprivate func closeLate(_ slot: UInt32) {
        guard var one = outOfOrder[slot], !one.open.isEmpty else { return }
        _ = one.close(samples.series.refs[slot], samples.floatEncoding, files)
        outOfOrder[slot] = one
    }
}

/// The late samples of a head up to a certain chunk.
private struct HeadOutOfOrderCut: OutOfOrderCut {
    let head: Head
    /// Of the write-behind log: the samples of those before it are in the chunks.
    let segment: Int
    let lastPlace: HeadChunkFiles.Place
    let range: TimeRange?
    private let slots: [UInt32]
    private let floatEncoding: FloatEncoding

    init(head: Head, segment: Int, _ store: HeadStore) {
        self.head = head
        self.segment = segment
        var set = SlotSet(capacity: store.labels.end)
        var range: TimeRange?
        var last = HeadChunkFiles.Place.none
        for slot in store.outOfOrder.slots {
            guard let chunks = store.outOfOrder[slot]?.chunks, !chunks.isEmpty else { continue }
            set.insert(slot)
            for chunk in chunks {
                range = chunk.range.union(range)
                last = max(last, chunk.place)
            }
        }
        slots = store.labels.inLabelOrder(set)
        self.range = range
        lastPlace = last
        floatEncoding = store.samples.floatEncoding
    }

    func source(_ range: TimeRange) -> any BlockSource {
        OutOfOrderSource(
            head: head, slots: slots, lastPlace: lastPlace, range: range,
            floatEncoding: floatEncoding)
    }

    func release() throws(StorageError) { try head.release(self) }
}

/// The samples of one range.
private struct OutOfOrderSource: BlockSource {
    let head: Head
    let slots: [UInt32]
    let lastPlace: HeadChunkFiles.Place
    let range: TimeRange
    let floatEncoding: FloatEncoding

    func forEachSeries(
        _ body: (Labels, [EncodedChunk]) throws(StorageError) -> Void
    ) throws(StorageError) {
        for slot in slots {
            let late = try head.store.withLock { (store) throws(StorageError) in
                guard let late = store.outOfOrder[slot] else {
                    return LateChunks(deleted: DeletedRanges())
                }
                return try store.lateChunks(
                    late, of: slot, range, after: .none, upTo: lastPlace)
            }
            if late.isEmpty { continue }
            var chunks: [EncodedChunk] = []
            if late.holdsFloatsOnly {
                var columns = SampleColumns()
                try late.decode(range, into: &columns)
                chunks = columns.encodedFloats(as: floatEncoding)
            } else {
                for group in late.overlappingGroups {
                    let merge = SampleMerge(
                        group.map { ($0, late.deleted) }, floats: floatEncoding)
                    chunks += try merge.chunks(within: range)
                }
            }
            if !chunks.isEmpty { try body(head.labels.labels(of: slot), chunks) }
        }
    }
}
