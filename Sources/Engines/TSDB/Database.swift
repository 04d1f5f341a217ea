// SPDX-License-Identifier: Apache-2.0
//
// The front door of the engine: a data folder with its blocks and its head.
//
// Queries and commits come from any thread. What changes the set of blocks (cutting the head,
// merging, retention, snapshots) runs in `maintain` and `snapshot`, on the caller's thread and one
// at a time; commits and queries go on meanwhile. The list of blocks is an immutable snapshot
// behind a lock: a query takes it and keeps the blocks alive and mapped for as long as it reads,
// also when their directories are removed.
//
// Lock order: `maintenance`, then `state`. Neither is held while the head is asked for anything but
// its time range.

internal import Bytes
internal import Instrumentation
package import Model
internal import Platform
package import Storage
internal import Synchronization

package final class Database: Queryable, Appendable, ExemplarQueryable, Deletable, Sendable {
    struct State {
        /// In order of time.
        var blocks: [Block] = []
        /// Set between a commit that found the head due and the next `maintain`.
        var isMaintenanceDue = false
        var isClosed = false
        var settings: DatabaseSettings
        /// When the head was last cut, by the clock.
        var lastCut: Timestamp?
        /// Before this time of the budget's clock no room is made in memory.
        var nextRelief: UInt64 = 0
        /// Blocks of which it is known that they hold no series of the classes that are hidden in
        /// them.
        var examined: [ULID: [Bool]] = [:]
        /// Blocks that are to be removed, and could not be.
        var discarded: [ULID] = []
    }

    package let directory: String
    let options: DatabaseOptions
    let environment: DatabaseEnvironment
    let metrics: DatabaseMetrics
    let head: any HeadStorage
    /// Why nothing may be changed in this folder; nil for a folder in normal use.
    package let readOnlyReason: String?
    let state: Mutex<State>
    /// Held by whoever changes the set of blocks.
    let maintenance = Mutex<Void>(())
    private let lock: FileLock?

    /// Opens a data folder, which is created where it is missing. `openHead` opens its head, which
    /// takes no samples before the given time.
    package static func open(
        _ directory: String, _ options: DatabaseOptions, _ environment: DatabaseEnvironment,
        openHead: (_ minValidTime: Timestamp) throws(StorageError) -> any HeadStorage
    ) throws(StorageError) -> Database {
        try options.settings.check(storesStarts: options.storesStarts)
        let opening = try DatabaseOpening(directory, environment)
        let head = try openHead(opening.startOfHead)
        let database = Database(opening, options, environment, head)
        DatabaseMetrics.expose(database, environment.registry)
        if let reason = database.readOnlyReason {
            environment.log.warn(
                "The data folder is read-only: nothing is stored, merged or removed",
                ["dir": directory, "reason": reason])
        }
        return database
    }

    private init(
        _ opening: DatabaseOpening, _ options: DatabaseOptions,
        _ environment: DatabaseEnvironment, _ head: any HeadStorage
    ) {
        directory = opening.directory
        self.options = options
        self.environment = environment
        self.head = head
        metrics = opening.metrics
        readOnlyReason = head.foreignData
        lock = opening.lock
        state = Mutex(State(blocks: opening.blocks, settings: options.settings))
        publish(opening.blocks)
        options.filePages?.onExcess { [weak self] in self?.releaseChunkPages() }
        metrics.show(options.settings.retention)
    }

    /// The blocks at this moment, in order of time.
    package var blocks: [Block] { state.withLock { $0.blocks } }

    // MARK: Reading

    package func querier(over range: TimeRange) throws(StorageError) -> any Querier {
        // The head first: what it lets go of from here on is in the blocks that are taken after.
        var headQuerier: (any Querier)?
        if [head.timeRange, head.outOfOrderRange].contains(where: { $0?.touches(range) ?? false }) {
            headQuerier = try head.querier(over: range)
        }
        let (all, isClosed, retention) = state.withLock {
            ($0.blocks, $0.isClosed, $0.settings.retention)
        }
        if isClosed { throw StorageError(.unavailable, "the database is closed") }
        let blocks = all.filter { $0.overlaps(range) }
        return DatabaseQuerier(
            blocks: blocks, expiries: expiries(of: blocks, among: all, retention),
            head: headQuerier, range: range, filePages: options.filePages)
    }

    /// The times of the oldest and the newest sample (closed); nil for an empty database.
    package var timeRange: TimeRange? {
        var ranges = blocks.map(\.closedRange)
        ranges += [head.timeRange, head.outOfOrderRange].compactMap { $0 }
        guard let start = ranges.map(\.start).min(), let end = ranges.map(\.end).max() else {
            return nil
        }
        return TimeRange(start: start, end: end)
    }

    package func status(limit: Int) -> DatabaseStatus { head.status(limit: limit) }

    package func exemplars(
        over range: TimeRange, _ matcherSets: [[Matcher]]
    ) throws(StorageError) -> [SeriesExemplars] {
        try head.exemplars(over: range, matcherSets)
    }

    /// Goes on with other settings, from now on.
    package func apply(_ settings: DatabaseSettings) throws(StorageError) {
        try settings.check(storesStarts: options.storesStarts)
        if readOnlyReason == nil { try head.apply(settings) }
        state.withLock { state in
            if state.settings.retention.series != settings.retention.series {
                state.examined.removeAll()
            }
            state.settings = settings
        }
        metrics.show(settings.retention)
    }

    // MARK: Writing

    func requireWritable() throws(StorageError) {
        if let readOnlyReason {
            throw StorageError(.unavailable, "\(directory) is read-only: \(readOnlyReason)")
        }
    }

    package func resolve(_ labels: [Labels]) throws(StorageError) -> [SeriesRef] {
        try requireWritable()
        return try head.resolve(labels)
    }

    package func commit(
        _ batch: borrowing SampleBatch, _ policy: FaultPolicy
    ) throws(StorageError) -> CommitOutcome {
        try requireWritable()
        let outcome = try head.commit(batch, policy)
        if let onMaintenanceDue = options.onMaintenanceDue, isHeadDue || isReliefDue {
            let isNews = state.withLock { state in
                defer { state.isMaintenanceDue = true }
                return !state.isMaintenanceDue
            }
            if isNews { onMaintenanceDue() }
        }
        return outcome
    }

    /// Whether the head spans so much that its oldest range can be cut while the newest half range
    /// still takes samples.
    var isHeadDue: Bool {
        guard let range = head.timeRange else { return false }
        return range.end &- range.start > options.blockRange / 2 * 3
    }

    /// Ends the use of the folder. Queriers that are in use stay valid.
    package func close() throws(StorageError) {
        let wasClosed = state.withLock { state in
            defer { state.isClosed = true }
            return state.isClosed
        }
        guard !wasClosed else { return }
        var failure: StorageError?
        maintenance.withLock { _ in
            do throws(StorageError) { try head.close() } catch { failure = error }
        }
        if let failure { throw failure }
        // An absent lock file tells the next start that this end was clean.
        if let lock {
            do { try environment.fileSystem.remove(lock.path) } catch { throw StorageError(error) }
        }
    }

    // MARK: Blocks

    /// Puts one block, or none, in the place of others. The caller holds `maintenance`.
    func replace(_ old: [Block], with new: Block?) {
        let gone = Set(old.map(\.meta.id))
        let remaining = blocks.filter { !gone.contains($0.meta.id) }
        publish(sorted(remaining + (new.map { [$0] } ?? [])))
    }

    func sorted(_ blocks: [Block]) -> [Block] {
        blocks.sorted { ($0.meta.range.start, $0.meta.id) < ($1.meta.range.start, $1.meta.id) }
    }

    /// Replaces the list of blocks for queries that start from now on.
    func publish(_ blocks: [Block]) {
        state.withLock { $0.blocks = blocks }
        metrics.blocksLoaded.set(Double(blocks.count))
        metrics.blockBytes.set(Double(blocks.reduce(0) { $0 + $1.byteCount }))
    }
}
