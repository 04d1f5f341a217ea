// SPDX-License-Identifier: Apache-2.0

/// How a float64 is written. The digits are always the shortest that read back to the same value;
/// the styles differ in layout, as Go's `strconv` does.
package enum FloatStyle: Sendable {
    /// Go's 'f': never an exponent. PromQL literals, `count_values`, sample values in text.
    case plain
    /// Go's 'g': an exponent below 1e-4 and from 1e21 on. Expositions and `le` labels.
    case general
    /// Query results in JSON: plain for 1e-6 <= |x| < 1e21, else an exponent.
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
    package mutating func float(_ value: Double, style: FloatStyle) {
        if value.isNaN { return append("NaN") }
        if value.isInfinite { return append(value < 0 ? "-Inf" : "+Inf") }
        if value.sign == .minus { uint8(UInt8(ascii: "-")) }
        let magnitude = value.magnitude
        if magnitude < 1e15, style != .exponent, magnitude == magnitude.rounded(.towardZero) {
            return decimal(UInt64(magnitude))
        }
        let (digits, exponent) = shortestDigits(magnitude)
        switch style {
        case .plain: plain(digits, exponent)
        case .general:
            exponent < -4 || exponent >= 21 ? scientific(digits, exponent) : plain(digits, exponent)
        case .json:
            magnitude != 0 && (magnitude < 1e-6 || magnitude >= 1e21)
                ? scientific(digits, exponent, padded: false) : plain(digits, exponent)
        case .exponent: scientific(digits, exponent)
        }
    }

    package mutating func decimal(_ value: UInt64) {
        var rest = value
        var reversed: InlineArray<20, UInt8> = .init(repeating: 0)
        var used = 0
        repeat {
            reversed[used] = UInt8(ascii: "0") + UInt8(rest % 10)
            rest /= 10
            used += 1
        } while rest > 0
        while used > 0 {
            used -= 1
            uint8(reversed[used])
        }
    }

    package mutating func decimal(_ value: Int64) {
        if value < 0 { uint8(UInt8(ascii: "-")) }
        decimal(value.magnitude)
    }

    /// `digits` with the decimal point after the first one, times ten to `exponent`.
    private mutating func plain(_ digits: [UInt8], _ exponent: Int) {
        if exponent < 0 {
            append("0.")
            for _ in 0..<(-exponent - 1) { uint8(UInt8(ascii: "0")) }
            return append(digits)
        }
        for index in 0...exponent {
            uint8(index < digits.count ? digits[index] : UInt8(ascii: "0"))
        }
        if digits.count > exponent + 1 {
            uint8(UInt8(ascii: "."))
            bytes.append(contentsOf: digits[(exponent + 1)...])
        }
    }

    private mutating func scientific(_ digits: [UInt8], _ exponent: Int, padded: Bool = true) {
        uint8(digits[0])
        if digits.count > 1 {
            uint8(UInt8(ascii: "."))
            bytes.append(contentsOf: digits[1...])
        }
        append(exponent < 0 ? "e-" : "e+")
        if padded, abs(exponent) < 10 { uint8(UInt8(ascii: "0")) }
        decimal(UInt64(abs(exponent)))
    }
}

/// The shortest digits of a finite, non-negative value, without trailing zeros, and the power of
/// ten of the first one.
private func shortestDigits(_ value: Double) -> ([UInt8], Int) {
    if value == 0 { return ([UInt8(ascii: "0")], 0) }
    var digits: [UInt8] = []
    var pointAt: Int?
    var exponent = 0
    var text = value.description
    text.withUTF8 { bytes in
        var index = 0
        while index < bytes.count {
            let byte = unsafe bytes[index]
            if byte == UInt8(ascii: "e") {
                exponent = unsafe Int(String(decoding: bytes[(index + 1)...], as: UTF8.self))!
                break
            }
            if byte == UInt8(ascii: ".") { pointAt = digits.count } else { digits.append(byte) }
            index += 1
        }
    }
    let point = pointAt ?? digits.count
    let leadingZeros = digits.prefix { $0 == UInt8(ascii: "0") }.count
    digits.removeFirst(leadingZeros)
    while digits.count > 1, digits.last == UInt8(ascii: "0") { digits.removeLast() }
    return (digits, exponent + point - leadingZeros - 1)
}
