// SPDX-License-Identifier: Apache-2.0
//
// A decimal number of up to 19 digits as the nearest float64, after Daniel Lemire, "Number Parsing
// at a Gigabyte per Second", 2021 (https://arxiv.org/abs/2101.11408): multiply the digits by a
// 128-bit approximation of the power of ten and look whether the product decides how to round. It
// nearly always does.

/// `digits` times ten to `exponent`, rounded to nearest even; nil where 128 bits do not decide it,
/// or where the result is not a normal number.
@usableFromInline
package func nearestFloat(digits: UInt64, exponent: Int) -> Double? {
    if digits == 0 { return 0 }
    guard exponent >= PowersOfTen.lowest, exponent <= 308 else { return nil }
    let power = truncatedPower(exponent)
    let zeros = digits.leadingZeroBitCount
    let scaled = digits << UInt64(zeros)
    var (high, low) = scaled.multipliedFullWidth(by: power.high)
    // The nine bits below the 55 that matter are all ones: a carry from further down could reach
    // them.
    if high & 0x1FF == 0x1FF, low &+ scaled < low {
        let (carry, rest) = scaled.multipliedFullWidth(by: power.low)
        let (sum, overflows) = low.addingReportingOverflow(carry)
        if overflows { high &+= 1 }
        low = sum
        if high & 0x1FF == 0x1FF, low == .max, rest &+ scaled < rest { return nil }
    }
    let top = high >> 63
    var mantissa = high >> (top + 9)
    // Just between two floats, as far as the product tells.
    if low == 0, high & 0x1FF == 0, mantissa & 3 == 1 { return nil }
    mantissa = (mantissa + (mantissa & 1)) >> 1
    // floor(exponent * log2(10)) + 1 bits for the power, 64 for the product, less what was shifted.
    var binary = (exponent * 217_706) >> 16 + 64 + 1023 - zeros - Int(1 ^ top)
    if mantissa >> 53 != 0 {
        mantissa >>= 1
        binary += 1
    }
    guard binary > 0, binary < 0x7FF else { return nil }
    return Double(bitPattern: UInt64(binary) << 52 | mantissa & 0xF_FFFF_FFFF_FFFF)
}

/// The entry of the table of powers rounded down, where the table itself rounds up.
private func truncatedPower(_ exponent: Int) -> (high: UInt64, low: UInt64) {
    let entry = PowersOfTen.shared[exponent]
    // 5^55 is the last power that 128 bits hold exactly.
    if exponent >= 0, exponent <= 55 { return entry }
    return (entry.low == 0 ? entry.high &- 1 : entry.high, entry.low &- 1)
}
