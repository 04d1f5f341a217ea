// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import Instrumentation
package import Model
internal import Platform
package import Storage

/// What is known about the series of the head: the newest that the log says of each.
///
/// Series of one family share their texts. Owned by the head and touched under its lock.
struct HeadMetadata {
    private var bySlot: [UInt32: Metadata] = [:]
    /// One instance of each, so that equal texts are kept once.
    private var shared: Set<Metadata> = []

    var isEmpty: Bool { bySlot.isEmpty }

    subscript(slot: UInt32) -> Metadata? { bySlot[slot] }

    mutating func set(_ metadata: Metadata, _ slot: UInt32) {
        bySlot[slot] = shared.insert(metadata).memberAfterInsert
    }

    /// Forgets a series that left the head.
    mutating func remove(_ slot: UInt32) {
        if !bySlot.isEmpty { bySlot[slot] = nil }
    }

    /// Forgets texts that no series has any more; after a row of removals.
    mutating func finishRemovals() {
        if !shared.isEmpty { shared = Set(bySlot.values) }
    }

    var slots: [UInt32] { bySlot.keys.sorted() }
}

extension Head {
    /// The newest that was said about a series; nil where that is nothing, or the series is gone.
    package func metadata(of ref: SeriesRef) -> Metadata? {
        store.withLock { store in
            store.samples.series.isCurrent(ref) ? store.metadata[ref.slot] : nil
        }
    }
}

extension HeadStore {
    /// Logs what is new of a batch's metadata, then remembers it.
    func commitMetadata(_ batch: SampleBatch) throws(StorageError) {
        guard !batch.metadata.isEmpty, let log else { return }
        var changed: [(slot: UInt32, metadata: Metadata)] = []
        var record = MetadataRecord()
        for entry in batch.metadata where samples.series.isCurrent(entry.ref) {
            let slot = entry.ref.slot
            guard entry.metadata != Metadata(), metadata[slot] != entry.metadata else { continue }
            changed.append((slot, entry.metadata))
            record.append(LoggedMetadata(ref: samples.series.refs[slot], entry.metadata))
        }
        guard !changed.isEmpty else { return }
        do {
            // The record of a series comes before what is said about it.
            if !writing.newSeries.isEmpty { try log.add(writing.newSeries.writer.bytes.raw) }
            try log.add(record.writer.bytes.raw)
            try log.write()
        } catch {
            log.discard()
            metrics.walWritesFailed.increment()
            throw StorageError(.inputOutput, "write to WAL: log metadata: \(error)")
        }
        writing.newSeries.removeAll()
        for (slot, entry) in changed { metadata.set(entry, slot) }
    }

    /// Records of the metadata of some series, those alone that were created before a ref.
    func snapshotMetadata(_ slots: ArraySlice<UInt32>, before nextRef: UInt64) -> [UInt8] {
        var record = MetadataRecord()
        for slot in slots {
            guard labels.has(slot), let entry = metadata[slot] else { continue }
            let ref = samples.series.refs[slot]
            if ref < nextRef { record.append(LoggedMetadata(ref: ref, entry)) }
        }
        return record.isEmpty ? [] : record.writer.bytes
    }
}
