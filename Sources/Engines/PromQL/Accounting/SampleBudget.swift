// SPDX-License-Identifier: Apache-2.0

/// How many samples a query holds, against how many it may. Counted as upstream counts: samples
/// that a selector or function has put out stay until the operation that takes them in has its
/// result, whether or not our operators keep them, so that a query is refused by both or by
/// neither.
struct SampleBudget {
    let limit: Int
    private(set) var current = 0

    init(limit: Int) { self.limit = limit }

    mutating func add(_ count: Int) throws(QueryError) {
        current += count
        if current > limit { throw .tooManySamples }
    }

    mutating func release(_ count: Int) { current -= count }

    /// Refuses what would be held for a moment beside the rest.
    func check(adding count: Int) throws(QueryError) {
        if current + count > limit { throw .tooManySamples }
    }
}
