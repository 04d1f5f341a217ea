// SPDX-License-Identifier: Apache-2.0

internal import Bytes

/// The memory that one query holds, against how much it may. Nothing is counted by hand: the
/// allocator keeps the balance of each thread; a query runs on one, and helpers tell theirs. It
/// costs two loads, so that it is looked at for every row. What cannot wait until it is allocated,
/// since it grows with a number in the query, is announced.
final class QueryMemory {
    private let limit: Int
    private let pool: MemoryPool
    private let meter: @Sendable () -> Int?
    /// The balance when the query began; nil where the allocator keeps none.
    private let begin: Int?
    /// What helpers have allocated for the query, less what they have freed of it.
    private var elsewhere = 0
    /// What the pool knows of.
    private var published = 0
    private var isHandedOver = false

    /// Differences below this are not told to the pool, which all queries share.
    private static let grain = 256 << 10

    init(_ configuration: EngineConfiguration, _ pool: MemoryPool) {
        limit = configuration.maxMemory
        meter = configuration.memoryMeter
        self.pool = pool
        begin = configuration.memoryMeter()
        pool.begin()
    }

    deinit {
        if isHandedOver { return }
        pool.add(-published)
        pool.end()
    }

    /// Whether the allocator counts.
    var isKnown: Bool { begin != nil }

    /// What the query holds now; 0 where nobody knows.
    var held: Int {
        guard let begin, let now = meter() else { return 0 }
        return max(0, now - begin + elsewhere)
    }

    /// Counts what a helper has allocated, less what it has freed.
    func adopt(_ bytes: Int) { elsewhere += bytes }

    /// Stops the query where it, or all together, hold too much.
    @inline(__always)
    func check() throws(QueryError) { try check(adding: 0) }

    /// The same, before so many bytes are allocated.
    func check(adding coming: Int) throws(QueryError) {
        guard begin != nil else { return }
        let held = held
        let (bytes, overflow) = held.addingReportingOverflow(coming)
        if limit > 0, overflow || bytes > limit { throw .tooMuchMemory(limit) }
        if abs(held - published) >= Self.grain {
            pool.add(held - published)
            published = held
        }
        if pool.refuses(holderOf: bytes) { throw .tooMuchMemory(inAll: pool.limit, held) }
    }

    /// From now on the result holds what the query does.
    func handOver() -> MemoryHold {
        isHandedOver = true
        let held = held
        pool.add(held - published)
        return MemoryHold(pool, held)
    }
}
