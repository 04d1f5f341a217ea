// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import Glibc

/// A number as Go's `%g` prints it: the shortest digits, or rounded to so many significant ones.
func goText(_ value: Double, digits: Int? = nil) -> String {
    guard let digits, value.isFinite else {
        return formatFloat(value, style: value.magnitude >= 1e6 ? .exponent : .general)
    }
    return printed(value, "%.\(digits)g")
}

/// A number as Go's `%f` prints it: six decimals.
func goFixedText(_ value: Double) -> String { formatFixed(value) }

private func printed(_ value: Double, _ format: String) -> String {
    var buffer = [CChar](repeating: 0, count: 400)
    let length = unsafe withVaList([value]) {
        unsafe vsnprintf(&buffer, buffer.count, format, $0)
    }
    return String(decoding: buffer.prefix(Int(length)).map(UInt8.init(bitPattern:)), as: UTF8.self)
}

/// A number as the value of a label of quantiles: as `%g`, but recognisable as a float.
func openMetricsText(_ value: Double) -> String {
    let text = goText(value)
    return !value.isFinite || text.utf8.contains(where: { $0 == 0x65 || $0 == 0x2E })
        ? text : text + ".0"
}

/// A text as a number by the rules of Go's `strconv.ParseFloat`, nil where it is none.
func goFloat(_ text: String) -> Double? {
    var text = text
    return text.withUTF8 { bytes in
        let span = unsafe RawSpan(_unsafeBytes: UnsafeRawBufferPointer(bytes))
        return try? parseFloat(span, allowsHexadecimal: true)
    }
}
