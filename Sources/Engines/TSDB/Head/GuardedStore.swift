// SPDX-License-Identifier: Apache-2.0

internal import Platform
internal import Storage

/// The head's state behind its lock. Of its own, so that the background writer can hold it without
/// holding the head.
///
/// The lock is one that sleeps at once: with many more queries than processors its holder is often
/// not running, and those who spin for it take the very time that the holder needs.
final class GuardedStore: Sendable {
    private let state: Monitor<HeadStore>

    init(_ store: sending HeadStore) { state = Monitor(store) }

    /// Runs `body` under the lock. Short, and never under another lock of the head but
    /// `truncation`.
    @inline(__always)
    func withLock<Result: Sendable, Failure: Error>(
        _ body: (HeadStore) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try state.withLock { (store) throws(Failure) in try body(store) }
    }
}
