// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import ChunkEncoding
internal import Instrumentation
internal import Model
internal import Storage

extension Replay {
    /// Enters the deletions of a record. Series that had left the head go at once: a later record
    /// may begin a series with the same labels anew.
    mutating func addDeletions(_ record: RawSpan) throws {
        var gone: [UInt64] = []
        var unknown = 0
        try forEachTombstone(in: record) { ref, range in
            store.restart.nextRef = max(store.restart.nextRef, ref &+ 1)
            if range == TombstoneRecord.wholeSeries { return gone.append(ref) }
            guard let slot = slots[ref] else {
                if range.end >= store.bounds.minValidTime { unknown += 1 }
                return
            }
            if store.samples.series.refs[slot] != ref {
                store.restart.expiries.note(ref, through: range.end)
            }
            store.deletions.add(range, to: slot)
        }
        if unknown > 0 {
            store.options.log.warn("unknown series references in WAL tombstones: \(unknown)")
        }
        try forget(gone)
    }

    /// Drops the series of some refs, and every other ref that led to them.
    private mutating func forget(_ refs: [UInt64]) throws(StorageError) {
        let found = Set(refs.compactMap { slots[$0] })
        guard !found.isEmpty else { return }
        var dropped = SlotSet(capacity: store.labels.end)
        var expiries: [(ref: UInt64, time: Timestamp)] = []
        for slot in found {
            dropped.insert(slot)
            let state = store.samples.series.states[slot]
            if state.hasSamples {
                expiries.append((store.samples.series.refs[slot], state.encoder.timestamp))
            }
            slots[store.samples.series.refs[slot]] = nil
            for ref in aliases.removeValue(forKey: slot) ?? [] {
                slots[ref] = nil
                store.restart.aliases[ref] = nil
            }
            store.samples.removeAllChunks(slot)
            store.deletions.remove(slot)
            store.metadata.remove(slot)
            store.outOfOrder[slot] = nil
        }
        store.restart.expiries.note(expiries)
        try store.labels.remove(dropped)
        store.samples.series.remove(dropped)
    }
}
