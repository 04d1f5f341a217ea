// SPDX-License-Identifier: Apache-2.0
//
// Text to float64, correctly rounded.
//
// Most numbers in expositions have few digits, and for those one multiplication or division is
// exact (Clinger's fast path): the digits fit into 53 bits and so does the power of ten, so that
// the only rounding is that of the one operation. Up to 19 digits `nearestFloat` decides nearly
// always. What is left goes to the C library's `strtod`.
//
// The grammar is that of Go's `strconv.ParseFloat` without underscores and, unless asked for,
// without hexadecimal floats: a sign, digits with at most one point, an exponent; or `inf`,
// `infinity` (with a sign), `nan` (without one), in any case of letters.

internal import Glibc

/// Why a text is no float64.
package enum FloatTextError: Error, Hashable {
    case syntax
    /// The number is larger than the largest float64.
    case range
}

/// Reads all of `text` as a float64.
package func parseFloat(
    _ text: RawSpan, allowsHexadecimal: Bool = false
) throws(FloatTextError) -> Double {
    let outcome = unsafe text.withUnsafeBytes { bytes -> Result<Double, FloatTextError> in
        guard let start = bytes.baseAddress else { return .failure(.syntax) }
        let end = unsafe start + bytes.count
        if let (value, next) = unsafe scanDecimal(start, end), unsafe next == end {
            return .success(value)
        }
        return unsafe parseSlowly(bytes, allowsHexadecimal)
    }
    return try outcome.get()
}

/// The number that begins at `start`, and where it ends, if it is a plain decimal of at most 19
/// digits, zeros in front not counted; nil where the general reader has to decide.
/// Reads bytes in `start..<end` only.
@inlinable
@inline(__always)
package func scanDecimal(
    _ start: UnsafeRawPointer, _ end: UnsafeRawPointer
) -> (value: Double, next: UnsafeRawPointer)? {
    var at = unsafe start
    var isNegative = false
    if unsafe at < end {
        let sign = unsafe at.load(as: UInt8.self)
        if sign == UInt8(ascii: "-") || sign == UInt8(ascii: "+") {
            isNegative = sign == UInt8(ascii: "-")
            unsafe at += 1
        }
    }
    var mantissa: UInt64 = 0
    let integerStart = unsafe at
    unsafe accumulateDigits(&at, end, &mantissa)
    var digits = unsafe at - integerStart
    var scale = 0
    if unsafe at < end, unsafe at.load(as: UInt8.self) == UInt8(ascii: ".") {
        unsafe at += 1
        let fractionStart = unsafe at
        unsafe accumulateDigits(&at, end, &mantissa)
        let fraction = unsafe at - fractionStart
        digits += fraction
        scale = -fraction
    }
    // With 19 digits or fewer, not counting zeros in front, the mantissa has not wrapped.
    guard digits > 0 else { return nil }
    if digits > 19, unsafe digits - leadingZeros(integerStart, at) > 19 { return nil }
    if unsafe at < end, unsafe at.load(as: UInt8.self) | 0x20 == UInt8(ascii: "e") {
        guard let exponent = unsafe scanExponent(&at, end) else { return nil }
        scale += exponent
    }
    guard mantissa <= 1 << 53, scale >= -22, scale <= 22 else {
        guard let value = nearestFloat(digits: mantissa, exponent: scale) else { return nil }
        return unsafe (isNegative ? -value : value, at)
    }
    var value = Double(mantissa)
    if scale < 0 {
        value /= exactPowerOfTen(-scale)
    } else if scale > 0 {
        value *= exactPowerOfTen(scale)
    }
    return unsafe (isNegative ? -value : value, at)
}

/// How many zeros the digits before `end` begin with; a point may stand among them.
@usableFromInline
package func leadingZeros(_ start: UnsafeRawPointer, _ end: UnsafeRawPointer) -> Int {
    var at = unsafe start
    var count = 0
    while unsafe at < end {
        let byte = unsafe at.load(as: UInt8.self)
        if byte == UInt8(ascii: "0") {
            count += 1
        } else if byte != UInt8(ascii: ".") {
            break
        }
        unsafe at += 1
    }
    return count
}

/// Adds the digits from `at` on to `mantissa`, which may wrap, and moves `at` behind them.
@inlinable
@inline(__always)
package func accumulateDigits(
    _ at: inout UnsafeRawPointer, _ end: UnsafeRawPointer, _ mantissa: inout UInt64
) {
    while unsafe at < end {
        let digit = unsafe at.load(as: UInt8.self) &- UInt8(ascii: "0")
        guard digit < 10 else { return }
        mantissa = mantissa &* 10 &+ UInt64(digit)
        unsafe at += 1
    }
}

/// The exponent behind the `e` at `at`, if it has one to three digits.
@inlinable
package func scanExponent(_ at: inout UnsafeRawPointer, _ end: UnsafeRawPointer) -> Int? {
    unsafe at += 1
    var isNegative = false
    if unsafe at < end {
        let sign = unsafe at.load(as: UInt8.self)
        if sign == UInt8(ascii: "-") || sign == UInt8(ascii: "+") {
            isNegative = sign == UInt8(ascii: "-")
            unsafe at += 1
        }
    }
    var exponent: UInt64 = 0
    let start = unsafe at
    unsafe accumulateDigits(&at, end, &exponent)
    let digits = unsafe at - start
    guard digits > 0, digits <= 3 else { return nil }
    return isNegative ? -Int(exponent) : Int(exponent)
}

/// 10^exponent for exponents 0...22, which float64 represents exactly.
@inlinable
@inline(__always)
package func exactPowerOfTen(_ exponent: Int) -> Double {
    let powers: InlineArray<23, Double> = [
        1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16,
        1e17, 1e18, 1e19, 1e20, 1e21, 1e22,
    ]
    return powers[exponent]
}

private func parseSlowly(
    _ bytes: UnsafeRawBufferPointer, _ allowsHexadecimal: Bool
) -> Result<Double, FloatTextError> {
    if let special = unsafe specialValue(bytes) { return .success(special) }
    guard unsafe isDecimalSyntax(bytes) || (allowsHexadecimal && isHexadecimalSyntax(bytes)) else {
        return .failure(.syntax)
    }
    // `strtod` wants a NUL behind the text.
    let value = unsafe withUnsafeTemporaryAllocation(
        of: CChar.self, capacity: bytes.count + 1
    ) { copy in
        for index in 0..<bytes.count { unsafe copy[index] = CChar(bitPattern: bytes[index]) }
        unsafe copy[bytes.count] = 0
        return unsafe strtod(copy.baseAddress!, nil)
    }
    return value.isInfinite ? .failure(.range) : .success(value)
}

/// `inf`, `infinity` and `nan`.
private func specialValue(_ bytes: UnsafeRawBufferPointer) -> Double? {
    guard bytes.count >= 3, bytes.count <= 9 else { return nil }
    var at = 0
    var isNegative = false
    let sign = unsafe bytes[0]
    if sign == UInt8(ascii: "-") || sign == UInt8(ascii: "+") {
        isNegative = sign == UInt8(ascii: "-")
        at = 1
    }
    func rest(is word: StaticString) -> Bool {
        guard word.utf8CodeUnitCount == bytes.count - at else { return false }
        for index in 0..<word.utf8CodeUnitCount {
            guard unsafe bytes[at + index] | 0x20 == word.utf8Start[index] else { return false }
        }
        return true
    }
    if rest(is: "inf") || rest(is: "infinity") { return isNegative ? -.infinity : .infinity }
    if at == 0, rest(is: "nan") { return .nan }
    return nil
}

private func isDecimalSyntax(_ bytes: UnsafeRawBufferPointer) -> Bool {
    unsafe isFloatSyntax(bytes, from: signLength(bytes), exponent: "e", isExponentRequired: false) {
        $0 &- UInt8(ascii: "0") < 10
    }
}

private func isHexadecimalSyntax(_ bytes: UnsafeRawBufferPointer) -> Bool {
    let at = unsafe signLength(bytes)
    guard bytes.count > at + 2, unsafe bytes[at] == UInt8(ascii: "0"),
        unsafe bytes[at + 1] | 0x20 == UInt8(ascii: "x")
    else { return false }
    return unsafe isFloatSyntax(bytes, from: at + 2, exponent: "p", isExponentRequired: true) {
        $0 &- UInt8(ascii: "0") < 10 || ($0 | 0x20) &- UInt8(ascii: "a") < 6
    }
}

private func signLength(_ bytes: UnsafeRawBufferPointer) -> Int {
    guard let first = unsafe bytes.first else { return 0 }
    return first == UInt8(ascii: "-") || first == UInt8(ascii: "+") ? 1 : 0
}

private func isFloatSyntax(
    _ bytes: UnsafeRawBufferPointer, from start: Int, exponent: Unicode.Scalar,
    isExponentRequired: Bool, isDigit: (UInt8) -> Bool
) -> Bool {
    var at = start
    var digits = 0
    var sawPoint = false
    while at < bytes.count {
        let byte = unsafe bytes[at]
        if isDigit(byte) {
            digits += 1
        } else if byte == UInt8(ascii: "."), !sawPoint {
            sawPoint = true
        } else {
            break
        }
        at += 1
    }
    guard digits > 0 else { return false }
    if at == bytes.count { return !isExponentRequired }
    guard unsafe bytes[at] | 0x20 == UInt8(ascii: exponent) else { return false }
    at += 1
    if at < bytes.count, unsafe bytes[at] == UInt8(ascii: "-") || bytes[at] == UInt8(ascii: "+") {
        at += 1
    }
    guard at < bytes.count else { return false }
    return unsafe bytes[at...].allSatisfy { $0 &- UInt8(ascii: "0") < 10 }
}
