// SPDX-License-Identifier: Apache-2.0

internal import Instrumentation
internal import Model
internal import Platform
internal import Storage
internal import Synchronization

extension Database {
    /// Between two attempts to make room.
    private static let reliefPause: UInt64 = 60_000_000_000

    /// Whether it is time to try to make room in memory.
    var isReliefDue: Bool {
        guard let budget = options.memory, budget.isShort else { return false }
        return budget.now() >= state.withLock { $0.nextRelief }
    }

    /// Where memory is short, lets series that ended leave the head, then cuts it before its time:
    /// half a block range stays, so that no sample is refused that was taken before. The caller
    /// holds `maintenance`.
    func relieve() throws(StorageError) {
        guard let budget = options.memory else { return }
        budget.measure(reusable: head.reusableByteCount)
        guard isReliefDue else { return }
        state.withLock { $0.nextRelief = budget.now() &+ Self.reliefPause }
        metrics.memoryReliefs.increment()
        environment.log.warn(
            "Memory is short: series that ended leave the head, and it is cut early",
            ["used": "\(budget.used)", "budget": "\(budget.limit)"])
        if head.staleSeriesCount >= max(1, head.seriesCount / 20) { try cutStaleSeries() }
        budget.measure(reusable: head.reusableByteCount)
        if budget.isShort, try cutHeadEarly() {
            try head.truncateLog()
            state.withLock { $0.lastCut = environment.now() }
            try cutOutOfOrder()
        }
        budget.measure(reusable: head.reusableByteCount)
        environment.log.info(
            "What could leave the head has left it",
            ["used": "\(budget.used)", "budget": "\(budget.limit)"])
    }

    /// Returns whether the head was cut. It is not worth a block where little would go.
    private func cutHeadEarly() throws(StorageError) -> Bool {
        guard let held = head.timeRange else { return false }
        let end = CompactionPlan.alignedStart(held.end - options.blockRange / 2, 60_000)
        guard end - held.start >= options.blockRange / 8 else { return false }
        return try cutHead(before: end)
    }
}
