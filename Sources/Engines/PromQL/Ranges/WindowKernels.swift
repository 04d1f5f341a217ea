// SPDX-License-Identifier: Apache-2.0
//
// Functions of the floats of one window, with exactly the operations of upstream in its order:
// users compare results to the last digit. A window is a non-empty half-open range of indices into
// the columns of a series; callers guarantee that it lies within them.

internal import Glibc
internal import Model

enum WindowKernels {
    @inline(__always)
    static func sum(_ values: Span<Double>, _ start: Int, _ end: Int) -> Double {
        var sum = 0.0
        var compensation = 0.0
        for index in start..<end {
            kahanAdd(unsafe values[unchecked: index], &sum, &compensation)
        }
        return sum.magnitude == .infinity ? sum : sum + compensation
    }

    /// The mean by way of the sum, as long as that stays finite, else updated value by value.
    @inline(__always)
    static func average(_ values: Span<Double>, _ start: Int, _ end: Int) -> Double {
        var sum = unsafe values[unchecked: start]
        var compensation = 0.0
        for index in start + 1..<end {
            let before = (sum, compensation)
            kahanAdd(unsafe values[unchecked: index], &sum, &compensation)
            if sum.magnitude == .infinity {
                return incrementalMean(values, index, end, start, before.0, before.1)
            }
        }
        let count = Double(end - start)
        return sum / count + compensation / count
    }

    private static func incrementalMean(
        _ values: Span<Double>, _ from: Int, _ end: Int, _ start: Int, _ sum: Double,
        _ lost: Double
    ) -> Double {
        var mean = sum / Double(from - start)
        var compensation = lost / Double(from - start)
        for index in from..<end {
            let count = Double(index - start + 1)
            let share = (count - 1) / count
            mean *= share
            compensation *= share
            kahanAdd(values[index] / count, &mean, &compensation)
        }
        return mean + compensation
    }

    @inline(__always)
    static func minimum(_ values: Span<Double>, _ start: Int, _ end: Int) -> Double {
        var least = unsafe values[unchecked: start]
        for index in start..<end {
            let value = unsafe values[unchecked: index]
            if value < least || least.isNaN { least = value }
        }
        return least
    }

    @inline(__always)
    static func maximum(_ values: Span<Double>, _ start: Int, _ end: Int) -> Double {
        var greatest = unsafe values[unchecked: start]
        for index in start..<end {
            let value = unsafe values[unchecked: index]
            if value > greatest || greatest.isNaN { greatest = value }
        }
        return greatest
    }

    /// The index of the last of the greatest values.
    static func lastMaximum(_ values: Span<Double>, _ start: Int, _ end: Int) -> Int {
        var found = start
        for index in start..<end where values[index] >= values[found] || values[found].isNaN {
            found = index
        }
        return found
    }

    /// The index of the last of the least values.
    static func lastMinimum(_ values: Span<Double>, _ start: Int, _ end: Int) -> Int {
        var found = start
        for index in start..<end where values[index] <= values[found] || values[found].isNaN {
            found = index
        }
        return found
    }

    /// By Welford's algorithm, with compensated sums.
    @inline(__always)
    static func variance(_ values: Span<Double>, _ start: Int, _ end: Int) -> Double {
        var count = 0.0
        var mean = 0.0
        var meanCompensation = 0.0
        var squares = 0.0
        var squaresCompensation = 0.0
        for index in start..<end {
            let value = unsafe values[unchecked: index]
            count += 1
            let delta = value - (mean + meanCompensation)
            kahanAdd(delta / count, &mean, &meanCompensation)
            kahanAdd(
                delta * (value - (mean + meanCompensation)), &squares, &squaresCompensation)
        }
        return (squares + squaresCompensation) / count
    }

    @inline(__always)
    static func changes(_ values: Span<Double>, _ start: Int, _ end: Int) -> Double {
        var count = 0
        var previous = unsafe values[unchecked: start]
        for index in start + 1..<end {
            let value = unsafe values[unchecked: index]
            if value != previous, !(value.isNaN && previous.isNaN) { count += 1 }
            previous = value
        }
        return Double(count)
    }

    @inline(__always)
    static func resets(_ values: Span<Double>, _ start: Int, _ end: Int) -> Double {
        var count = 0
        for index in start + 1..<end
        where unsafe values[unchecked: index] < values[unchecked: index - 1] {
            count += 1
        }
        return Double(count)
    }

    /// Least squares: the slope a second, and the value of the line at `origin`.
    static func regression(
        _ times: Span<Timestamp>, _ values: Span<Double>, _ window: Range<Int>,
        origin: Timestamp
    ) -> (slope: Double, intercept: Double) {
        var (sumX, lostX, sumY, lostY) = (0.0, 0.0, 0.0, 0.0)
        var (sumXY, lostXY, sumXX, lostXX) = (0.0, 0.0, 0.0, 0.0)
        let first = values[window.lowerBound]
        var isConstant = true
        for index in window {
            let value = values[index]
            if value != first, index > window.lowerBound { isConstant = false }
            let x = Double(times[index] &- origin) / 1e3
            kahanAdd(x, &sumX, &lostX)
            kahanAdd(value, &sumY, &lostY)
            kahanAdd(x * value, &sumXY, &lostXY)
            kahanAdd(x * x, &sumXX, &lostXX)
        }
        if isConstant { return first.isInfinite ? (.nan, .nan) : (0, first) }
        let count = Double(window.count)
        sumX += lostX
        sumY += lostY
        sumXY += lostXY
        sumXX += lostXX
        let covariance = sumXY - sumX * sumY / count
        let variance = sumXX - sumX * sumX / count
        let slope = covariance / variance
        return (slope, sumY / count - slope * sumX / count)
    }

    /// Holt's linear method: the last smoothed value.
    static func smoothed(
        _ values: Span<Double>, _ window: Range<Int>, factor: Double, trendFactor: Double
    ) -> Double? {
        guard window.count >= 2 else { return nil }
        let start = window.lowerBound
        var previous = 0.0
        var smoothed = values[start]
        var trend = values[start + 1] - values[start]
        for index in start + 1..<window.upperBound {
            let scaled = factor * values[index]
            if index > start + 1 {
                let fresh = trendFactor * (smoothed - previous)
                trend = fresh + (1 - trendFactor) * trend
            }
            let carried = (1 - factor) * (smoothed + trend)
            (previous, smoothed) = (smoothed, scaled + carried)
        }
        return smoothed
    }
}

/// Quantiles of plain lists of numbers.
enum Quantile {
    /// The φ-quantile, interpolated between neighbours; NaN counts as the least value. Sorts, and
    /// means nothing once `interruption` is due.
    static func of(
        _ values: inout [Double], _ quantile: Double, until interruption: Interruption? = nil
    ) -> Double {
        values.sort(until: interruption) { $0.isNaN ? !$1.isNaN : $0 < $1 }
        return ofSorted(values, quantile)
    }

    /// The same of values that are in order.
    static func ofSorted(_ values: [Double], _ quantile: Double) -> Double {
        if values.isEmpty || quantile.isNaN { return .nan }
        if quantile < 0 { return -.infinity }
        if quantile > 1 { return .infinity }
        let count = Double(values.count)
        let rank = quantile * (count - 1)
        let lower = max(0, rank.rounded(.down))
        let upper = min(count - 1, lower + 1)
        let weight = rank - rank.rounded(.down)
        return values[Int(lower)] * (1 - weight) + values[Int(upper)] * weight
    }

    /// The median of the distances from the median; NaN where any value is.
    static func medianAbsoluteDeviation(
        _ values: inout [Double], until interruption: Interruption?
    ) -> Double {
        if values.contains(where: \.isNaN) { return .nan }
        let median = of(&values, 0.5, until: interruption)
        for index in values.indices { values[index] = (values[index] - median).magnitude }
        return of(&values, 0.5, until: interruption)
    }

    static func isValid(_ quantile: Double) -> Bool { quantile >= 0 && quantile <= 1 }
}

/// Sums and means of four neighbouring windows at once. A compensated sum is a chain of operations
/// of which each waits for the one before; four chains take hardly longer than one.
enum FourWindows {
    /// The results of the windows from `step` on; nothing where a window is empty.
    static func totals(
        _ values: Span<Double>, _ starts: Span<Int32>, _ ends: Span<Int32>, _ step: Int,
        isMean: Bool
    ) -> SIMD4<Double> {
        var first = SIMD4<Int>(repeating: 0)
        var counts = SIMD4<Int>(repeating: 0)
        for lane in 0..<min(4, starts.count - step) {
            first[lane] = Int(starts[step + lane])
            counts[lane] = Int(ends[step + lane]) - first[lane]
        }
        var sums = SIMD4<Double>(repeating: 0)
        var lost = sums
        // A mean begins with the first value, a sum with zero.
        var done = isMean ? 1 : 0
        let shared = counts.min()
        if isMean {
            for lane in 0..<4 where counts[lane] > 0 { sums[lane] = values[first[lane]] }
        }
        if shared > done {
            addShared(values, first, done..<shared, &sums, &lost)
            done = shared
        }
        for lane in 0..<4 where counts[lane] > 0 {
            var (sum, compensation) = (sums[lane], lost[lane])
            for index in min(done, counts[lane])..<counts[lane] {
                kahanAdd(values[first[lane] + index], &sum, &compensation)
            }
            sums[lane] = finish(
                sum, compensation, values, first[lane]..<(first[lane] + counts[lane]), isMean)
        }
        return sums
    }

    private static func finish(
        _ sum: Double, _ lost: Double, _ values: Span<Double>, _ window: Range<Int>,
        _ isMean: Bool
    ) -> Double {
        // What left the range of floats on the way is summed with upstream's own operations.
        guard sum.isFinite, lost.isFinite else {
            return isMean
                ? WindowKernels.average(values, window.lowerBound, window.upperBound)
                : WindowKernels.sum(values, window.lowerBound, window.upperBound)
        }
        if !isMean { return sum + lost }
        let count = Double(window.count)
        return sum / count + lost / count
    }

    /// Two lanes to a register. What an addition loses is found without looking which of the two
    /// numbers is the larger (Knuth's two-sum): it is exact, as the one of `kahanAdd` is, so that
    /// both are the same unless something overflows; then the results are not finite.
    ///
    /// Bound: the windows lie within the values and have samples at all of `offsets`.
    @inline(__always)
    private static func addShared(
        _ values: Span<Double>, _ first: SIMD4<Int>, _ offsets: Range<Int>,
        _ sums: inout SIMD4<Double>, _ lost: inout SIMD4<Double>
    ) {
        let (at0, at1, at2, at3) = (first[0], first[1], first[2], first[3])
        var (low, high) = (sums.lowHalf, sums.highHalf)
        var (lowLost, highLost) = (lost.lowHalf, lost.highHalf)
        for offset in offsets {
            let left = SIMD2(
                unsafe values[unchecked: at0 &+ offset], unsafe values[unchecked: at1 &+ offset])
            let right = SIMD2(
                unsafe values[unchecked: at2 &+ offset], unsafe values[unchecked: at3 &+ offset])
            twoSum(left, &low, &lowLost)
            twoSum(right, &high, &highLost)
        }
        sums = SIMD4(lowHalf: low, highHalf: high)
        lost = SIMD4(lowHalf: lowLost, highHalf: highLost)
    }

    @inline(__always)
    private static func twoSum(
        _ value: SIMD2<Double>, _ sum: inout SIMD2<Double>, _ lost: inout SIMD2<Double>
    ) {
        let total = sum + value
        let added = total - sum
        lost += (sum - (total - added)) + (value - added)
        sum = total
    }
}
