// SPDX-License-Identifier: Apache-2.0

internal import Synchronization

/// A value that only grows. Any thread may use it.
package final class Counter: Sendable {
    private let bits = Atomic<UInt64>(0)

    package init() {}

    package var value: Double { Double(bitPattern: bits.load(ordering: .relaxed)) }

    package func increment(by amount: Double = 1) {
        var current = bits.load(ordering: .relaxed)
        while true {
            let next = (Double(bitPattern: current) + amount).bitPattern
            let (done, found) = bits.weakCompareExchange(
                expected: current, desired: next, ordering: .relaxed)
            if done { return }
            current = found
        }
    }
}

/// A value that goes up and down. Any thread may use it.
package final class Gauge: Sendable {
    private let bits = Atomic<UInt64>(0)

    package init() {}

    package var value: Double { Double(bitPattern: bits.load(ordering: .relaxed)) }

    package func set(_ value: Double) { bits.store(value.bitPattern, ordering: .relaxed) }

    package func add(_ amount: Double) {
        var current = bits.load(ordering: .relaxed)
        while true {
            let next = (Double(bitPattern: current) + amount).bitPattern
            let (done, found) = bits.weakCompareExchange(
                expected: current, desired: next, ordering: .relaxed)
            if done { return }
            current = found
        }
    }
}

/// Observations counted in classic buckets. Any thread may use it.
package final class Distribution: Sendable {
    package struct State: Sendable {
        /// Observations per bucket, not cumulated; the last one is beyond the last bound.
        package var counts: [UInt64]
        package var sum: Double = 0
    }

    package let bounds: [Double]
    private let state: Mutex<State>

    package init(bounds: [Double]) {
        self.bounds = bounds
        state = Mutex(State(counts: Array(repeating: 0, count: bounds.count + 1)))
    }

    package func observe(_ value: Double) {
        let bucket = bounds.firstIndex { value <= $0 } ?? bounds.count
        state.withLock {
            $0.counts[bucket] += 1
            $0.sum += value
        }
    }

    package func snapshot() -> State { state.withLock { $0 } }
}
