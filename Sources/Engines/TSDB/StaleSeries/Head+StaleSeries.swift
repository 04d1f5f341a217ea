// SPDX-License-Identifier: Apache-2.0
//
// Series that ended with a staleness marker leave the head before their time: they become a block
// of their own, with a hint that it does not stand for the whole of its range.
//
//  1. The series are listed, each with the time of its marker. Those with late samples stay.
//  2. Blocks are written from them, and published.
//  3. New queriers do not look at them in the head any more, but for those that have got a sample
//     since. Once the queriers opened before are released, the series that still end as they did
//     go: first the log says so, then they are dropped.
//
// A crash before the log says so leaves them in the head and in a block, with the same samples. One
// that comes back afterwards is a new series of the head with a ref of its own.

internal import Bytes
internal import ChunkEncoding
internal import Instrumentation
internal import Model
internal import Platform
internal import Storage
internal import Synchronization

/// Series of the head that are on their way out, by slot with the times of their last samples.
struct LeavingSeries: Sendable {
    /// Which of the successive groups it is; 0 before the first.
    private(set) var number: UInt64 = 0
    private(set) var markers: [UInt32: Timestamp] = [:]

    mutating func begin(_ series: [SelectedSeries]) {
        number += 1
        markers = Dictionary(uniqueKeysWithValues: series.map { ($0.slot, $0.newest) })
    }

    /// They went, or stay.
    mutating func end() { markers = [:] }
}

extension GuardedStore {
    /// How many series end with a staleness marker.
    var staleSeriesCount: Int {
        var count = 0
        forEachSlice { store, slots in
            for slot in slots where store.isStale(slot) { count += 1 }
        }
        return count
    }

    /// Calls `body` with some slots at a time, free ones among them, so that commits get the lock
    /// in between.
    func forEachSlice(_ body: (HeadStore, Range<UInt32>) -> Void) {
        let sliceSize = 1 << 16
        var at = 0
        while true {
            let start = at
            let end = withLock { store in
                let end = min(start + sliceSize, store.samples.series.end)
                body(store, UInt32(start)..<UInt32(end))
                return end
            }
            if end == at { return }
            at = end
        }
    }
}

extension Head {
    package var staleSeriesCount: Int { store.staleSeriesCount }

    package func staleSeriesCut() -> (any SeriesCut)? {
        guard foreignData == nil else { return nil }
        var found: [UInt32] = []
        store.forEachSlice { store, slots in
            for slot in slots where store.isStale(slot) && !store.outOfOrder.has(slot) {
                found.append(slot)
            }
        }
        let stale = found
        let (members, range) = store.withLock { store in
            var set = SlotSet(capacity: store.labels.end)
            // What is older than the visible part is in blocks and about to go by itself.
            for slot in stale where store.isStale(slot) {
                let newest = store.samples.series.states[slot].encoder.timestamp
                if newest >= store.visibleStart { set.insert(slot) }
            }
            let members = store.selected(set, inLabelOrder: true)
            var range: TimeRange?
            for member in members {
                let first = store.samples.firstTimestamp(member.slot) ?? member.newest
                range = TimeRange(start: max(first, store.visibleStart), end: member.newest)
                    .union(range)
            }
            return (members, range)
        }
        guard let range else { return nil }
        return HeadSeriesCut(head: self, members: members, range: range)
    }

    fileprivate func release(_ cut: HeadSeriesCut) throws(StorageError) -> Int {
        try snapshots.truncation.withLock { _ throws(StorageError) in
            store.withLock { $0.leaving.begin(cut.members) }
            let newest = leases.withLock { $0.newest }
            _ = leases.wait { $0.hasNone(upTo: newest) ? true : nil }
            defer { store.withLock { $0.leaving.end() } }
            let removed = try store.withLock { (store) throws(StorageError) in
                try store.dropLeaving()
            }
            metrics.seriesRemoved.increment(by: Double(removed))
            return removed
        }
    }
}

extension HeadStore {
    /// Whether the newest sample in order says that the series ended.
    func isStale(_ slot: UInt32) -> Bool {
        let state = samples.series.states[slot]
        guard state.hasSamples, labels.has(slot) else { return false }
        guard !samples.lanes.isEmpty, let lane = samples.lanes[slot] else {
            return StaleMarker.isStale(state.encoder.value)
        }
        switch lane.last {
        case .integer(let histogram): return histogram.isStale
        case .float(let histogram): return histogram.isStale
        case nil: return false
        }
    }

    /// Whether a series still ends as it did when it was chosen to leave.
    private func stillLeaves(_ slot: UInt32, _ marker: Timestamp) -> Bool {
        let state = samples.series.states[slot]
        return labels.has(slot) && state.hasSamples && state.encoder.timestamp == marker
            && !outOfOrder.has(slot) && isStale(slot)
    }

    /// Takes those that leave out of a selection by a querier that was opened when they left.
    func removeLeaving(from slots: inout SlotSet, _ visible: HeadView) {
        guard visible.leaving == leaving.number else { return }
        for (slot, marker) in leaving.markers
        where slots.contains(slot) && stillLeaves(slot, marker) {
            slots.remove(slot)
        }
    }

    /// Drops those that leave, once the log says so. Returns how many there were.
    fileprivate func dropLeaving() throws(StorageError) -> Int {
        guard let log else { throw StorageError(.unavailable, "the head is closed") }
        let slots = leaving.markers.filter { stillLeaves($0.key, $0.value) }.keys.sorted()
        guard !slots.isEmpty else { return 0 }
        try logTombstones(slots.map { ($0, TombstoneRecord.wholeSeries) }, log)
        var dropped = SlotSet(capacity: labels.end)
        var gone: [(ref: UInt64, time: Timestamp)] = []
        for slot in slots {
            dropped.insert(slot)
            // The log has samples of the series up to its marker.
            gone.append((samples.series.refs[slot], samples.series.states[slot].encoder.timestamp))
            samples.removeAllChunks(slot)
            deletions.remove(slot)
            metadata.remove(slot)
        }
        metadata.finishRemovals()
        restart.expiries.note(gone)
        try labels.remove(dropped)
        samples.series.remove(dropped)
        return slots.count
    }
}

/// Some series of a head with all that it has of them.
private struct HeadSeriesCut: SeriesCut {
    let head: Head
    /// In label order.
    let members: [SelectedSeries]
    let range: TimeRange

    func source(_ range: TimeRange) -> any BlockSource {
        HeadBlockSource(head: head, range: range, members: members)
    }

    func release() throws(StorageError) -> Int { try head.release(self) }
}
