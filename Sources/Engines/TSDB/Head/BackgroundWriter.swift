// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import Instrumentation
internal import Platform

/// The head's own thread: once a second it syncs the log to the device and writes out full chunks,
/// so that neither is waited for under the lock.
final class BackgroundWriter: Sendable {
    private let isStopped = Monitor(false)
    private let thread: SystemThread

    init(
        _ store: GuardedStore, _ fileSystem: any FileSystem, _ log: Logger
    ) throws(FileError) {
        let isStopped = isStopped
        thread = try SystemThread("head-writer", stackSize: 1 << 20) {
            while true {
                let deadline = monotonicNanoseconds() + 1_000_000_000
                if isStopped.wait(deadline: deadline, until: { $0 ? true : nil }) != nil { return }
                do throws(FileError) {
                    try Self.work(store, fileSystem)
                } catch {
                    log.warn("writing the head's files failed: \(error)")
                }
            }
        }
    }

    /// Ends the thread; what is left to write is up to the caller.
    func stop() {
        isStopped.withLock { $0 = true }
        isStopped.notifyAll()
        thread.join()
    }

    /// One round, by the thread or by hand. Syncing and writing are tried both; throws the first
    /// failure. What could not be written is kept for the next round.
    static func work(
        _ store: GuardedStore, _ fileSystem: any FileSystem
    ) throws(FileError) {
        let unsynced = store.withLock { $0.log?.takeUnsynced() }
        var failure: FileError?
        do throws(FileError) {
            try unsynced?.sync(fileSystem)
        } catch {
            if let unsynced { store.withLock { $0.log?.keepUnsynced(unsynced) } }
            failure = error
        }
        do throws(FileError) {
            try writeChunks(store)
        } catch {
            failure = failure ?? error
        }
        if let failure { throw failure }
    }

    private static func writeChunks(_ store: GuardedStore) throws(FileError) {
        guard
            let flush = try store.withLock({ (store) throws(FileError) in
                try store.files.beginFlush()
            })
        else { return }
        var failure: FileError?
        do { try flush.file.write(flush.bytes.raw, at: flush.offset) } catch { failure = error }
        let isWritten = failure == nil
        store.withLock { $0.files.endFlush(isWritten: isWritten) }
        if let failure { throw failure }
    }
}
