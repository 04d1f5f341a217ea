// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import Instrumentation
internal import Platform
internal import Synchronization

/// Keeps a snapshot of the head beside its log, so that a start has little to replay.
final class SnapshotKeeper: Sendable {
    private struct State {
        var policy: SnapshotPolicy
        /// The log's count of written bytes when the policy was last told.
        var seen = 0
    }

    private let directory: String
    private let store: GuardedStore
    private let fileSystem: any FileSystem
    private let log: Logger
    private let metrics: HeadMetrics
    /// Held while a snapshot is taken, and by a truncation. Taken before the lock of the store.
    let truncation = Mutex(())
    private let state: Mutex<State>

    /// `found` is the size of the snapshot that the start read, `tail` what of the log it replayed.
    init(
        _ directory: String, _ store: GuardedStore, _ options: HeadOptions, _ metrics: HeadMetrics,
        _ fileSystem: any FileSystem, found: Int?, tail: Int
    ) {
        self.directory = directory
        self.store = store
        self.fileSystem = fileSystem
        self.metrics = metrics
        log = options.log
        var policy = SnapshotPolicy(minimumTail: options.snapshotTail)
        policy.begin(size: found, tail: tail)
        state = Mutex(State(policy: policy))
    }

    /// Tells the policy what was logged since it was last asked.
    private func ask(
        _ question: (inout SnapshotPolicy, _ logged: Int, _ seriesCount: Int) -> Bool
    ) -> Bool {
        let figures = store.withLock { store in
            store.log.map { (written: $0.writtenByteCount, series: store.labels.seriesCount) }
        }
        guard let figures else { return false }
        return state.withLock { state in
            defer { state.seen = figures.written }
            return question(&state.policy, figures.written - state.seen, figures.series)
        }
    }

    /// Takes a snapshot where one is due; called once a second. `pause` is called between its
    /// slices, and ends it by returning false.
    func tick(pause: () -> Bool) {
        if ask({ $0.tick(logged: $1, seriesCount: $2) }) { take(pause) }
    }

    /// Whether ticks are of no use until something is logged.
    var isAtRest: Bool { state.withLock { $0.policy.isAtRest } }

    /// Takes a snapshot before a clean end, unless the last one is as good.
    func end() {
        if ask({ policy, logged, _ in policy.isDueAtEnd(logged: logged) }) { take { true } }
    }

    /// Takes a snapshot now.
    func takeNow() { take { true } }

    /// The log was rewritten by a truncation.
    func outdate() {
        state.withLock { $0.policy.outdate() }
        store.ringWriter()
    }

    /// A truncation is not waited for: it may wait for queries.
    private func take(_ pause: () -> Bool) {
        _ = truncation.withLockIfAvailable { _ in
            let began = monotonicNanoseconds()
            do throws(FileError) {
                guard var writer = try SnapshotWriter(directory, store, fileSystem) else {
                    return state.withLock { $0.policy.failed() }
                }
                guard let size = try writer.run(pause: pause) else { return }
                state.withLock { $0.policy.taken(size: size) }
                metrics.snapshotsWritten.increment()
                metrics.snapshotBytes.increment(by: Double(size))
                log.debug(
                    "Head snapshot written",
                    [
                        "bytes": "\(size)",
                        "duration": "\((monotonicNanoseconds() - began) / 1_000_000)ms",
                    ])
            } catch {
                state.withLock { $0.policy.failed() }
                metrics.snapshotsFailed.increment()
                log.warn("writing a head snapshot failed: \(error)")
            }
        }
    }
}
