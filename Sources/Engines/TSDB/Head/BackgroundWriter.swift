// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import Instrumentation
internal import Platform

/// The head's own thread: once a second it syncs the log to the device and writes out full chunks,
/// so that neither is waited for under the lock; now and then it takes a snapshot.
final class BackgroundWriter: Sendable {
    private let isStopped = Monitor(false)
    private let thread: SystemThread

    init(
        _ store: GuardedStore, _ fileSystem: any FileSystem, _ snapshots: SnapshotKeeper,
        _ log: Logger
    ) throws(FileError) {
        let isStopped = isStopped
        thread = try SystemThread("head-writer", stackSize: 1 << 20) {
            let second: UInt64 = 1_000_000_000
            var next = monotonicNanoseconds() + second
            func workWhereDue() {
                guard monotonicNanoseconds() >= next else { return }
                do throws(FileError) {
                    try Self.work(store, fileSystem)
                } catch {
                    log.warn("writing the head's files failed: \(error)")
                }
                next = monotonicNanoseconds() + second
            }
            while isStopped.wait(deadline: next, until: { $0 ? true : nil }) == nil {
                workWhereDue()
                snapshots.tick {
                    workWhereDue()
                    return isStopped.withLock { !$0 }
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
        var failure: FileError?
        do throws(FileError) {
            try store.syncLog(fileSystem)
        } catch {
            failure = error
        }
        do throws(FileError) {
            try store.syncLateLog(fileSystem)
        } catch {
            failure = failure ?? error
        }
        do throws(FileError) {
            try store.flushChunks()
        } catch {
            failure = failure ?? error
        }
        if let failure { throw failure }
    }
}
