// SPDX-License-Identifier: Apache-2.0
//
// What an aggregation keeps of one group: a few numbers for each step, updated row by row. The rows
// come in the order of their labels, so that each step sees its values in the same order as
// upstream's loop over one step does, and the sums agree to the last bit.

internal import PromQLSyntax

/// The running aggregate of the floats of one group.
protocol FloatAccumulator {
    init(width: Int)
    /// The steps that have a value.
    var steps: StepSet { get }
    mutating func add(_ row: borrowing Row)
    /// Writes the results; values outside of `steps` do not count.
    func finish(into values: inout [Double])
}

extension Row {
    /// Calls `body` with each float.
    @inline(__always)
    borrowing func forEachFloat(_ body: (_ step: Int, _ value: Double) -> Void) {
        let values = values.span
        if floats.isFull {
            for step in values.indices { body(step, unsafe values[unchecked: step]) }
        } else {
            floats.forEach { body($0, unsafe values[unchecked: $0]) }
        }
    }
}

/// `sum`, compensated.
struct SumAccumulator: FloatAccumulator {
    private var sums: [Double]
    private var compensations: [Double]
    private(set) var steps: StepSet

    init(width: Int) {
        sums = [Double](repeating: 0, count: width)
        compensations = sums
        steps = StepSet(capacity: width)
    }

    mutating func add(_ row: borrowing Row) {
        Self.add(row, &sums, &compensations)
        steps.formUnion(row.floats)
    }

    private static func add(
        _ row: borrowing Row, _ sums: inout [Double], _ compensations: inout [Double]
    ) {
        var sums = sums.mutableSpan
        var compensations = compensations.mutableSpan
        row.forEachFloat { step, value in
            unsafe kahanAdd(value, &sums[unchecked: step], &compensations[unchecked: step])
        }
    }

    func finish(into values: inout [Double]) {
        for step in values.indices { values[step] = sums[step] + compensations[step] }
    }
}

/// `avg`: by way of the sum as long as that stays finite, else updated value by value.
struct AverageAccumulator: FloatAccumulator {
    private var sums: [Double]
    private var compensations: [Double]
    private var counts: [Double]
    /// The steps where `sums` holds the mean, since the sum left the range of floats.
    private var incremental: StepSet
    private(set) var steps: StepSet

    init(width: Int) {
        sums = [Double](repeating: 0, count: width)
        compensations = sums
        counts = sums
        incremental = StepSet(capacity: width)
        steps = incremental
    }

    mutating func add(_ row: borrowing Row) {
        Self.add(row, &sums, &compensations, &counts, &incremental)
        steps.formUnion(row.floats)
    }

    private static func add(
        _ row: borrowing Row, _ sums: inout [Double], _ compensations: inout [Double],
        _ counts: inout [Double], _ incremental: inout StepSet
    ) {
        var sums = sums.mutableSpan
        var compensations = compensations.mutableSpan
        var counts = counts.mutableSpan
        let isDirect = incremental.isEmpty
        row.forEachFloat { step, value in
            let count = unsafe counts[unchecked: step] + 1
            unsafe counts[unchecked: step] = count
            var sum = unsafe sums[unchecked: step]
            var compensation = unsafe compensations[unchecked: step]
            let before = (sum, compensation)
            if isDirect || !incremental.contains(step) {
                kahanAdd(value, &sum, &compensation)
                // Only a first value may be infinite.
                if sum.magnitude == .infinity, count > 1 {
                    incremental.insert(step)
                    sum = before.0 / (count - 1)
                    compensation = before.1 / (count - 1)
                    Self.updateMean(value, count, &sum, &compensation)
                }
            } else {
                Self.updateMean(value, count, &sum, &compensation)
            }
            unsafe sums[unchecked: step] = sum
            unsafe compensations[unchecked: step] = compensation
        }
    }

    private static func updateMean(
        _ value: Double, _ count: Double, _ mean: inout Double, _ compensation: inout Double
    ) {
        let share = (count - 1) / count
        mean *= share
        compensation *= share
        kahanAdd(value / count, &mean, &compensation)
    }

    func finish(into values: inout [Double]) {
        for step in values.indices {
            values[step] =
                incremental.contains(step)
                ? sums[step] + compensations[step]
                : sums[step] / counts[step] + compensations[step] / counts[step]
        }
    }
}

/// `min` and `max`: NaN only where there is nothing else.
struct ExtremeAccumulator: FloatAccumulator {
    private var extremes: [Double]
    private(set) var steps: StepSet
    private let isMaximum: Bool

    init(width: Int) { self.init(width: width, isMaximum: false) }

    init(width: Int, isMaximum: Bool) {
        extremes = [Double](repeating: .nan, count: width)
        steps = StepSet(capacity: width)
        self.isMaximum = isMaximum
    }

    mutating func add(_ row: borrowing Row) {
        Self.add(row, &extremes, isMaximum)
        steps.formUnion(row.floats)
    }

    private static func add(
        _ row: borrowing Row, _ extremes: inout [Double], _ isMaximum: Bool
    ) {
        var extremes = extremes.mutableSpan
        if isMaximum {
            row.forEachFloat { step, value in
                let known = unsafe extremes[unchecked: step]
                if known < value || known.isNaN { unsafe extremes[unchecked: step] = value }
            }
        } else {
            row.forEachFloat { step, value in
                let known = unsafe extremes[unchecked: step]
                if known > value || known.isNaN { unsafe extremes[unchecked: step] = value }
            }
        }
    }

    func finish(into values: inout [Double]) { values = extremes }
}

/// `count` and `group`, which take floats and histograms alike.
struct CountAccumulator: FloatAccumulator {
    private var counts: [Double]
    private(set) var steps: StepSet
    private let isGroup: Bool

    init(width: Int) { self.init(width: width, isGroup: false) }

    init(width: Int, isGroup: Bool) {
        counts = [Double](repeating: 0, count: width)
        steps = StepSet(capacity: width)
        self.isGroup = isGroup
    }

    mutating func add(_ row: borrowing Row) {
        let present = row.present
        steps.formUnion(present)
        if isGroup { return }
        present.forEach { counts[$0] += 1 }
    }

    func finish(into values: inout [Double]) {
        for step in values.indices { values[step] = isGroup ? 1 : counts[step] }
    }
}

/// `stdvar` and `stddev`, by Welford's algorithm.
struct VarianceAccumulator: FloatAccumulator {
    private var counts: [Double]
    private var means: [Double]
    private var squares: [Double]
    private(set) var steps: StepSet
    private let takesRoot: Bool

    init(width: Int) { self.init(width: width, takesRoot: false) }

    init(width: Int, takesRoot: Bool) {
        counts = [Double](repeating: 0, count: width)
        means = counts
        squares = counts
        steps = StepSet(capacity: width)
        self.takesRoot = takesRoot
    }

    mutating func add(_ row: borrowing Row) {
        for step in row.values.indices where row.floats.contains(step) {
            let value = row.values[step]
            counts[step] += 1
            if counts[step] == 1 {
                means[step] = value
                squares[step] = value.isFinite ? 0 : .nan
                continue
            }
            let delta = value - means[step]
            means[step] += delta / counts[step]
            squares[step] += delta * (value - means[step])
        }
        steps.formUnion(row.floats)
    }

    func finish(into values: inout [Double]) {
        for step in values.indices {
            let variance = squares[step] / counts[step]
            values[step] = takesRoot ? variance.squareRoot() : variance
        }
    }
}
