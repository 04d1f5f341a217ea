// SPDX-License-Identifier: Apache-2.0

internal import Storage
internal import Synchronization

/// The head's state behind its lock. Of its own, so that the background writer can hold it without
/// holding the head.
final class GuardedStore: Sendable {
    private let state: Mutex<HeadStore>

    init(_ store: sending HeadStore) { state = Mutex(store) }

    /// Runs `body` under the lock. Short, and never under another lock of the head but
    /// `truncation`.
    @inline(__always)
    func withLock<Result, Failure: Error>(
        _ body: (HeadStore) throws(Failure) -> sending Result
    ) throws(Failure) -> sending Result {
        try state.withLock { (store) throws(Failure) in try body(store) }
    }
}
