// SPDX-License-Identifier: Apache-2.0

package import Model

/// Names a series of a storage for as long as the storage keeps it in its head: the slot it lives
/// in and which of the slot's successive tenants is meant. A ref that has gone out of date is
/// refused by `commit`, and the caller resolves the labels anew.
package struct SeriesRef: Sendable, Hashable {
    package var slot: UInt32
    package var generation: UInt32

    package init(slot: UInt32, generation: UInt32) {
        self.slot = slot
        self.generation = generation
    }

    /// Stands for a series that was not created since memory is short. `commit` takes it for a ref
    /// that has gone out of date.
    package static let refused = SeriesRef(slot: .max, generation: .max - 1)
}

/// Something that takes samples, in batches.
package protocol Appendable: Sendable {
    /// Finds or creates the series with these labels (not empty, valid UTF-8, sorted). `refs[i]`
    /// belongs to `labels[i]`. Series that are created one after the other get neighbouring slots,
    /// so resolve them in the order in which their samples will arrive. `SeriesRef.refused` stands
    /// for those that are not created since memory is short.
    func resolve(_ labels: [Labels]) throws(StorageError) -> [SeriesRef]

    /// Makes all samples of the batch durable against a crash of the process and visible to queries
    /// at once, or, by policy, none of them.
    func commit(_ batch: borrowing SampleBatch, _ policy: FaultPolicy) throws(StorageError)
        -> CommitOutcome
}

/// What happens to a batch in which a sample cannot be stored.
package enum FaultPolicy: Sendable {
    /// The sample is left out and counted (a scrape).
    case skipFaulty
    /// Nothing of the batch is stored (remote write 1.0).
    case allOrNothing
}

/// A native histogram of a series at one time.
package struct HistogramSample: Sendable {
    package var ref: SeriesRef
    package var timestamp: Timestamp
    package var value: HistogramValue
    /// Since when it counts; 0 where that is not known.
    package var startTimestamp: Timestamp

    package init(
        _ ref: SeriesRef, _ value: HistogramValue, at timestamp: Timestamp,
        startTimestamp: Timestamp = 0
    ) {
        self.ref = ref
        self.timestamp = timestamp
        self.value = value
        self.startTimestamp = startTimestamp
    }
}

/// What an exposition says about a series.
package struct SeriesMetadata: Sendable, Hashable {
    package var ref: SeriesRef
    package var metadata: Metadata

    package init(_ ref: SeriesRef, _ metadata: Metadata) {
        self.ref = ref
        self.metadata = metadata
    }
}

/// Samples of many series that are committed together. Floats are columns; most batches have one
/// timestamp for all of them, then `timestamps` stays empty and `sharedTimestamp` counts.
/// Histograms, which are few and large, are a list of their own. Where a series has samples of both
/// kinds, the floats come first.
package struct SampleBatch: Sendable {
    package var refs: [SeriesRef] = []
    package var values: [Double] = []
    package var sharedTimestamp: Timestamp
    /// Parallel to `refs`, or empty.
    package var timestamps: [Timestamp] = []
    /// Since when each float counts, 0 where that is not known. Parallel to `refs`, or empty. A
    /// storage that keeps no start timestamps ignores them.
    package var startTimestamps: [Timestamp] = []
    package var histograms: [HistogramSample] = []
    /// A storage that keeps no exemplars ignores them.
    package var exemplars: [BatchExemplar] = []

    /// What is said about series of the storage, for a log that keeps it.
    package var metadata: [SeriesMetadata] = []

    /// A sample that is not newer than an earlier one of its series in this batch, but would be
    /// without it, is no fault where it cannot be stored.
    package var toleratesOlder = false

    package init(sharedTimestamp: Timestamp) { self.sharedTimestamp = sharedTimestamp }

    /// How many floats there are.
    package var count: Int { refs.count }
    package var isEmpty: Bool {
        refs.isEmpty && histograms.isEmpty && exemplars.isEmpty && metadata.isEmpty
    }
    /// That of the first float; nil where there is none.
    package var firstTimestamp: Timestamp? {
        refs.isEmpty ? nil : timestamps.first ?? sharedTimestamp
    }

    /// Adds samples of one series.
    package mutating func append(
        _ ref: SeriesRef, _ values: ArraySlice<Double>, at timestamps: ArraySlice<Timestamp>
    ) {
        precondition(values.count == timestamps.count, "the columns are of one length")
        for _ in values.indices { refs.append(ref) }
        self.values.append(contentsOf: values)
        self.timestamps.append(contentsOf: timestamps)
    }

    /// That of the float at a position.
    package func timestamp(_ index: Int) -> Timestamp {
        timestamps.isEmpty ? sharedTimestamp : timestamps[index]
    }

    /// That since when the float at a position counts; 0 where that is not known.
    package func startTimestamp(_ index: Int) -> Timestamp {
        startTimestamps.isEmpty ? 0 : startTimestamps[index]
    }

    /// Where all floats are of one time, makes it the shared one.
    package mutating func shareTimestamp() {
        guard let first = timestamps.first, timestamps.allSatisfy({ $0 == first }) else { return }
        sharedTimestamp = first
        timestamps.removeAll(keepingCapacity: true)
    }

    package mutating func removeAll() {
        refs.removeAll(keepingCapacity: true)
        values.removeAll(keepingCapacity: true)
        timestamps.removeAll(keepingCapacity: true)
        if !startTimestamps.isEmpty { startTimestamps.removeAll(keepingCapacity: true) }
        histograms.removeAll(keepingCapacity: true)
        if !exemplars.isEmpty { exemplars.removeAll(keepingCapacity: true) }
        if !metadata.isEmpty { metadata.removeAll() }
    }

    /// Adds a sample at the shared timestamp. Not to be mixed with `append(_:_:at:)` in one batch.
    package mutating func append(_ ref: SeriesRef, _ value: Double) {
        refs.append(ref)
        values.append(value)
    }

    package mutating func append(_ ref: SeriesRef, _ value: Double, at timestamp: Timestamp) {
        refs.append(ref)
        values.append(value)
        timestamps.append(timestamp)
    }
}

/// Why one sample was not stored.
package enum SampleFault: Sendable, Hashable {
    /// Older than the newest sample of its series.
    case outOfOrder
    /// As old as the newest sample of its series, with another value.
    case duplicate(existing: Double)
    /// A float as old as the newest sample of its series, which is a histogram.
    case duplicateOfHistogram
    /// A histogram as old as the newest sample of its series, which is another one or a float.
    case duplicateHistogram
    /// The parts of a histogram contradict each other.
    case invalidHistogram(HistogramFault)
    /// Before the time from which the head still takes samples.
    case outOfBounds
    /// Before the out-of-order window.
    case tooOld
    /// The series was dropped from the head since the ref was resolved.
    case staleRef
}

/// What became of a batch.
package struct CommitOutcome: Sendable {
    /// Samples of both kinds.
    package var stored = 0
    /// The faulty floats by position in the batch, in order.
    package var faults: [(index: Int, fault: SampleFault)] = []
    /// The faulty histograms by position in the batch's list of histograms, in order.
    package var histogramFaults: [(index: Int, fault: SampleFault)] = []

    package var hasFaults: Bool { !faults.isEmpty || !histogramFaults.isEmpty }
    /// How many exemplars were left out because they are older than others of their series.
    package var outOfOrderExemplars = 0
    package var hasStaleRef: Bool {
        faults.contains { $0.fault == .staleRef }
            || histogramFaults.contains { $0.fault == .staleRef }
    }

    package init() {}
}
