// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import Synchronization

/// The memory of all queries of an engine together. Any thread may use it.
final class MemoryPool: Sendable {
    /// In bytes; 0 for none.
    let limit: Int
    private let bytes = Atomic<Int>(0)
    private let queries = Atomic<Int>(0)

    init(limit: Int) { self.limit = limit }

    /// What running queries, and results that are being handed out, hold.
    var held: Int { bytes.load(ordering: .relaxed) }

    func begin() { queries.add(1, ordering: .relaxed) }

    func end() { queries.subtract(1, ordering: .relaxed) }

    func add(_ count: Int) { bytes.add(count, ordering: .relaxed) }

    /// Whether a query that holds so much has to go: all together hold too much, and this one no
    /// less than its part. There always is one that does, and small queries go on beside it.
    func refuses(holderOf own: Int) -> Bool {
        guard limit > 0, held > limit else { return false }
        return own >= limit / max(1, queries.load(ordering: .relaxed))
    }
}

/// The memory of a result, for as long as somebody holds it.
package final class MemoryHold: Sendable {
    private let pool: MemoryPool
    private let bytes: Int

    init(_ pool: MemoryPool, _ bytes: Int) {
        self.pool = pool
        self.bytes = bytes
    }

    deinit {
        pool.add(-bytes)
        pool.end()
    }
}
