// SPDX-License-Identifier: Apache-2.0

internal import Platform
internal import Synchronization

/// How much memory the process may hold, and whether that is short. Any thread may use it.
///
/// What the process holds is measured and not estimated. Memory that the head has already and can
/// use again counts as free: it does not go back to the system.
package final class MemoryBudget: Sendable {
    /// In bytes.
    package let limit: Int
    private let meter: @Sendable () -> Int
    /// Nanoseconds of a clock that only goes forward.
    let now: @Sendable () -> UInt64
    private let held = Atomic<Int>(0)

    /// `meter` says what the process holds, in bytes, apart from what is only cached of files.
    package init(
        limit: Int, meter: @escaping @Sendable () -> Int = { ProcessStatistics.privateMemory },
        now: @escaping @Sendable () -> UInt64 = monotonicNanoseconds
    ) {
        precondition(limit > 0, "a budget is a number of bytes")
        self.limit = limit
        self.meter = meter
        self.now = now
    }

    /// Measures anew. `reusable` of what is held is free for the head.
    func measure(reusable: Int) {
        held.store(max(0, meter() - reusable), ordering: .relaxed)
    }

    /// In use when it was last measured.
    var used: Int { held.load(ordering: .relaxed) }

    /// Nine tenths are in use: time to let go of what need not be in memory.
    var isShort: Bool { used >= limit / 10 * 9 }

    var isExhausted: Bool { used >= limit }
}

/// Decides whether the head may create another series. Under the head's lock.
struct SeriesAdmission {
    /// So many series are created from one measurement to the next: some hundred kilobytes.
    private static let step = 1024
    /// Where none is admitted, so long passes until the next measurement.
    private static let pause: UInt64 = 100_000_000

    private let budget: MemoryBudget?
    private var credit = 0
    private var nextMeasurement: UInt64 = 0
    private(set) var isRefusing = false

    init(_ budget: MemoryBudget?) { self.budget = budget }

    /// Whether one more may be created; `reusable` is asked for when memory is measured.
    mutating func admitsOne(reusable: () -> Int) -> Bool {
        guard let budget else { return true }
        if credit > 0 {
            credit -= 1
            return true
        }
        let now = budget.now()
        if isRefusing, now < nextMeasurement { return false }
        budget.measure(reusable: reusable())
        nextMeasurement = now &+ Self.pause
        isRefusing = budget.isExhausted
        credit = isRefusing ? 0 : Self.step - 1
        return !isRefusing
    }
}
