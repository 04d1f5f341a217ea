// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import Instrumentation
internal import Platform

/// The head's own thread: once a second it syncs the log to the device and writes out full chunks,
/// so that neither is waited for under the lock; now and then it takes a snapshot. When nothing is
/// left to do it sleeps until something is written.
final class BackgroundWriter: Sendable {
    private let bell = WriterBell()
    private let thread: SystemThread

    init(
        _ store: GuardedStore, _ fileSystem: any FileSystem, _ snapshots: SnapshotKeeper,
        _ log: Logger
    ) throws(FileError) {
        let bell = bell
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
            while !bell.isStopped(by: next) {
                workWhereDue()
                snapshots.tick {
                    workWhereDue()
                    return !bell.isStopped
                }
                // The keeper is asked again, for it may have been told something meanwhile.
                if snapshots.isAtRest, store.rest(until: bell), snapshots.isAtRest {
                    bell.wait()
                    next = monotonicNanoseconds() + second
                }
            }
        }
    }

    /// Ends the thread; what is left to write is up to the caller.
    func stop() {
        bell.stop()
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

/// Wakes the writer that rests.
final class WriterBell: Sendable {
    private struct State {
        var isRung = false
        var isStopped = false
    }

    private let state = Monitor(State())

    var isStopped: Bool { state.withLock { $0.isStopped } }

    /// Waits for the end until `deadline`.
    func isStopped(by deadline: UInt64) -> Bool {
        state.wait(deadline: deadline) { $0.isStopped ? true : nil } ?? false
    }

    /// Waits until it rings, or for the end.
    func wait() {
        state.wait { state -> Void? in
            guard state.isRung || state.isStopped else { return nil }
            state.isRung = false
            return ()
        }
    }

    func ring() {
        state.withLock { $0.isRung = true }
        state.notifyAll()
    }

    func stop() {
        state.withLock { $0.isStopped = true }
        state.notifyAll()
    }
}
