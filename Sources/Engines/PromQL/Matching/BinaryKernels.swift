// SPDX-License-Identifier: Apache-2.0
//
// Binary operations on whole columns: one loop an operator, without branches on presence. Values at
// steps where a side has none are computed along and never looked at.

internal import Glibc
internal import Model
internal import PromQLSyntax

enum BinaryKernels {
    @inline(__always)
    private static func combine(
        _ left: Span<Double>, _ right: Span<Double>, _ result: inout [Double],
        _ operation: (Double, Double) -> Double
    ) {
        var output = result.mutableSpan
        for step in output.indices {
            unsafe output[unchecked: step] = operation(
                left[unchecked: step], right[unchecked: step])
        }
    }

    /// The results of an operation that is no comparison. All columns are of one width.
    static func compute(
        _ operation: BinaryOperator, _ left: [Double], _ right: [Double],
        into result: inout [Double]
    ) {
        let left = left.span
        let right = right.span
        switch operation {
        case .add: combine(left, right, &result) { $0 + $1 }
        case .subtract: combine(left, right, &result) { $0 - $1 }
        case .multiply: combine(left, right, &result) { $0 * $1 }
        case .divide: combine(left, right, &result) { $0 / $1 }
        case .modulo: combine(left, right, &result) { fmod($0, $1) }
        case .power: combine(left, right, &result) { GoMath.pow($0, $1) }
        case .atan2: combine(left, right, &result) { GoMath.atan2($0, $1) }
        case .equal, .notEqual, .less, .lessOrEqual, .greater, .greaterOrEqual, .trimUpper,
            .trimLower, .and, .or, .unless:
            break
        }
    }

    /// The same with the results in the place of the left side.
    static func compute(
        _ operation: BinaryOperator, _ values: inout [Double], with right: [Double]
    ) {
        let right = right.span
        switch operation {
        case .add: update(&values, right) { $0 + $1 }
        case .subtract: update(&values, right) { $0 - $1 }
        case .multiply: update(&values, right) { $0 * $1 }
        case .divide: update(&values, right) { $0 / $1 }
        case .modulo: update(&values, right) { fmod($0, $1) }
        case .power: update(&values, right) { GoMath.pow($0, $1) }
        case .atan2: update(&values, right) { GoMath.atan2($0, $1) }
        case .equal, .notEqual, .less, .lessOrEqual, .greater, .greaterOrEqual, .trimUpper,
            .trimLower, .and, .or, .unless:
            break
        }
    }

    /// The same with the results in the place of the right side.
    static func compute(
        _ operation: BinaryOperator, left: [Double], with values: inout [Double]
    ) {
        let left = left.span
        switch operation {
        case .add: update(&values, left) { $1 + $0 }
        case .subtract: update(&values, left) { $1 - $0 }
        case .multiply: update(&values, left) { $1 * $0 }
        case .divide: update(&values, left) { $1 / $0 }
        case .modulo: update(&values, left) { fmod($1, $0) }
        case .power: update(&values, left) { GoMath.pow($1, $0) }
        case .atan2: update(&values, left) { GoMath.atan2($1, $0) }
        case .equal, .notEqual, .less, .lessOrEqual, .greater, .greaterOrEqual, .trimUpper,
            .trimLower, .and, .or, .unless:
            break
        }
    }

    @inline(__always)
    private static func update(
        _ values: inout [Double], _ other: Span<Double>, _ operation: (Double, Double) -> Double
    ) {
        var values = values.mutableSpan
        for step in values.indices {
            unsafe values[unchecked: step] = operation(
                values[unchecked: step], other[unchecked: step])
        }
    }

    @inline(__always)
    private static func test(
        _ left: Span<Double>, _ right: Span<Double>, _ condition: (Double, Double) -> Bool
    ) -> StepSet {
        var set = StepSet(capacity: left.count)
        var step = 0
        var word = 0
        while step < left.count {
            let end = min(left.count, step &+ 64)
            var bits: UInt64 = 0
            var bit: UInt64 = 1
            while step < end {
                let holds = unsafe condition(left[unchecked: step], right[unchecked: step])
                bits |= holds ? bit : 0
                bit &<<= 1
                step &+= 1
            }
            set.setWord(word, bits)
            word &+= 1
        }
        return set
    }

    /// The steps at which a comparison holds.
    static func compare(_ operation: BinaryOperator, _ left: [Double], _ right: [Double])
        -> StepSet
    {
        let left = left.span
        let right = right.span
        switch operation {
        case .equal: return test(left, right) { $0 == $1 }
        case .notEqual: return test(left, right) { $0 != $1 }
        case .less: return test(left, right) { $0 < $1 }
        case .lessOrEqual: return test(left, right) { $0 <= $1 }
        case .greater: return test(left, right) { $0 > $1 }
        case .greaterOrEqual: return test(left, right) { $0 >= $1 }
        case .add, .subtract, .multiply, .divide, .modulo, .power, .atan2, .trimUpper, .trimLower,
            .and, .or, .unless:
            return StepSet(capacity: left.count)
        }
    }

    /// An operation between scalars; comparisons give 1 or 0.
    static func scalars(_ operation: BinaryOperator, _ left: [Double], _ right: [Double])
        -> [Double]
    {
        var result = [Double](repeating: 0, count: left.count)
        if operation.isComparison {
            compare(operation, left, right).forEach { result[$0] = 1 }
        } else {
            compute(operation, left, right, into: &result)
        }
        return result
    }
}

extension BinaryOperator {
    /// Whether the result is a quantity of another kind, so that it loses the metric's name.
    var changesMetric: Bool {
        switch self {
        case .add, .subtract, .multiply, .divide, .modulo, .power, .atan2: true
        case .equal, .notEqual, .less, .lessOrEqual, .greater, .greaterOrEqual, .trimUpper,
            .trimLower, .and, .or, .unless:
            false
        }
    }
}
