// SPDX-License-Identifier: Apache-2.0

internal import ChunkEncoding
internal import Instrumentation
internal import Model
internal import Storage

/// A histogram that a commit takes.
struct AcceptedHistogram {
    var slot: UInt32
    var timestamp: Timestamp
    var value: HistogramValue
    var start: Timestamp
}

/// The histograms that a commit takes, and their records.
struct HistogramBuffers {
    private(set) var accepted: [AcceptedHistogram] = []
    /// Markers among the floats that end series of histograms, and their records. They come before
    /// all floats that the batch has of their series.
    private(set) var markers: [AcceptedHistogram] = []
    var markerRecords: HistogramRecords
    /// Positions in the batch of those that come late.
    private(set) var late: [Int] = []
    var records: HistogramRecords
    /// The newest time that the batch brings each series that has histograms in it. Only where
    /// samples may come late.
    private var newest: [UInt32: Timestamp] = [:]

    init(storesStarts: Bool) {
        records = HistogramRecords(storesStarts: storesStarts)
        markerRecords = records
    }

    /// How many are to be appended.
    var count: Int { accepted.count + markers.count }

    mutating func removeAll() {
        if !markers.isEmpty {
            markers.removeAll()
            markerRecords.removeAll()
        }
        if accepted.isEmpty, late.isEmpty { return }
        late.removeAll()
        accepted.removeAll(keepingCapacity: accepted.capacity < 1 << 12)
        records.removeAll()
    }

    /// Notes what is accepted so far of the series that have histograms in the batch.
    mutating func noteNewest(_ batch: SampleBatch, _ floats: AcceptedSamples) {
        newest.removeAll(keepingCapacity: newest.capacity < 1 << 12)
        let time = batch.sharedTimestamp
        // Where all samples are of one time none is older than another.
        if batch.timestamps.isEmpty, batch.histograms.allSatisfy({ $0.timestamp == time }) {
            return
        }
        for sample in batch.histograms { newest[sample.ref.slot] = .min }
        if newest.isEmpty { return }
        floats.forEach { note(batch.refs[$0].slot, batch.timestamp($0)) }
        for marker in markers { note(marker.slot, marker.timestamp) }
    }

    private mutating func note(_ slot: UInt32, _ timestamp: Timestamp) {
        guard !newest.isEmpty, let known = newest[slot] else { return }
        newest[slot] = max(known, timestamp)
    }

    /// Whether the batch brings the series a newer sample before this one.
    func isBehind(_ slot: UInt32, _ timestamp: Timestamp) -> Bool {
        guard !newest.isEmpty, let known = newest[slot] else { return false }
        return timestamp < known
    }

    mutating func append(_ sample: AcceptedHistogram, ref: UInt64) {
        records.append(ref, sample.timestamp, sample.value, start: sample.start)
        accepted.append(sample)
        note(sample.slot, sample.timestamp)
    }

    mutating func appendMarker(_ sample: AcceptedHistogram, ref: UInt64) {
        markerRecords.append(ref, sample.timestamp, sample.value, start: sample.start)
        markers.append(sample)
    }

    mutating func appendLate(_ index: Int, _ sample: AcceptedHistogram, ref: UInt64) {
        records.append(ref, sample.timestamp, sample.value, start: sample.start)
        late.append(index)
    }
}

extension HeadStore {
    /// Appends the histograms that were accepted. One that is not newer than what the same batch
    /// brought its series before, and does not come late, is left out, as upstream leaves it out.
    func appendHistograms() { appendHistograms(writing.histograms.accepted) }

    /// Appends the markers that end series of histograms, before the floats of the batch.
    func appendMarkers() { appendHistograms(writing.histograms.markers) }

    private func appendHistograms(_ accepted: [AcceptedHistogram]) {
        if accepted.isEmpty { return }
        var count = 0
        for sample in accepted {
            let state = samples.series.states[sample.slot]
            if state.hasSamples, sample.timestamp <= state.encoder.timestamp {
                metrics.histogramsOutOfOrder.increment()
                continue
            }
            bounds.include(sample.timestamp)
            samples.append(sample.slot, sample.timestamp, sample.value, start: sample.start)
            count += 1
        }
        metrics.histogramsAppended.increment(by: Double(count))
    }
}

extension SampleStore {
    /// Fills `buffers` with the histograms of a batch that are to be taken, behind what is there.
    mutating func checkHistograms(
        _ batch: SampleBatch, _ limits: CommitLimits, _ buffers: inout HistogramBuffers,
        _ floats: AcceptedSamples, _ outcome: inout CommitOutcome
    ) {
        if limits.window > 0 { buffers.noteNewest(batch, floats) }
        for (index, sample) in batch.histograms.enumerated() {
            var verdict = check(sample, limits)
            if case .taken = verdict, buffers.isBehind(sample.ref.slot, sample.timestamp),
                limits.mayBeLate(sample.timestamp)
            {
                verdict = .late
            }
            switch verdict {
            case .late:
                buffers.appendLate(
                    index,
                    AcceptedHistogram(
                        slot: sample.ref.slot, timestamp: sample.timestamp, value: sample.value,
                        start: sample.startTimestamp),
                    ref: series.refs[sample.ref.slot])
                outcome.stored += 1
            case .taken:
                buffers.append(
                    AcceptedHistogram(
                        slot: sample.ref.slot, timestamp: sample.timestamp, value: sample.value,
                        start: sample.startTimestamp),
                    ref: series.refs[sample.ref.slot])
                outcome.stored += 1
            case .known: outcome.stored += 1
            case .faulty(let fault): outcome.histogramFaults.append((index, fault))
            }
        }
    }

    private enum Verdict {
        case taken
        case late
        /// The series has the very same sample.
        case known
        case faulty(SampleFault)
    }

    private func check(_ sample: HistogramSample, _ limits: CommitLimits) -> Verdict {
        guard series.isCurrent(sample.ref) else { return .faulty(.staleRef) }
        let isEarly = sample.timestamp < limits.lowerBound
        if isEarly, limits.window == 0 { return .faulty(.outOfBounds) }
        do throws(HistogramFault) { try sample.value.validate() } catch {
            return .faulty(.invalidHistogram(error))
        }
        let state = series.states[sample.ref.slot]
        if isEarly || (state.hasSamples && sample.timestamp < state.encoder.timestamp) {
            let fault = limits.fault(sample.timestamp, otherwise: .outOfOrder)
            return fault.map { .faulty($0) } ?? .late
        }
        guard state.hasSamples, sample.timestamp == state.encoder.timestamp else { return .taken }
        // After a start the last sample of a full chunk is not at hand; then it is believed.
        guard let lane = lanes[sample.ref.slot] else { return .faulty(.duplicateHistogram) }
        guard let last = lane.last else { return .known }
        return last.hasSameData(as: sample.value) ? .known : .faulty(.duplicateHistogram)
    }

    /// What a float means for a series whose last sample is a histogram: nil where it is a float
    /// like any other.
    func verdictBesideHistogram(
        _ slot: UInt32, _ timestamp: Timestamp, _ value: Double
    ) -> FloatVerdict? {
        guard let lane = lanes[slot] else { return nil }
        let newest = series.states[slot].encoder.timestamp
        if timestamp == newest { return .faulty(.duplicateOfHistogram) }
        guard timestamp > newest, StaleMarker.isStale(value) else { return nil }
        return .marker(lane.staleMarker(value))
    }
}

enum FloatVerdict {
    case faulty(SampleFault)
    /// The series ends, and says so with a sample of its own kind.
    case marker(HistogramValue)
}
