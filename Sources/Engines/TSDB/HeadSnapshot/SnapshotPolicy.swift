// SPDX-License-Identifier: Apache-2.0

/// When a snapshot is worth its bytes. Knows no clock and no file: time and figures come in.
struct SnapshotPolicy: Sendable {
    /// Below this much of the log since the last snapshot, a start is fast without another;
    /// `Int.max`: no snapshots.
    let minimumTail: Int
    /// Bytes of the log behind the newest snapshot.
    private(set) var tail = 0
    /// All bytes of the log, and of snapshots, since the start.
    private var logged = 0
    private var spent = 0
    /// Bytes of the newest snapshot.
    private var size = 0
    /// Set where no snapshot fits to the log any more.
    private var isOutdated = false
    private var quietSeconds = 0
    /// After a failure: not again before the tail is as long as this.
    private var retryTail = 0

    /// What a snapshot takes for each series at least.
    private static let seriesSize = 96
    /// While the log grows, a snapshot is taken when it has grown by this many times its size.
    private static let growth = 8
    /// A log that is quiet for so long is not replayed at the next start if that is cheap to have.
    private static let quietTime = 5

    init(minimumTail: Int) { self.minimumTail = minimumTail }

    /// What a start found: the size of the snapshot that it read, and how much of the log it
    /// replayed.
    mutating func begin(size: Int?, tail: Int) {
        if let size { self.size = size }
        self.tail = tail
        logged = tail
    }

    /// Called once a second with what was logged meanwhile. Returns whether to take a snapshot.
    mutating func tick(logged bytes: Int, seriesCount: Int) -> Bool {
        note(bytes)
        let size = max(size, seriesCount * Self.seriesSize)
        quietSeconds = bytes > 0 ? 0 : min(quietSeconds + 1, Self.quietTime)
        guard minimumTail < .max, tail >= retryTail else { return false }
        if isOutdated { return true }
        guard tail >= minimumTail else { return false }
        if tail >= Self.growth * size { return true }
        return quietSeconds == Self.quietTime && 2 * (spent + size) <= logged
    }

    /// Whether further ticks change nothing as long as nothing is logged.
    var isAtRest: Bool { minimumTail == .max || quietSeconds == Self.quietTime && !isOutdated }

    /// Whether to take one before a clean end, so that nothing has to be replayed.
    mutating func isDueAtEnd(logged bytes: Int) -> Bool {
        note(bytes)
        return minimumTail < .max && (tail >= minimumTail || isOutdated)
    }

    private mutating func note(_ bytes: Int) {
        tail += bytes
        logged += bytes
    }

    /// A snapshot of `size` bytes was taken.
    mutating func taken(size: Int) {
        self.size = size
        spent += size
        tail = 0
        retryTail = 0
        isOutdated = false
    }

    /// A snapshot could not be taken.
    mutating func failed() { retryTail = tail + max(min(minimumTail, 1 << 30), size) }

    /// The log was rewritten: the newest snapshot does not fit to it any more.
    mutating func outdate() { isOutdated = true }
}
