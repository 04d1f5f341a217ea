// SPDX-License-Identifier: Apache-2.0

package import Instrumentation
package import Model
package import Platform
package import Storage

/// The live part of the TSDB: it takes samples, logs them, keeps the youngest in memory and answers
/// queries about them. Any thread may use it. See docs/decisions/0003-head.md.
package final class Head: Sendable {
    let directory: String
    let options: HeadOptions
    let fileSystem: any FileSystem
    let metrics: HeadMetrics
    let store: GuardedStore
    /// Reads the labels of selected series without the lock of `store`.
    let labels: LabelReader
    let exemplars: ExemplarStore
    let leases = Monitor(OpenQueriers())
    let snapshots: SnapshotKeeper
    private let writer: BackgroundWriter?
    /// Why the folder is served read-only: it holds what is not stored yet. Nil where it is not.
    package let foreignData: String?

    /// Opens the head of a data folder: reads its snapshot and the log behind it, or the head chunk
    /// files, the newest checkpoint and the whole log. Samples before `minValidTime` (the end of
    /// the last block) are not taken, now or later.
    ///
    /// Damage in head chunk files and segments is repaired as upstream does it, counted and logged;
    /// damage in a checkpoint is an error.
    package static func open(
        _ directory: String, _ options: HeadOptions, minValidTime: Timestamp,
        _ fileSystem: any FileSystem, _ registry: Registry
    ) throws(StorageError) -> Head {
        let metrics = HeadMetrics(registry)
        let exemplars = ExemplarStore(
            capacity: options.maxExemplars, outOfOrderWindow: options.outOfOrderWindow, registry)
        let (store, found, tail) = try Replay.start(
            directory, options, minValidTime: minValidTime, exemplars, metrics, fileSystem)
        let foreignData = store.restart.foreignData
        let guarded = GuardedStore(store)
        let snapshots = SnapshotKeeper(
            directory, guarded, options, metrics, fileSystem, found: found, tail: tail)
        var writer: BackgroundWriter?
        if foreignData == nil, options.writesInBackground {
            do {
                writer = try BackgroundWriter(guarded, fileSystem, snapshots, options.log)
            } catch {
                throw StorageError(.inputOutput, error.description)
            }
        }
        let head = Head(
            directory, guarded, options, metrics, snapshots, fileSystem, writer, foreignData)
        expose(guarded, registry)
        return head
    }

    private init(
        _ directory: String, _ store: GuardedStore, _ options: HeadOptions,
        _ metrics: HeadMetrics, _ snapshots: SnapshotKeeper, _ fileSystem: any FileSystem,
        _ writer: BackgroundWriter?, _ foreignData: String?
    ) {
        self.directory = directory
        self.options = options
        self.metrics = metrics
        self.snapshots = snapshots
        self.fileSystem = fileSystem
        self.store = store
        (labels, exemplars) = store.withLock { ($0.labels.reader, $0.exemplars) }
        self.writer = writer
        self.foreignData = foreignData
    }

    private static func expose(_ store: GuardedStore, _ registry: Registry) {
        func gauge(
            _ name: String, _ help: String, _ value: @escaping @Sendable (HeadStore) -> Double
        ) {
            registry.computed("prometheus_tsdb_" + name, help) { store.withLock { value($0) } }
        }
        gauge("head_series", "Total number of series in the head block.") {
            Double($0.labels.seriesCount)
        }
        registry.computed(
            "prometheus_tsdb_head_stale_series", "Total number of stale series in the head block."
        ) { Double(store.staleSeriesCount) }
        gauge(
            "head_native_histogram_series", "Total number of native histogram series in the head."
        ) { Double($0.samples.lanes.count) }
        gauge(
            "head_native_histogram_buckets",
            "Total number of buckets of the native histogram series in the head."
        ) { Double($0.samples.lanes.bucketCount) }
        gauge("head_chunks", "Total number of chunks in the head block.") { Double($0.chunkCount) }
        gauge(
            "head_min_time",
            "Minimum time bound of the head block. The unit is decided by the "
                + "library consumer."
        ) { Double($0.bounds.minTime) }
        gauge(
            "head_max_time",
            "Maximum timestamp of the head block. The unit is decided by the "
                + "library consumer."
        ) { Double($0.bounds.maxTime) }
        gauge("wal_segment_current", "Write log segment index that TSDB is currently writing to.") {
            Double($0.log?.segment ?? 0)
        }
    }

    /// The times of the oldest and the newest sample; nil while the head is empty.
    package var timeRange: TimeRange? {
        store.withLock { store in
            guard !store.bounds.isEmpty else { return nil }
            return TimeRange(start: store.bounds.minTime, end: store.bounds.maxTime)
        }
    }

    /// Takes a snapshot of the head for the next start, unless a truncation is under way. It takes
    /// them by itself, too. A failure is logged and counted.
    package func takeSnapshot() { snapshots.takeNow() }

    /// The times between which there are late samples; nil for none.
    package var outOfOrderRange: TimeRange? { store.withLock { $0.outOfOrder.range } }

    package var reusableByteCount: Int { store.withLock { $0.samples.reusableByteCount } }

    package var seriesCount: Int { store.withLock { $0.labels.seriesCount } }

    /// Syncs the log to the device and writes out full chunks: what the head's own thread does once
    /// a second. All that was committed before survives a power cut once this returned.
    package func writePending() throws(FileError) {
        try BackgroundWriter.work(store, fileSystem)
    }

    /// Writes and syncs what is left to write. The head takes nothing after that.
    package func close() throws(StorageError) {
        writer?.stop()
        if foreignData == nil { snapshots.end() }
        do {
            try store.withLock { (store) throws(FileError) in
                guard let log = store.log else { return }
                store.log = nil
                try store.files.close()
                try log.close()
                try store.outOfOrder.closeLog()
            }
        } catch {
            throw StorageError(.inputOutput, "close the head: \(error)")
        }
    }
}

extension Head {
    /// Goes on with other settings, from now on; with those it had where it throws.
    package func apply(_ settings: DatabaseSettings) throws(StorageError) {
        do {
            try store.withLock { (store) throws(FileError) in
                guard store.log != nil else { return }
                store.samples.floatEncoding = settings.floatEncoding
                try store.outOfOrder.setWindow(
                    settings.outOfOrderWindow, directory, options, fileSystem)
            }
        } catch {
            throw StorageError(.inputOutput, "create WBL: \(error)")
        }
        exemplars.resize(to: settings.maxExemplars)
        exemplars.setOutOfOrderWindow(settings.outOfOrderWindow)
    }

    package func resolve(_ labels: [Labels]) throws(StorageError) -> [SeriesRef] {
        try store.withLock { (store) throws(StorageError) in try store.resolve(labels) }
    }

    package func commit(
        _ batch: borrowing SampleBatch, _ policy: FaultPolicy
    ) throws(StorageError) -> CommitOutcome {
        let batch = copy batch
        return try store.withLock { (store) throws(StorageError) in
            try store.commitZeros(before: batch)
            return try store.commit(batch, policy)
        }
    }
}
