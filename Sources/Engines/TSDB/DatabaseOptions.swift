// SPDX-License-Identifier: Apache-2.0

package import ChunkEncoding
package import Instrumentation
package import Model
package import Platform
internal import Storage

/// How a database keeps its data.
package struct DatabaseOptions: Sendable {
    /// The span of the blocks that are cut from the head.
    package var blockRange: Milliseconds = 2 * 3_600_000
    /// The span that merged blocks do not exceed; nil chooses a tenth of the retention time that it
    /// begins with.
    package var largestBlockRange: Milliseconds?
    /// What the process may hold in memory; nil for no limit. Near it the head is cut early and
    /// lets series that ended go; at it, no series are created.
    package var memory: MemoryBudget?
    /// Bounds how much of its files stays mapped; nil where nothing does but `maintain`.
    package var filePages: FilePages?
    /// Whether start timestamps are kept. Floats must be XOR2 then, at all times.
    package var storesStarts = false
    /// Whether new chunks of histograms have room for start timestamps.
    package var hasHistogramStarts = false
    /// Whether a zero is stored at the start timestamp of a float, where that comes in order.
    package var ingestsZeros = false
    /// Called from a commit, once until the next `maintain`, when the head is due to be cut
    /// or memory is short.
    package var onMaintenanceDue: (@Sendable () -> Void)?
    /// What it begins with of what may change later.
    package var settings = DatabaseSettings()

    package init() {}
}

/// What may change while a database is open.
package struct DatabaseSettings: Sendable, Hashable {
    package var retention = RetentionSettings()
    /// How many exemplars are kept, in memory; none for zero.
    package var maxExemplars = 0
    /// How much older than the newest sample a sample may be and still be stored; none for zero.
    package var outOfOrderWindow: Milliseconds = 0
    /// From which share of stale series on, of one, these leave the head early; zero for never.
    package var staleSeriesThreshold = 0.0
    /// How blocks that are merged of others hold their floats. Those that are cut from the head are
    /// always such that Prometheus can read them.
    package var blockEncoding = BlockEncoding.xor
    /// How new chunks of floats are written.
    package var floatEncoding = FloatEncoding.xor

    package init() {}

    /// Refuses what cannot be together, in upstream's words.
    func check(storesStarts: Bool) throws(StorageError) {
        guard storesStarts, floatEncoding == .xor else { return }
        throw StorageError(
            .unsupported,
            "float chunk encoding \"xor\" is incompatible with start-timestamp storage; XOR chunks "
                + "do not store start timestamps, use \"xor2\"")
    }
}

/// What a database stands on.
package struct DatabaseEnvironment: Sendable {
    package var fileSystem: any FileSystem
    package var registry: Registry
    package var log: Logger
    /// Wall-clock time, for the names of blocks and snapshots.
    package var now: @Sendable () -> Timestamp
    /// How many bytes the file system of a path has in all; nil where that is unknown.
    package var diskSize: @Sendable (String) -> Int? = { try? DiskStatistics(at: $0).total }
    /// For the names of blocks and snapshots.
    package var randomNumber: @Sendable () -> UInt64

    package init(
        fileSystem: any FileSystem = LocalFileSystem(), registry: Registry = Registry(),
        log: Logger = .silent, now: @escaping @Sendable () -> Timestamp = currentMilliseconds,
        randomNumber: @escaping @Sendable () -> UInt64 = { UInt64.random(in: 0...UInt64.max) }
    ) {
        self.fileSystem = fileSystem
        self.registry = registry
        self.log = log
        self.now = now
        self.randomNumber = randomNumber
    }

    /// A new name for a block.
    func newID() -> ULID {
        ULID(milliseconds: now(), high: randomNumber(), low: randomNumber())
    }
}
