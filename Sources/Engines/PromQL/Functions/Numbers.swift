// SPDX-License-Identifier: Apache-2.0
//
// Simple operations that upstream does otherwise than Swift in corner cases that users can see.

/// `math.Min`: NaN wins unless the other is -Inf, and -0 is less than 0.
@inline(__always)
func goMinimum(_ left: Double, _ right: Double) -> Double {
    if left == -.infinity || right == -.infinity { return -.infinity }
    if left.isNaN || right.isNaN { return .nan }
    if left == 0, right == 0 { return left.sign == .minus ? left : right }
    return left < right ? left : right
}

/// `math.Max`: NaN wins unless the other is +Inf, and 0 is greater than -0.
@inline(__always)
func goMaximum(_ left: Double, _ right: Double) -> Double {
    if left == .infinity || right == .infinity { return .infinity }
    if left.isNaN || right.isNaN { return .nan }
    if left == 0, right == 0 { return left.sign == .minus ? right : left }
    return left > right ? left : right
}

/// The sum of two numbers and what it lost, by Neumaier's improvement of Kahan's algorithm, with
/// exactly the operations of upstream.
@inline(__always)
func kahanAdd(_ value: Double, _ sum: inout Double, _ compensation: inout Double) {
    let total = sum + value
    // Both branches are cheap and have no effects, so that this becomes a select.
    let lost =
        sum.magnitude >= value.magnitude ? (sum - total) + value : (value - total) + sum
    compensation = total.magnitude == .infinity ? 0 : compensation + lost
    sum = total
}

/// A float as a 64-bit integer, cut off towards zero; what does not fit becomes the least integer,
/// as on the processors that upstream runs on.
func goInteger(_ value: Double) -> Int64 { Int64(exactly: value.rounded(.towardZero)) ?? .min }
