// SPDX-License-Identifier: Apache-2.0

package import ChunkEncoding
package import Instrumentation
package import Model

/// What can be set about a head.
package struct HeadOptions: Sendable {
    /// The length of the blocks that are cut from the head; chunks do not reach across their
    /// borders.
    package var blockRange: Milliseconds = 2 * 3_600_000
    /// How many samples a chunk is meant to have.
    package var samplesPerChunk = 120
    package var compression = WALCompression.snappy
    /// A multiple of 32 KiB.
    package var segmentSize = 128 << 20
    /// How much the log must have grown, in bytes, before another snapshot of the head is thought
    /// of; `Int.max` for never.
    package var snapshotTail = 1 << 20
    /// A thread of the head writes out and syncs once a second. Without it that is up to who calls
    /// `Head.writePending`.
    package var writesInBackground = true
    /// How many exemplars are kept; none for zero.
    package var maxExemplars = 0
    /// How much older than the newest sample of the head a sample may be; none for zero.
    package var outOfOrderWindow: Milliseconds = 0
    /// How chunks of floats are written.
    package var floatEncoding = FloatEncoding.xor
    /// Whether start timestamps are logged and kept in chunks; floats are XOR2 then.
    package var storesStarts = false
    /// Whether chunks of histograms have room for start timestamps.
    package var hasHistogramStarts = false
    /// Whether a zero is stored at the start timestamp of a float, where that comes in order.
    package var ingestsZeros = false
    /// At it, no series are created; nil for no limit.
    package var memory: MemoryBudget?
    /// Told when series are read from files; nil for nobody.
    package var filePages: FilePages?
    /// Told what an operator should know: damage that was repaired, writes that failed.
    package var log = Logger.silent

    package init() {}
}

/// The figures of the head under upstream's names.
struct HeadMetrics: Sendable {
    let samplesAppended: Counter
    let outOfOrder: Counter
    let outOfBounds: Counter
    let histogramsAppended: Counter
    let histogramsOutOfOrder: Counter
    let histogramsOutOfBounds: Counter
    let tooOld: Counter
    let histogramsTooOld: Counter
    let lateAppended: Counter
    let lateHistogramsAppended: Counter
    let lateness: Distribution
    let seriesCreated: Counter
    let seriesRefused: Counter
    let seriesRemoved: Counter
    let chunksCreated: Counter
    let walCorruptions: Counter
    let chunkCorruptions: Counter
    let walWritesFailed: Counter
    let checkpointsCreated: Counter
    let checkpointsFailed: Counter
    let truncations: Counter
    let snapshotsWritten: Counter
    let snapshotsFailed: Counter
    let snapshotBytes: Counter

    init(_ registry: Registry) {
        let float = Labels([Label("type", "float")])
        let histogram = Labels([Label("type", "histogram")])
        func counter(_ name: String, _ help: String, _ labels: Labels = .empty) -> Counter {
            registry.counter("prometheus_tsdb_" + name, help, labels)
        }
        let appended = "Total number of appended samples."
        let outOfOrderText =
            "Total number of out of order samples ingestion failed attempts due to out of order "
            + "being disabled."
        let outOfBoundsText =
            "Total number of out of bound samples ingestion failed attempts with out of order "
            + "support disabled."
        samplesAppended = counter("head_samples_appended_total", appended, float)
        histogramsAppended = counter("head_samples_appended_total", appended, histogram)
        outOfOrder = counter("out_of_order_samples_total", outOfOrderText, float)
        histogramsOutOfOrder = counter("out_of_order_samples_total", outOfOrderText, histogram)
        outOfBounds = counter("out_of_bound_samples_total", outOfBoundsText, float)
        histogramsOutOfBounds = counter("out_of_bound_samples_total", outOfBoundsText, histogram)
        let tooOldText =
            "Total number of out of order samples ingestion failed attempts with out of support "
            + "enabled, but sample outside of time window."
        tooOld = counter("too_old_samples_total", tooOldText, float)
        histogramsTooOld = counter("too_old_samples_total", tooOldText, histogram)
        let late = "head_out_of_order_samples_appended_total"
        let lateText = "Total number of appended out of order samples."
        lateAppended = counter(late, lateText, float)
        lateHistogramsAppended = counter(late, lateText, histogram)
        lateness = registry.distribution(
            "prometheus_tsdb_sample_ooo_delta",
            "Delta in seconds by which a sample is considered out of order (reported regardless of "
                + "OOO time window and whether sample is accepted or not).",
            bounds: [10, 30, 60, 120, 180, 360, 720].map { $0 * 60 })
        seriesCreated = counter(
            "head_series_created_total", "Total number of series created in the head")
        seriesRefused = registry.counter(
            "narthex_head_series_refused_total",
            "Requests for series that were not created since the memory budget was used up.")
        seriesRemoved = counter(
            "head_series_removed_total", "Total number of series removed in the head")
        chunksCreated = counter(
            "head_chunks_created_total", "Total number of chunks created in the head")
        walCorruptions = counter("wal_corruptions_total", "Total number of WAL corruptions.")
        chunkCorruptions = counter(
            "mmap_chunk_corruptions_total", "Total number of memory-mapped chunk corruptions.")
        walWritesFailed = counter(
            "wal_writes_failed_total", "Total number of write log writes that failed.")
        checkpointsCreated = counter(
            "checkpoint_creations_total", "Total number of checkpoint creations attempted.")
        checkpointsFailed = counter(
            "checkpoint_creations_failed_total",
            "Total number of checkpoint creations that failed.")
        truncations = counter(
            "head_truncations_total", "Total number of head truncations attempted.")
        snapshotsWritten = registry.counter(
            "narthex_head_snapshots_total", "Snapshots of the head that were written.")
        snapshotsFailed = registry.counter(
            "narthex_head_snapshots_failed_total",
            "Snapshots of the head that could not be written.")
        snapshotBytes = registry.counter(
            "narthex_head_snapshot_bytes_total", "Bytes of the snapshots that were written.")
    }
}
