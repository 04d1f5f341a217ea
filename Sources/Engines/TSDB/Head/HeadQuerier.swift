// SPDX-License-Identifier: Apache-2.0

package import Model
internal import Platform
package import Storage

/// The queriers that are open, so that a truncation can wait for those that may look at what it
/// frees.
struct OpenQueriers: Sendable {
    private var next: UInt64 = 0
    private var open: Set<UInt64> = []

    mutating func add() -> UInt64 {
        next += 1
        open.insert(next)
        return next
    }

    mutating func remove(_ number: UInt64) { open.remove(number) }

    /// Any querier from now on has a larger number.
    var newest: UInt64 { next }
    func hasNone(upTo number: UInt64) -> Bool { open.allSatisfy { $0 > number } }
}

/// Marks a querier as open for as long as it lives.
final class Lease: Sendable {
    private let leases: Monitor<OpenQueriers>
    private let number: UInt64

    init(_ leases: Monitor<OpenQueriers>) {
        self.leases = leases
        number = leases.withLock { $0.add() }
    }

    deinit {
        leases.withLock { $0.remove(number) }
        leases.notifyAll()
    }
}

extension Head {
    /// What was committed before a `select` of the querier is what that selection shows.
    ///
    /// A truncation waits until queriers opened before it are released. A caller that also reads
    /// blocks must open the head's querier first and look at its list of blocks afterwards: then a
    /// sample that moves from one to the other in between is seen twice, never missed.
    package func querier(over range: TimeRange) throws(StorageError) -> any Querier {
        let lease = Lease(leases)
        let visible = store.withLock {
            HeadView(
                start: $0.visibleStart, hiddenThrough: $0.outOfOrder.hiddenThrough,
                leaving: $0.leaving.number)
        }
        return HeadQuerier(head: self, lease: lease, range: range, visible: visible)
    }
}

/// What of the head a querier may look at: all else is in the blocks that were there when it was
/// opened.
struct HeadView: Sendable {
    /// Of samples in order, those from here on.
    var start: Timestamp
    /// Of late samples, those in chunks behind this one and open ones.
    var hiddenThrough: HeadChunkFiles.Place
    /// The group of series on their way out that is not to be looked at.
    var leaving: UInt64
}

struct HeadQuerier: Querier {
    let head: Head
    let lease: Lease
    let range: TimeRange
    let visible: HeadView

    func select(_ matchers: [Matcher], hints: SelectHints) throws(StorageError) -> any SeriesSet {
        let wanted = TimeRange(
            start: max(range.start, hints.range.start), end: min(range.end, hints.range.end))
        let (members, late) = head.store.withLock {
            $0.select(matchers, wanted, visible: visible, hints)
        }
        return HeadSeriesSet(self, range: wanted, members, late)
    }

    private func hasData(_ store: HeadStore) -> Bool {
        store.overlaps(TimeRange(start: max(range.start, visible.start), end: range.end))
            || store.outOfOrder.overlaps(range)
    }

    func labelNames(_ matchers: [Matcher]) throws(StorageError) -> [String] {
        head.store.withLock { store in
            guard hasData(store) else { return [] }
            return store.labels.names(matchers.isEmpty ? nil : store.labels.slots(matchers))
        }
    }

    func labelValues(_ name: String, _ matchers: [Matcher]) throws(StorageError) -> [String] {
        head.store.withLock { store in
            guard hasData(store) else { return [] }
            return store.labels.values(
                name, matchers.isEmpty ? nil : store.labels.slots(matchers))
        }
    }
}
