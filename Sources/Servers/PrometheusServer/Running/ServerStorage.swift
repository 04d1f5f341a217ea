// SPDX-License-Identifier: Apache-2.0

internal import Model
internal import Storage
internal import Synchronization
internal import TSDB

/// The database behind a door that is there before it: the listener answers while the log is still
/// being read. Until `open` and after `close` every use is refused.
final class ServerStorage: Queryable, Appendable, ExemplarQueryable {
    private let state = Mutex<Database?>(nil)

    func open(_ database: Database) { state.withLock { $0 = database } }

    /// The database, where there is one.
    var current: Database? { state.withLock { $0 } }

    private func database() throws(StorageError) -> Database {
        guard let database = current else { throw StorageError(.unavailable, "TSDB not ready") }
        return database
    }

    func close() throws(StorageError) {
        let database = state.withLock { state in
            defer { state = nil }
            return state
        }
        try database?.close()
    }

    func querier(over range: TimeRange) throws(StorageError) -> any Querier {
        try database().querier(over: range)
    }

    func exemplars(
        over range: TimeRange, _ matcherSets: [[Matcher]]
    ) throws(StorageError) -> [SeriesExemplars] {
        try database().exemplars(over: range, matcherSets)
    }

    func resolve(_ labels: [Labels]) throws(StorageError) -> [SeriesRef] {
        try database().resolve(labels)
    }

    func commit(
        _ batch: borrowing SampleBatch, _ policy: FaultPolicy
    ) throws(StorageError) -> CommitOutcome {
        try database().commit(batch, policy)
    }

    func snapshot(includingHead: Bool) throws(StorageError) -> String {
        try database().snapshot(includingHead: includingHead)
    }

    func delete(_ range: TimeRange, _ matchers: [Matcher]) throws(StorageError) {
        try database().delete(range, matchers)
    }

    func cleanTombstones() throws(StorageError) { try database().cleanTombstones() }

    func status(limit: Int) throws(StorageError) -> DatabaseStatus {
        try database().status(limit: limit)
    }
}
