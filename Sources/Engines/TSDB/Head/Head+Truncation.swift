// SPDX-License-Identifier: Apache-2.0

internal import ChunkEncoding
internal import Instrumentation
package import Model
internal import Platform
package import Storage
internal import Synchronization

extension Head {
    /// Lets go of all samples before a time, which a block holds now: full chunks and their files,
    /// and series without younger samples. What of the log they fill stays until `truncateLog`.
    ///
    /// Waits until the queriers that were opened before it are released, so a thread that holds one
    /// must not call this.
    package func truncate(before time: Timestamp) throws(StorageError) {
        guard foreignData == nil else {
            throw StorageError(.unavailable, "the head is read-only")
        }
        try snapshots.truncation.withLock { _ throws(StorageError) in
            let isNeeded = store.withLock { store in
                guard !store.bounds.isEmpty, store.bounds.minTime < time, store.log != nil else {
                    return false
                }
                store.restart.lastTruncation = max(store.restart.lastTruncation, time)
                return true
            }
            guard isNeeded else { return }
            metrics.truncations.increment()
            do throws(FileError) { try HeadStart.write(time, directory, fileSystem) } catch {
                throw StorageError(.inputOutput, "note the start of the head: \(error)")
            }
            let newest = leases.withLock { $0.newest }
            _ = leases.wait { $0.hasNone(upTo: newest) ? true : nil }
            try collectGarbage(before: time)
            store.withLock { $0.restart.logTruncation = time }
        }
    }

    /// Lets go of the part of the log that is filled by what truncations let go of. Copies what is
    /// left of the older two thirds, so it belongs behind all truncations of a round.
    package func truncateLog() throws(StorageError) {
        try snapshots.truncation.withLock { _ throws(StorageError) in
            let time = store.withLock { $0.restart.logTruncation.take() }
            guard let time else { return }
            try checkpoint(before: time)
            snapshots.outdate()
        }
    }

    /// Chunks go in slices, so that commits get the lock in between; series at the end, at once.
    private func collectGarbage(before time: Timestamp) throws(StorageError) {
        let sliceSize = 1 << 14
        var remains = Remains()
        var at = 0
        while true {
            let end = store.withLock { store in
                let end = min(at + sliceSize, store.samples.series.end)
                for slot in at..<end {
                    store.truncateChunks(UInt32(slot), before: time, &remains)
                }
                return end
            }
            if end == at { break }
            at = end
        }
        let found = remains
        let removed = try store.withLock { (store) throws(StorageError) in
            try store.finishTruncation(before: time, found)
        }
        metrics.seriesRemoved.increment(by: Double(removed))
    }
}

/// What a truncation found to be left.
struct Remains: Sendable {
    /// The oldest sample.
    var minTime = Timestamp.max
    /// The first head chunk file that is still needed.
    var firstFile = UInt32.max
    /// Slots of series without samples that are young enough.
    var candidates: [UInt32] = []
}

extension HeadStore {
    fileprivate func truncateChunks(
        _ slot: UInt32, before time: Timestamp, _ remains: inout Remains
    ) {
        guard labels.has(slot) else { return }
        let state = samples.series.states[slot]
        guard state.hasSamples, state.encoder.timestamp >= time else {
            remains.candidates.append(slot)
            return
        }
        samples.series.removeChunks(slot, endingBefore: time)
        var first = remains.firstFile
        samples.series.forEachChunk(slot) {
            first = min(first, $0.file)
            return true
        }
        remains.firstFile = first
        if let oldest = samples.firstTimestamp(slot) {
            remains.minTime = min(remains.minTime, oldest)
        }
    }

    /// Drops the series that are still without young samples, and moves the bounds. Returns how
    /// many.
    fileprivate func finishTruncation(
        before time: Timestamp, _ remains: Remains
    ) throws(StorageError) -> Int {
        var dropped = SlotSet(capacity: labels.end)
        var remains = remains
        let candidates = remains.candidates
        var refs: [UInt64] = []
        remains.firstFile = min(remains.firstFile, outOfOrder.firstFile ?? .max)
        // What came late is kept until it is in blocks, and its series with it.
        for slot in candidates where labels.has(slot) {
            let state = samples.series.states[slot]
            if state.hasSamples, state.encoder.timestamp >= time {
                truncateChunks(slot, before: time, &remains)
                continue
            }
            if outOfOrder.has(slot) {
                samples.series.removeChunks(slot, endingBefore: time)
                continue
            }
            dropped.insert(slot)
            refs.append(samples.series.refs[slot])
            samples.removeAllChunks(slot)
            deletions.remove(slot)
            metadata.remove(slot)
        }
        metadata.finishRemovals()
        try labels.remove(dropped)
        samples.series.remove(dropped)
        forgetDeletions(endingBefore: time)
        moveBounds(time, remains.minTime)
        restart.expiries.note(refs.map { ($0, bounds.minValidTime) })
        do {
            try files.finishFile()
            try files.deleteFiles(before: remains.firstFile)
        } catch {
            options.log.warn("removing head chunk files failed: \(error)")
        }
        return refs.count
    }

    private func moveBounds(_ time: Timestamp, _ oldest: Timestamp) {
        guard oldest != .max else {
            // Nothing is left: as after a start.
            bounds = HeadBounds(minValidTime: max(bounds.minValidTime, time))
            return
        }
        let appendable = bounds.lowerBound(bounds.maxTime, options.blockRange)
        bounds.minTime = max(time, min(oldest, appendable))
        bounds.minValidTime = max(bounds.minValidTime, bounds.minTime)
    }
}

extension SampleStore {
    /// Takes the memory of the open chunk and the list of full ones back.
    mutating func removeAllChunks(_ slot: UInt32) {
        series.removeChunks(slot, endingBefore: nil)
        var state = series.states[slot]
        pieces.release(&state)
        series.states[slot] = state
        _ = lanes.remove(slot)
    }
}
