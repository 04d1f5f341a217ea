// SPDX-License-Identifier: Apache-2.0

package import Instrumentation
package import Model
package import Platform

/// How a database keeps its data.
package struct DatabaseOptions: Sendable {
    /// How long data is kept, counted back from the newest block; zero keeps it for ever.
    package var retentionTime: Milliseconds = 15 * 86_400_000
    /// How many bytes blocks, log and head chunks may occupy; zero means any number.
    package var retentionBytes = 0
    /// The span of the blocks that are cut from the head.
    package var blockRange: Milliseconds = 2 * 3_600_000
    /// The span that merged blocks do not exceed; nil chooses a tenth of the retention time.
    package var largestBlockRange: Milliseconds?
    /// Called from a commit, once until the next `maintain`, when the head is due to be cut.
    package var onMaintenanceDue: (@Sendable () -> Void)?
    /// What it begins with of what may change later.
    package var settings = DatabaseSettings()

    package init() {}
}

/// What may change while a database is open.
package struct DatabaseSettings: Sendable, Hashable {
    /// How many exemplars are kept, in memory; none for zero.
    package var maxExemplars = 0
    /// How much older than the newest sample a sample may be and still be stored; none for zero.
    package var outOfOrderWindow: Milliseconds = 0

    package init() {}
}

/// What a database stands on.
package struct DatabaseEnvironment: Sendable {
    package var fileSystem: any FileSystem
    package var registry: Registry
    package var log: Logger
    /// Wall-clock time, for the names of blocks and snapshots.
    package var now: @Sendable () -> Timestamp
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
