// SPDX-License-Identifier: Apache-2.0

internal import Glibc

/// How a float64 is written. The digits are always the shortest that read back to the same value;
/// the styles differ in layout, as Go's `strconv.FormatFloat` with precision -1 does.
package enum FloatStyle: Sendable {
    /// Go's 'f': never an exponent. PromQL literals, `count_values`, scalars in query results.
    case plain
    /// Go's 'g': an exponent below 1e-4 and from 1e6 on. Expositions and their `le` labels.
    case general
    /// Sample values of query results: 'f' for 1e-6 <= |x| < 1e21 and zero, else 'e'.
    case json
    /// Go's 'e': always an exponent of at least two digits.
    case exponent
}

package func formatFloat(_ value: Double, style: FloatStyle) -> String {
    var writer = ByteWriter(capacity: 24)
    writer.float(value, style: style)
    return String(decoding: writer.bytes, as: UTF8.self)
}

extension ByteWriter {
    /// Writes a value; NaN, +Inf and -Inf by these names.
    package mutating func float(_ value: Double, style: FloatStyle) {
        guard value.isFinite else {
            return append(value.isNaN ? "NaN" : value < 0 ? "-Inf" : "+Inf")
        }
        if value.sign == .minus { uint8(UInt8(ascii: "-")) }
        let magnitude = value.magnitude
        let decimal = ShortestDecimal(magnitude)
        let digits = DecimalDigits(decimal.significand)
        // The power of ten of the first digit.
        let exponent =
            magnitude == 0 ? 0 : decimal.exponent + digits.droppedZeros + digits.count - 1
        let isScientific =
            switch style {
            case .plain: false
            case .general: exponent < -4 || exponent >= 6
            case .json: magnitude != 0 && (magnitude < 1e-6 || magnitude >= 1e21)
            case .exponent: true
            }
        if isScientific {
            scientific(digits, exponent)
        } else {
            plain(digits, exponent)
        }
    }
}

extension ByteWriter {
    package mutating func decimal(_ value: UInt64) {
        guard value < 100_000_000_000_000_000 else {
            decimal(value / 10)
            return uint8(UInt8(ascii: "0") + UInt8(value % 10))
        }
        let digits = DecimalDigits(value)
        plain(digits, value == 0 ? 0 : digits.count + digits.droppedZeros - 1)
    }

    package mutating func decimal(_ value: Int64) {
        if value < 0 { uint8(UInt8(ascii: "-")) }
        decimal(value.magnitude)
    }

    /// `digits` with the decimal point after the first one, times ten to `exponent`.
    @inline(__always)
    private mutating func plain(_ digits: DecimalDigits, _ exponent: Int) {
        let count = digits.count
        unsafe room(48 + abs(exponent)) { target in
            if exponent < 0 {
                let zeros = 1 - exponent
                unsafe target.initializeMemory(as: UInt8.self, repeating: zero, count: zeros)
                unsafe target.storeBytes(of: point, toByteOffset: 1, as: UInt8.self)
                unsafe digits.write(to: target + zeros)
                return zeros + count
            }
            unsafe digits.write(to: target)
            let whole = exponent + 1
            if count <= whole {
                unsafe (target + count).initializeMemory(
                    as: UInt8.self, repeating: zero, count: whole - count)
                return whole
            }
            unsafe memmove(target + whole + 1, target + whole, count - whole)
            unsafe target.storeBytes(of: point, toByteOffset: whole, as: UInt8.self)
            return count + 1
        }
    }

    private mutating func scientific(_ digits: DecimalDigits, _ exponent: Int) {
        let count = digits.count
        unsafe room(32) { target in
            unsafe digits.write(to: target + 1)
            let first = unsafe target.load(fromByteOffset: 1, as: UInt8.self)
            unsafe target.storeBytes(of: first, as: UInt8.self)
            guard count > 1 else { return 1 }
            unsafe target.storeBytes(of: point, toByteOffset: 1, as: UInt8.self)
            return count + 1
        }
        append(exponent < 0 ? "e-" : "e+")
        if abs(exponent) < 10 { uint8(zero) }
        decimal(UInt64(abs(exponent)))
    }

    /// Lets `body` write up to `size` bytes behind the last one and return how many it wrote.
    @inline(__always)
    private mutating func room(_ size: Int, _ body: (UnsafeMutableRawPointer) -> Int) {
        bytes.append(addingCapacity: size) { output in
            unsafe output.withUnsafeMutableBufferPointer { buffer, initialized in
                let end = unsafe UnsafeMutableRawPointer(buffer.baseAddress! + initialized)
                initialized += unsafe body(end)
            }
        }
    }
}

private let zero = UInt8(ascii: "0")
private let point = UInt8(ascii: ".")
