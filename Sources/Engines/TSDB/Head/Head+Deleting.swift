// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import ChunkEncoding
internal import Instrumentation
package import Model
internal import Platform
package import Storage

extension Head {
    /// Deletes the samples in a closed range of the series that fulfil the matchers. Samples that
    /// come later are not touched, whatever their time. In the log before it is visible.
    package func delete(
        _ range: TimeRange, _ matchers: [Matcher]
    ) throws(StorageError) {
        try store.withLock { (store) throws(StorageError) in try store.delete(range, matchers) }
    }
}

extension HeadStore {
    fileprivate func delete(
        _ range: TimeRange, _ matchers: [Matcher]
    ) throws(StorageError) {
        guard let log else { throw StorageError(.unavailable, "the head is read-only") }
        guard range.start <= range.end, overlaps(range) || outOfOrder.overlaps(range) else {
            return
        }
        var deleted: [(slot: UInt32, range: TimeRange)] = []
        labels.slots(matchers).forEach { slot in
            guard let held = timeRange(of: slot) else { return }
            let start = max(range.start, held.start)
            let end = min(range.end, held.end)
            if start <= end { deleted.append((slot, TimeRange(start: start, end: end))) }
        }
        guard !deleted.isEmpty else { return }
        try logTombstones(deleted, log)
        for (slot, range) in deleted { deletions.add(range, to: slot) }
    }

    /// Writes to the log what is deleted of the series of slots.
    func logTombstones(
        _ deleted: [(slot: UInt32, range: TimeRange)], _ log: WALWriter
    ) throws(StorageError) {
        do {
            var record = TombstoneRecord()
            for (slot, range) in deleted {
                record.append(samples.series.refs[slot], range)
                if record.count == TombstoneRecord.countLimit {
                    try log.add(record.writer.bytes.raw)
                    record.removeAll()
                }
            }
            if !record.isEmpty { try log.add(record.writer.bytes.raw) }
            try log.write()
        } catch {
            log.discard()
            metrics.walWritesFailed.increment()
            throw StorageError(.inputOutput, "write to WAL: \(error)")
        }
    }

    /// From the oldest to the newest sample of a series, late ones included.
    private func timeRange(of slot: UInt32) -> TimeRange? {
        let late = outOfOrder[slot]?.range
        let state = samples.series.states[slot]
        guard state.hasSamples, let first = samples.firstTimestamp(slot) else { return late }
        let start = max(first, bounds.minTime)
        guard start <= state.encoder.timestamp else { return late }
        return TimeRange(start: start, end: state.encoder.timestamp).union(late)
    }
}
