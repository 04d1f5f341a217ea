// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import ChunkEncoding
internal import Instrumentation
internal import Model
internal import Platform
internal import Storage

/// What a batch that is being checked has so far: it may hold several samples of one series, which
/// must be in order among themselves.
private struct EarlierSamples {
    private(set) var lastSlot: UInt32 = .max
    private(set) var last = Sample(timestamp: 0, value: 0)
    private(set) var highestSlot: Int64 = -1
    /// Set once slots do not come in ascending order: from then on they are marked.
    var isMarking = false
    /// Filled once a series comes again behind others.
    private var bySlot: [UInt32: Sample]?

    init() {}

    init(lastSlot: UInt32, last: Sample, highestSlot: Int64, isMarking: Bool) {
        self.lastSlot = lastSlot
        self.last = last
        self.highestSlot = highestSlot
        self.isMarking = isMarking
    }

    mutating func last(
        of slot: UInt32, _ batch: SampleBatch, _ accepted: AcceptedSamples
    ) -> Sample? {
        if slot == lastSlot { return last }
        fillTable(batch, accepted)
        return bySlot?[slot]
    }

    private mutating func fillTable(_ batch: SampleBatch, _ accepted: AcceptedSamples) {
        guard bySlot == nil else { return }
        var all: [UInt32: Sample] = [:]
        accepted.forEach { index in
            all[batch.refs[index].slot] = Sample(
                timestamp: batch.timestamp(index), value: batch.values[index])
        }
        bySlot = all
    }

    /// Notes a marker, which is not among the accepted samples, so that it is found.
    mutating func noteMarker(
        _ slot: UInt32, _ marker: Sample, _ batch: SampleBatch, _ accepted: AcceptedSamples,
        mark: (UInt32) -> Void
    ) {
        fillTable(batch, accepted)
        if !isMarking { accepted.forEach { mark(batch.refs[$0].slot) } }
        isMarking = true
        mark(slot)
        note(slot, marker.timestamp, marker.value)
    }

    @inline(__always)
    mutating func note(_ slot: UInt32, _ timestamp: Timestamp, _ value: Double) {
        lastSlot = slot
        last = Sample(timestamp: timestamp, value: value)
        highestSlot = max(highestSlot, Int64(slot))
        if bySlot != nil { bySlot?[slot] = last }
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
        guard !batch.isEmpty else { return CommitOutcome() }
        try commitMetadata(batch)
        let limits = CommitLimits(batch, bounds, options.blockRange, outOfOrder.window)
        var outcome = samples.check(batch, limits, &writing)
        samples.checkHistograms(
            batch, limits, &writing.histograms, writing.accepted, &outcome)
        if policy == .allOrNothing, outcome.hasFaults {
            count(outcome, batch, limits)
            outcome.stored = 0
            return outcome
        }
        count(outcome, batch, limits)
        outcome.outOfOrderExemplars = chooseExemplars(batch, outcome)
        try write(batch)
        appendMarkers()
        samples.append(batch, writing.accepted, &bounds)
        appendHistograms()
        appendLate()
        exemplars.add(writing.exemplars.entries)
        metrics.samplesAppended.increment(by: Double(writing.accepted.count))
        return outcome
    }

    private func count(
        _ outcome: CommitOutcome, _ batch: SampleBatch, _ limits: CommitLimits
    ) {
        measureLateness(outcome, batch, limits)
        for (_, fault) in outcome.faults {
            switch fault {
            case .outOfOrder: metrics.outOfOrder.increment()
            case .outOfBounds: metrics.outOfBounds.increment()
            case .tooOld: metrics.tooOld.increment()
            case .duplicate, .duplicateOfHistogram, .duplicateHistogram, .invalidHistogram,
                .staleRef:
                break
            }
        }
        for (_, fault) in outcome.histogramFaults {
            if fault == .outOfOrder { metrics.histogramsOutOfOrder.increment() }
            if fault == .outOfBounds { metrics.histogramsOutOfBounds.increment() }
            if fault == .tooOld { metrics.histogramsTooOld.increment() }
        }
    }

    /// Makes sure that appending cannot fail, then logs, in one write: new series, samples,
    /// exemplars.
    private func write(_ batch: SampleBatch) throws(StorageError) {
        writing.lateBatch = nil
        let histogramCount = writing.histograms.count
        let hasLate = !writing.late.isEmpty || !writing.histograms.late.isEmpty
        let isEmpty =
            writing.accepted.isEmpty && histogramCount == 0 && !hasLate
            && writing.exemplars.isEmpty
        guard !isEmpty, let log else { return }
        // An append takes two pieces at most: the rest of a sample, or a new chunk.
        try samples.pieces.reserve(2 * writing.accepted.count)
        try samples.series.reserveChunks(writing.accepted.count + histogramCount)
        try samples.reserveStarts()
        if hasLate { try writeLate(batch, log) }
        do {
            if !writing.newSeries.isEmpty { try log.add(writing.newSeries.writer.bytes.raw) }
            if !writing.histograms.markers.isEmpty {
                try writing.histograms.markerRecords.forEachRecord { (record) throws(FileError) in
                    try log.add(record)
                }
            }
            if !writing.samples.isEmpty { try log.add(writing.samples.bytes) }
            try writing.histograms.records.forEachRecord { (record) throws(FileError) in
                try log.add(record)
            }
            if !writing.exemplars.isEmpty {
                try log.add(writing.exemplars.record.writer.bytes.raw)
            }
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
        _ batch: SampleBatch, _ limits: CommitLimits, _ writing: inout CommitBuffers
    ) -> CommitOutcome {
        var outcome = CommitOutcome()
        writing.samples.removeAll()
        if !writing.late.isEmpty { writing.late.removeAll(keepingCapacity: true) }
        writing.histograms.removeAll()
        var accepted = AcceptedSamples()
        swap(&accepted, &writing.accepted)
        defer { swap(&accepted, &writing.accepted) }
        let refs = batch.refs.span
        let values = batch.values.span
        let times = batch.timestamps.span
        var earlier = EarlierSamples()
        let bound = limits.lowerBound
        let hasLanes = !lanes.isEmpty
        let plainCount =
            storesStarts ? 0 : takePlain(batch, bound, &writing.samples.plain, &earlier)
        accepted.begin(leading: plainCount)
        for index in plainCount..<refs.count {
            let ref = refs[index]
            let time = times.isEmpty ? batch.sharedTimestamp : times[index]
            let value = values[index]
            guard series.isCurrent(ref) else {
                outcome.faults.append((index, .staleRef))
                continue
            }
            guard time >= bound else {
                judgeLate(index, batch, limits, .outOfBounds, &outcome, &writing)
                continue
            }
            let state = unsafe series.states.pointer(Int(ref.slot))
            var last: Sample?
            if mayHold(ref.slot, &earlier, batch, accepted) {
                last = earlier.last(of: ref.slot, batch, accepted)
            }
            if last == nil, unsafe state.pointee.hasSamples {
                if hasLanes, unsafe state.pointee.piece == 0,
                    let verdict = verdictBesideHistogram(ref.slot, time, value)
                {
                    take(verdict, index, ref.slot, batch, accepted, &earlier, &writing, &outcome)
                    continue
                }
                last = unsafe Sample(
                    timestamp: state.pointee.encoder.timestamp,
                    value: state.pointee.encoder.value)
            }
            if let last, time <= last.timestamp {
                let isNews =
                    unsafe !state.pointee.hasSamples || state.pointee.encoder.timestamp < time
                let isTolerated = isNews && batch.toleratesOlder
                if time < last.timestamp {
                    let fault: SampleFault? = isTolerated ? nil : .outOfOrder
                    judgeLate(index, batch, limits, fault, &outcome, &writing)
                } else if !isTolerated {
                    judgeRepeated(index, value, last.value, &outcome)
                }
                continue
            }
            unsafe pieces.prefetch(state.pointee.piece)
            earlier.note(ref.slot, time, value)
            if earlier.isMarking { series.mark(ref.slot) }
            accepted.append(index)
            writing.samples.append(
                series.refs[ref.slot], time, value.bitPattern, start: batch.startTimestamp(index))
        }
        if earlier.isMarking { unmark(batch, accepted, writing.histograms.markers) }
        outcome.stored += accepted.count
        return outcome
    }

    /// A sample as old as its series' last one is taken in silence where it is the same.
    private func judgeRepeated(
        _ index: Int, _ value: Double, _ existing: Double, _ outcome: inout CommitOutcome
    ) {
        if value.bitPattern == existing.bitPattern {
            outcome.stored += 1
        } else {
            outcome.faults.append((index, .duplicate(existing: existing)))
        }
    }

    /// The samples at the beginning of the batch that can be taken without a closer look, which are
    /// all of most batches: each newer than what its series has. Puts them into the record and
    /// returns how many there are.
    @inline(__always)
    private func takePlain(
        _ batch: SampleBatch, _ bound: Timestamp, _ record: inout SamplesRecord,
        _ earlier: inout EarlierSamples
    ) -> Int {
        guard lanes.isEmpty else { return 0 }
        let batchRefs = batch.refs.span
        let values = batch.values.span
        let times = batch.timestamps.span
        let shared = batch.sharedTimestamp
        let end = series.end
        // Bound: only slots below `end` are looked at.
        let states = unsafe series.states.pointer(0)
        let generations = unsafe series.generations.pointer(0)
        let refs = unsafe series.refs.pointer(0)
        var previous = (slot: -1, time: Timestamp.min)
        var highest = -1
        var isMarking = false
        let count = record.append(upTo: batchRefs.count) { index in
            let ref = batchRefs[index]
            let time = times.isEmpty ? shared : times[index]
            let slot = Int(ref.slot)
            guard slot < end, time >= bound, unsafe generations[slot] == ref.generation else {
                return nil
            }
            if slot == previous.slot {
                guard time > previous.time else { return nil }
            } else {
                if slot <= highest {
                    if !isMarking {
                        for before in 0..<index { series.mark(batchRefs[before].slot) }
                        isMarking = true
                    }
                    if series.isMarked(ref.slot) { return nil }
                }
                let state = unsafe states + slot
                guard
                    unsafe state.pointee.encoder.timestamp < time
                        || state.pointee.encoder.count == 0
                else { return nil }
                // What repeats does not touch its piece.
                if unsafe !state.pointee.encoder.isRepeated(by: time, values[index].bitPattern) {
                    unsafe pieces.prefetch(state.pointee.piece)
                }
                if isMarking { series.mark(ref.slot) }
                highest = max(highest, slot)
            }
            previous = (slot, time)
            return unsafe (refs[slot], time, values[index].bitPattern)
        }
        if count > 0 {
            earlier = EarlierSamples(
                lastSlot: UInt32(previous.slot),
                last: Sample(timestamp: previous.time, value: values[count - 1]),
                highestSlot: Int64(highest), isMarking: isMarking)
        }
        return count
    }

    /// Whether the batch may have a sample of the series already.
    @inline(__always)
    private func mayHold(
        _ slot: UInt32, _ earlier: inout EarlierSamples, _ batch: SampleBatch,
        _ accepted: AcceptedSamples
    ) -> Bool {
        if Int64(slot) > earlier.highestSlot { return false }
        if slot == earlier.lastSlot { return true }
        if !earlier.isMarking {
            accepted.forEach { series.mark(batch.refs[$0].slot) }
            earlier.isMarking = true
        }
        return series.isMarked(slot)
    }

    private func unmark(
        _ batch: SampleBatch, _ accepted: AcceptedSamples, _ markers: [AcceptedHistogram]
    ) {
        accepted.forEach { series.unmark(batch.refs[$0].slot) }
        for marker in markers { series.unmark(marker.slot) }
    }

    /// Takes a float of a series of histograms for what it means there.
    private func take(
        _ verdict: FloatVerdict, _ index: Int, _ slot: UInt32, _ batch: SampleBatch,
        _ accepted: AcceptedSamples, _ earlier: inout EarlierSamples,
        _ writing: inout CommitBuffers, _ outcome: inout CommitOutcome
    ) {
        switch verdict {
        case .faulty(let fault): outcome.faults.append((index, fault))
        case .marker(let value):
            outcome.stored += 1
            writing.histograms.appendMarker(
                AcceptedHistogram(
                    slot: slot, timestamp: batch.timestamp(index), value: value,
                    start: batch.startTimestamp(index)),
                ref: series.refs[slot])
            let marker = Sample(timestamp: batch.timestamp(index), value: batch.values[index])
            earlier.noteMarker(slot, marker, batch, accepted) { series.mark($0) }
        }
    }

    /// Appends what was accepted of a batch.
    fileprivate mutating func append(
        _ batch: SampleBatch, _ accepted: AcceptedSamples, _ bounds: inout HeadBounds
    ) {
        if accepted.isEmpty { return }
        if mayHoldXOR2 { return appendToAny(batch, accepted, &bounds) }
        let refs = batch.refs.span
        let values = batch.values.span
        let times = batch.timestamps.span
        if times.isEmpty {
            let time = batch.sharedTimestamp
            bounds.include(time)
            accepted.forEach { append(Int(refs[$0].slot), time, values[$0]) }
            return
        }
        accepted.forEach { index in
            bounds.include(times[index])
            append(Int(refs[index].slot), times[index], values[index])
        }
    }

    /// The same, where there may be chunks of XOR2.
    private mutating func appendToAny(
        _ batch: SampleBatch, _ accepted: AcceptedSamples, _ bounds: inout HeadBounds
    ) {
        let refs = batch.refs.span
        let values = batch.values.span
        accepted.forEach { index in
            let time = batch.timestamp(index)
            bounds.include(time)
            let start = storesStarts ? batch.startTimestamp(index) : 0
            appendToAny(Int(refs[index].slot), time, values[index], start: start)
        }
    }
}
