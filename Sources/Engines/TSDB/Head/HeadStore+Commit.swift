// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import ChunkEncoding
internal import Instrumentation
internal import Model
internal import Platform
internal import Storage

/// The samples of a batch that are taken, per series as far as that is needed: a batch may hold
/// several samples of a series, which must be in order among themselves.
private struct Predecessors {
    private var lastSlot: UInt32?
    private var last = Sample(timestamp: 0, value: 0)
    private var highestSlot: UInt32 = 0
    /// Filled where slots do not come in ascending order.
    private var bySlot: [UInt32: Sample]?

    /// The sample that a series will have as its last one by now, where it is from this batch.
    mutating func last(of slot: UInt32, _ taken: () -> [(UInt32, Sample)]) -> Sample? {
        if slot == lastSlot { return last }
        guard lastSlot != nil, slot <= highestSlot else { return nil }
        if bySlot == nil {
            bySlot = [:]
            for (slot, sample) in taken() { bySlot![slot] = sample }
        }
        return bySlot![slot]
    }

    @inline(__always)
    mutating func note(_ slot: UInt32, _ timestamp: Timestamp, _ value: Double) {
        lastSlot = slot
        last = Sample(timestamp: timestamp, value: value)
        highestSlot = max(highestSlot, slot)
        if bySlot != nil { bySlot![slot] = last }
    }
}

extension HeadStore {
    /// Checks, logs and appends a batch (docs/decisions/0003-head.md).
    func commit(_ batch: SampleBatch, _ policy: FaultPolicy) throws(StorageError) -> CommitOutcome {
        guard log != nil else { throw StorageError(.unavailable, "the head is read-only") }
        precondition(
            batch.values.count == batch.count
                && (batch.timestamps.isEmpty || batch.timestamps.count == batch.count),
            "the columns of a batch are of one length")
        var outcome = samples.check(batch, bounds, options.blockRange, &writing)
        if policy == .allOrNothing, !outcome.faults.isEmpty {
            count(outcome)
            outcome.stored = 0
            return outcome
        }
        count(outcome)
        try write()
        samples.append(batch, writing.accepted, &bounds)
        metrics.samplesAppended.increment(by: Double(writing.accepted.count))
        return outcome
    }

    private func count(_ outcome: CommitOutcome) {
        for (_, fault) in outcome.faults {
            switch fault {
            case .outOfOrder: metrics.outOfOrder.increment()
            case .outOfBounds, .tooOld: metrics.outOfBounds.increment()
            case .duplicate, .staleRef: break
            }
        }
    }

    /// Makes sure that appending cannot fail, then logs: new series, then samples, in one write.
    private func write() throws(StorageError) {
        guard !writing.accepted.isEmpty, let log else { return }
        // An append takes two pieces at most: the rest of a sample, or a new chunk.
        try samples.pieces.reserve(2 * writing.accepted.count)
        try samples.series.reserveChunks(writing.accepted.count)
        do {
            if !writing.newSeries.isEmpty { try log.add(writing.newSeries.writer.bytes.raw) }
            try log.add(writing.samples.bytes)
            try log.write()
        } catch {
            log.discard()
            metrics.walWritesFailed.increment()
            throw StorageError(.inputOutput, "write to WAL: \(error)")
        }
        writing.newSeries.removeAll()
    }

    /// Logs the new series by themselves. Where that fails they wait for the next commit.
    func logNewSeries() {
        guard let log else { return }
        do {
            try log.add(writing.newSeries.writer.bytes.raw)
            try log.write()
            writing.newSeries.removeAll()
        } catch {
            log.discard()
            metrics.walWritesFailed.increment()
        }
    }
}

extension SampleStore {
    /// Fills `writing.accepted` and the record of the samples to be taken.
    fileprivate mutating func check(
        _ batch: SampleBatch, _ bounds: HeadBounds, _ blockRange: Milliseconds,
        _ writing: inout CommitBuffers
    ) -> CommitOutcome {
        var outcome = CommitOutcome()
        writing.accepted.removeAll(keepingCapacity: true)
        writing.samples.removeAll()
        let hasOwnTimes = !batch.timestamps.isEmpty
        var predecessors = Predecessors()
        var accepted = writing.accepted
        writing.accepted = []
        accepted.reserveCapacity(batch.count)
        var lowerBound: Timestamp?
        for index in 0..<batch.count {
            let ref = batch.refs[index]
            let time = hasOwnTimes ? batch.timestamps[index] : batch.sharedTimestamp
            let value = batch.values[index]
            guard series.isCurrent(ref) else {
                outcome.faults.append((index, .staleRef))
                continue
            }
            let bound = lowerBound ?? bounds.lowerBound(time, blockRange)
            lowerBound = bound
            guard time >= bound else {
                outcome.faults.append((index, .outOfBounds))
                continue
            }
            let state = unsafe series.states.pointer(Int(ref.slot))
            var hasLast = unsafe state.pointee.hasSamples
            var lastTime = unsafe state.pointee.encoder.timestamp
            var lastValue = unsafe state.pointee.encoder.value
            let before = predecessors.last(of: ref.slot) {
                accepted.map { taken in
                    let time = hasOwnTimes ? batch.timestamps[taken] : batch.sharedTimestamp
                    let sample = Sample(timestamp: time, value: batch.values[taken])
                    return (batch.refs[taken].slot, sample)
                }
            }
            if let before {
                hasLast = true
                lastTime = before.timestamp
                lastValue = before.value
            }
            if hasLast, time <= lastTime {
                if time < lastTime {
                    outcome.faults.append((index, .outOfOrder))
                } else if value.bitPattern == lastValue.bitPattern {
                    outcome.stored += 1
                } else {
                    outcome.faults.append((index, .duplicate))
                }
                continue
            }
            predecessors.note(ref.slot, time, value)
            accepted.append(index)
            writing.samples.append(series.refs[ref.slot], time, value.bitPattern)
        }
        outcome.stored += accepted.count
        writing.accepted = accepted
        return outcome
    }

    /// Appends what was accepted of a batch.
    fileprivate mutating func append(
        _ batch: SampleBatch, _ accepted: [Int], _ bounds: inout HeadBounds
    ) {
        guard !accepted.isEmpty else { return }
        guard !batch.timestamps.isEmpty else {
            bounds.include(batch.sharedTimestamp)
            for index in accepted {
                append(Int(batch.refs[index].slot), batch.sharedTimestamp, batch.values[index])
            }
            return
        }
        for index in accepted {
            bounds.include(batch.timestamps[index])
            append(Int(batch.refs[index].slot), batch.timestamps[index], batch.values[index])
        }
    }
}
