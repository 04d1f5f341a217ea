// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import ChunkEncoding
internal import Instrumentation
internal import Model
internal import Platform
internal import Storage

/// Which times a batch may have.
struct CommitLimits {
    /// Samples from here on may be in order.
    let lowerBound: Timestamp
    /// The newest sample of the head; of an empty one, the first of the batch.
    let newest: Timestamp
    /// Zero where nothing may come late.
    let window: Milliseconds

    init(
        _ batch: SampleBatch, _ bounds: HeadBounds, _ blockRange: Milliseconds,
        _ window: Milliseconds
    ) {
        let first =
            batch.firstTimestamp ?? batch.histograms.first?.timestamp ?? batch.sharedTimestamp
        lowerBound = bounds.lowerBound(first, blockRange)
        newest = bounds.isEmpty ? first : bounds.maxTime
        self.window = window
    }

    func mayBeLate(_ timestamp: Timestamp) -> Bool {
        let (bound, isOverflow) = newest.subtractingReportingOverflow(window)
        return window > 0 && (isOverflow || timestamp >= bound)
    }

    /// How many seconds a sample of the batch is older than the newest one of the head.
    func lateness(_ index: Int, _ batch: SampleBatch) -> Double {
        lateness(batch.timestamp(index))
    }

    func lateness(_ timestamp: Timestamp) -> Double {
        (Double(newest) - Double(timestamp)) / 1000
    }

    /// What becomes of a sample that cannot be in order: nil for a late one, or its fault.
    func fault(_ timestamp: Timestamp, otherwise fault: SampleFault) -> SampleFault? {
        if mayBeLate(timestamp) { return nil }
        return window > 0 ? .tooOld : fault
    }
}

extension SampleStore {
    /// A sample that cannot be in order is stored as a late one, or is at fault; for no fault it is
    /// left out in silence.
    @inline(never)
    func judgeLate(
        _ index: Int, _ batch: SampleBatch, _ limits: CommitLimits, _ fault: SampleFault?,
        _ outcome: inout CommitOutcome, _ writing: inout CommitBuffers
    ) {
        let time = batch.timestamp(index)
        guard limits.mayBeLate(time) else {
            guard let fault else { return }
            outcome.faults.append((index, limits.window > 0 ? .tooOld : fault))
            return
        }
        writing.late.append(index)
        writing.samples.append(
            series.refs[batch.refs[index].slot], time, batch.values[index].bitPattern,
            start: batch.startTimestamp(index))
        outcome.stored += 1
    }
}

extension HeadStore {
    /// Puts the late samples of a batch in place, which are in both logs.
    func appendLate() {
        guard let late = writing.lateBatch else { return }
        writing.lateBatch = nil
        outOfOrder.adopt(late)
        metrics.samplesAppended.increment(by: Double(late.floatCount))
        metrics.lateAppended.increment(by: Double(late.floatCount))
        metrics.histogramsAppended.increment(by: Double(late.histogramCount))
        metrics.lateHistogramsAppended.increment(by: Double(late.histogramCount))
    }

    /// Observes how late the samples are that could not be in order, stored or not.
    func measureLateness(
        _ outcome: CommitOutcome, _ batch: SampleBatch, _ limits: CommitLimits
    ) {
        // One that is behind its batch may be newer than the head.
        func observe(_ lateness: Double) {
            if lateness > 0 { metrics.lateness.observe(lateness) }
        }
        for index in writing.late { observe(limits.lateness(index, batch)) }
        for (index, fault) in outcome.faults {
            guard [.outOfOrder, .outOfBounds, .tooOld].contains(fault) else { continue }
            observe(limits.lateness(index, batch))
        }
        for index in writing.histograms.late {
            observe(limits.lateness(batch.histograms[index].timestamp))
        }
    }

    /// Prepares the late samples of a batch and logs them. The series that they belong to are in
    /// the log before, which is settled.
    func writeLate(_ batch: SampleBatch, _ log: WALWriter) throws(StorageError) {
        guard let lateLog = outOfOrder.log else { return }
        var late = OutOfOrderBatch(samples.floatEncoding, storesStarts: options.storesStarts)
        for index in writing.late {
            let slot = batch.refs[index].slot
            late.insert(
                batch.timestamp(index), .float(batch.values[index]),
                start: options.storesStarts ? batch.startTimestamp(index) : 0, slot,
                ref: samples.series.refs[slot], outOfOrder, files)
        }
        for index in writing.histograms.late {
            let sample = batch.histograms[index]
            late.insert(
                sample.timestamp, .histogram(sample.value),
                start: options.storesStarts ? sample.startTimestamp : 0, sample.ref.slot,
                ref: samples.series.refs[sample.ref.slot], outOfOrder, files)
        }
        late.records.finishGroup()
        writing.lateBatch = late
        do {
            if !writing.newSeries.isEmpty {
                try log.add(writing.newSeries.writer.bytes.raw)
                try log.write()
                writing.newSeries.removeAll()
            }
            try log.settle()
            for record in late.records.finished { try lateLog.add(record.raw) }
            try lateLog.write()
        } catch {
            log.discard()
            lateLog.discard()
            writing.lateBatch = nil
            metrics.walWritesFailed.increment()
            throw StorageError(.inputOutput, "write to WBL: \(error)")
        }
    }
}
