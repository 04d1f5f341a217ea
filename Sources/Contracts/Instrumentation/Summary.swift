// SPDX-License-Identifier: Apache-2.0

internal import Glibc
internal import Platform
internal import Synchronization

/// Quantiles of the observations of the last ten minutes, and number and sum of all. Any thread
/// may use it.
///
/// Observations are counted in buckets whose bounds grow by 2 %, so that a quantile is off by 1 %
/// at most and memory is bounded by the range of the values, not by their number. The window
/// moves on in five parts of two minutes.
package final class Summary: Sendable {
    package struct State: Sendable {
        /// One for each of the quantiles asked for; NaN where there was no observation.
        package var values: [Double]
        package var count: UInt64
        package var sum: Double
    }

    private struct Window: Sendable {
        /// Observations by bucket, for each part of the window.
        var parts = [[Int: UInt64]](repeating: [:], count: Summary.partCount)
        /// The number of the part that is being filled, since the beginning of the clock.
        var latest: UInt64 = 0
        var count: UInt64 = 0
        var sum = 0.0

        mutating func move(to part: UInt64) {
            guard part > latest else { return }
            let steps = min(part - latest, UInt64(Summary.partCount))
            for step in 0..<steps {
                parts[Int((part - step) % UInt64(Summary.partCount))] = [:]
            }
            latest = part
        }
    }

    private static let partCount = 5
    private static let partLength: UInt64 = 120_000_000_000
    private static let growth = log(1.02)

    package let quantiles: [Double]
    private let now: @Sendable () -> UInt64
    private let window = Mutex(Window())

    /// `now` gives nanoseconds of a clock that never goes back.
    package init(
        quantiles: [Double], now: @escaping @Sendable () -> UInt64 = monotonicNanoseconds
    ) {
        self.quantiles = quantiles
        self.now = now
    }

    /// Takes a value that is not negative.
    package func observe(_ value: Double) {
        guard value.isFinite else { return }
        let bucket = value > 1e-9 ? Int((log(value) / Self.growth).rounded(.up)) : Int.min
        let part = now() / Self.partLength
        window.withLock { window in
            window.move(to: part)
            window.parts[Int(part % UInt64(Self.partCount))][bucket, default: 0] += 1
            window.count += 1
            window.sum += value
        }
    }

    package func snapshot() -> State {
        let part = now() / Self.partLength
        let (parts, count, sum) = window.withLock { window in
            window.move(to: part)
            return (window.parts, window.count, window.sum)
        }
        var merged: [Int: UInt64] = [:]
        for part in parts { merged.merge(part, uniquingKeysWith: +) }
        let buckets = merged.sorted { $0.key < $1.key }
        let total = buckets.reduce(0) { $0 + $1.value }
        let values = quantiles.map { quantile -> Double in
            var rest = max(1, UInt64((quantile * Double(total)).rounded(.up)))
            for (bucket, count) in buckets {
                if rest <= count {
                    // The middle of the bucket.
                    return bucket == .min ? 0 : exp((Double(bucket) - 0.5) * Self.growth)
                }
                rest -= count
            }
            return .nan
        }
        return State(values: values, count: count, sum: sum)
    }
}
