// SPDX-License-Identifier: Apache-2.0

internal import Instrumentation
internal import Platform
internal import Storage
internal import TSDB

/// The thread that lets the database cut, merge and forget: each minute, and when a commit finds
/// that there is something to do.
final class Maintenance: Sendable {
    private struct State {
        var isDue = false
        var isEnding = false
    }

    private static let interval: UInt64 = 60_000_000_000

    private let state = Monitor(State())
    private let thread: SystemThread

    init(_ storage: ServerStorage, _ log: Logger) throws(FileError) {
        let state = state
        thread = try SystemThread("maintenance") {
            while Self.waitForWork(state) {
                do throws(StorageError) {
                    try storage.current?.maintain()
                } catch {
                    log.error("Compaction failed", ["err": error.message])
                }
            }
        }
    }

    /// False where the thread shall end.
    private static func waitForWork(_ state: Monitor<State>) -> Bool {
        let wish: Bool? = state.wait(deadline: monotonicNanoseconds() + interval) { state in
            if state.isEnding { return false }
            guard state.isDue else { return nil }
            state.isDue = false
            return true
        }
        return wish ?? true
    }

    /// Asks for a round soon. Returns at once.
    func request() {
        state.withLock { $0.isDue = true }
        state.notifyAll()
    }

    /// Returns when a round that is under way has ended, and no other will begin.
    func end() {
        state.withLock { $0.isEnding = true }
        state.notifyAll()
        thread.join()
    }
}
