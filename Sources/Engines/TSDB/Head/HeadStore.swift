// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import ChunkEncoding
internal import Instrumentation
internal import Model
internal import Platform
internal import Storage

/// Everything that the head's lock guards.
final class HeadStore {
    let options: HeadOptions
    let metrics: HeadMetrics
    var samples: SampleStore
    var labels: LabelIndex
    let exemplars: ExemplarStore
    var outOfOrder: OutOfOrderStore
    let files: HeadChunkFiles
    /// Nil until the log was replayed, and for good where the folder is read-only.
    var log: WALWriter?
    var bounds: HeadBounds
    var writing: CommitBuffers
    var deletions = HeadDeletions()
    var leaving = LeavingSeries()
    var metadata = HeadMetadata()
    var restart = RestartNotes()
    private var admission: SeriesAdmission
    /// Rings for the background writer, where it rests.
    var restingWriter: WriterBell?

    init(
        _ directory: String, _ options: HeadOptions, minValidTime: Timestamp,
        _ exemplars: ExemplarStore, _ metrics: HeadMetrics, _ fileSystem: any FileSystem
    ) throws(StorageError) {
        let files = HeadChunkFiles("\(directory)/chunks_head", fileSystem)
        let samples = try SampleStore(options, files, metrics.chunksCreated)
        let labels = try LabelIndex()
        self.samples = samples
        self.labels = labels
        self.exemplars = exemplars
        outOfOrder = OutOfOrderStore(window: options.outOfOrderWindow)
        self.files = files
        self.options = options
        writing = CommitBuffers(storesStarts: options.storesStarts)
        admission = SeriesAdmission(options.memory)
        self.metrics = metrics
        bounds = HeadBounds(minValidTime: minValidTime)
    }

    // MARK: The background writer

    /// Whether something is to be synced or written out.
    var hasUnwritten: Bool {
        log?.isDirty ?? false || outOfOrder.log?.isDirty ?? false
            || !files.isReadOnly && (files.waitingCount > 0 || !files.unsynced.isEmpty)
    }

    /// Called at the end of each hold of the lock.
    @inline(__always)
    func wakeWriter() {
        guard let bell = restingWriter, hasUnwritten else { return }
        restingWriter = nil
        bell.ring()
    }

    // MARK: Series

    /// The slot of the series with these packed labels, with a new ref where it is created.
    func findOrCreate(_ packed: RawSpan, ref: UInt64?) throws(StorageError) -> (UInt32, Bool) {
        let hash = xxHash64(packed)
        if let slot = labels.find(packed, hash: hash) { return (slot, false) }
        return (try create(packed, hash, ref: ref ?? restart.nextRef), true)
    }

    private func create(
        _ packed: RawSpan, _ hash: UInt64, ref: UInt64
    ) throws(StorageError) -> UInt32 {
        let slot = try samples.series.add(ref: ref)
        try labels.add(slot, packed, hash: hash)
        restart.nextRef = max(restart.nextRef, ref + 1)
        metrics.seriesCreated.increment()
        return slot
    }

    /// Whether there is memory for another series. Says in the log when that changes.
    private func admitsOne() -> Bool {
        let wasRefusing = admission.isRefusing
        let isAdmitted = admission.admitsOne { samples.reusableByteCount }
        if !isAdmitted { metrics.seriesRefused.increment() }
        if wasRefusing != admission.isRefusing {
            options.log.warn(
                wasRefusing
                    ? "New series are created again"
                    : "The memory budget is used up: no new series",
                ["series": "\(labels.seriesCount)"])
        }
        return isAdmitted
    }

    func resolve(_ sets: [Labels]) throws(StorageError) -> [SeriesRef] {
        guard log != nil else { throw StorageError(.unavailable, "the head is read-only") }
        var found: [SeriesRef] = []
        found.reserveCapacity(sets.count)
        for set in sets {
            let packed = set.packed
            let hash = xxHash64(packed.raw)
            let slot: UInt32
            if let known = labels.find(packed.raw, hash: hash) {
                slot = known
            } else if admitsOne() {
                slot = try create(packed.raw, hash, ref: restart.nextRef)
                writing.newSeries.append(samples.series.refs[slot], packed.raw)
            } else {
                found.append(.refused)
                continue
            }
            if writing.newSeries.byteCount > CommitBuffers.seriesLimit { logNewSeries() }
            found.append(SeriesRef(slot: slot, generation: samples.series.generations[slot]))
        }
        return found
    }

}

/// From when to when the head has samples, and from when it takes them.
struct HeadBounds {
    /// The end of the last block: nothing before it is taken or shown.
    var minValidTime: Timestamp
    /// Meaningless while the head is empty.
    var minTime = Timestamp.max
    var maxTime = Timestamp.min

    var isEmpty: Bool { maxTime == .min }

    mutating func include(_ timestamp: Timestamp) {
        minTime = min(minTime, timestamp)
        maxTime = max(maxTime, timestamp)
    }

    /// The earliest time that a sample may have, where `first` is the first one of a batch.
    func lowerBound(_ first: Timestamp, _ blockRange: Milliseconds) -> Timestamp {
        let newest = isEmpty ? first : maxTime
        let (bound, isOverflow) = newest.subtractingReportingOverflow(blockRange / 2)
        return max(minValidTime, isOverflow ? .min : bound)
    }
}

/// The positions in a batch of the samples that are taken: mostly all of them.
struct AcceptedSamples {
    /// So many from the beginning.
    private(set) var leading = 0
    /// And of the rest these.
    private var others: [Int] = []

    var count: Int { leading + others.count }
    var isEmpty: Bool { count == 0 }

    /// Begins anew with the first samples of a batch.
    mutating func begin(leading: Int) {
        self.leading = leading
        others.removeAll(keepingCapacity: true)
    }

    /// Adds a position behind all that are there.
    mutating func append(_ index: Int) {
        if index == leading, others.isEmpty { leading += 1 } else { others.append(index) }
    }

    @inline(__always)
    func forEach(_ body: (Int) -> Void) {
        for index in 0..<leading { body(index) }
        for index in others { body(index) }
    }
}

/// What a commit writes, kept between commits for the memory.
struct CommitBuffers {
    /// Series that were created and are not in the log yet.
    var newSeries = SeriesRecord()
    /// Larger records of new series are not kept waiting for the next commit.
    static let seriesLimit = 1 << 20
    var samples: FloatRecord
    var histograms: HistogramBuffers
    var accepted = AcceptedSamples()
    var exemplars = AcceptedExemplars()
    /// The same for samples that come late.
    var late: [Int] = []
    var lateBatch: OutOfOrderBatch?

    init(storesStarts: Bool) {
        samples = FloatRecord(storesStarts: storesStarts)
        histograms = HistogramBuffers(storesStarts: storesStarts)
    }
}

/// What the next start and the next checkpoint need to know.
struct RestartNotes {
    var nextRef: UInt64 = 1
    var expiries = RefExpiries()
    /// Further refs under which the write-behind log may have samples of a series, each with the
    /// one that the series has; empty where all of that log is of this run.
    var aliases: [UInt64: UInt64] = [:]
    var lastTruncation = Timestamp.min
    /// Up to which time the log still has what truncations let go of; nil where it has nothing.
    var logTruncation: Timestamp?
    var foreignData: String?
    /// The kinds of records that were replayed.
    var kinds = WALRecordKinds()
}
