// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import Platform
internal import Storage
internal import Synchronization

/// The head's state behind its lock. Of its own, so that the background writer can hold it without
/// holding the head.
///
/// The lock is one that sleeps at once: with many more queries than processors its holder is often
/// not running, and those who spin for it take the very time that the holder needs.
final class GuardedStore: Sendable {
    private let state: Monitor<HeadStore>
    /// Held while full chunks are written out. Taken before `state`.
    private let flushing = Mutex(())

    init(_ store: sending HeadStore) { state = Monitor(store) }

    /// Runs `body` under the lock. Short, and never under another lock of the head but
    /// `truncation`.
    @inline(__always)
    func withLock<Result: Sendable, Failure: Error>(
        _ body: (HeadStore) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try state.withLock { (store) throws(Failure) in
            defer { store.wakeWriter() }
            return try body(store)
        }
    }

    /// Has the bell rung as soon as there is something to write; false where there is already.
    func rest(until bell: WriterBell) -> Bool {
        state.withLock { store in
            if store.hasUnwritten { return false }
            store.restingWriter = bell
            return true
        }
    }

    /// Wakes the writer, if it rests, for something else than to write.
    func ringWriter() {
        state.withLock { store in
            store.restingWriter?.ring()
            store.restingWriter = nil
        }
    }

    /// Returns when what was logged before is on the device; without the lock while it waits.
    func syncLog(_ fileSystem: any FileSystem) throws(FileError) {
        try sync({ $0.log }, fileSystem)
    }

    /// The same for the write-behind log.
    func syncLateLog(_ fileSystem: any FileSystem) throws(FileError) {
        try sync({ $0.outOfOrder.log }, fileSystem)
    }

    private func sync(
        _ log: (HeadStore) -> WALWriter?, _ fileSystem: any FileSystem
    ) throws(FileError) {
        try settle(log)
        guard let unsynced = withLock({ log($0)?.takeUnsynced() }) else { return }
        do throws(FileError) {
            try unsynced.sync(fileSystem)
        } catch {
            withLock { log($0)?.keepUnsynced(unsynced) }
            throw error
        }
    }

    private func settle(_ log: (HeadStore) -> WALWriter?) throws(FileError) {
        let earlier = withLock { log($0)?.earlier ?? [] }
        guard !earlier.isEmpty else { return }
        for file in earlier { try file.sync() }
        withLock { log($0)?.noteSettled() }
    }

    /// Writes out the full chunks that wait, without the lock but for the beginning and the end.
    /// When it returns, those that waited before are in their files.
    func flushChunks() throws(FileError) {
        try settle { $0.log }
        try flushing.withLock { _ throws(FileError) in
            let finished = withLock { $0.files.unsynced }
            for file in finished { try file.sync() }
            if !finished.isEmpty { withLock { $0.files.noteSynced(finished) } }
            let flush = try withLock { (store) throws(FileError) in try store.files.beginFlush() }
            guard let flush else { return }
            var failure: FileError?
            do throws(FileError) {
                try flush.file.write(flush.bytes.raw, at: flush.offset)
            } catch {
                failure = error
            }
            let isWritten = failure == nil
            withLock { $0.files.endFlush(isWritten: isWritten) }
            if let failure { throw failure }
        }
    }
}
