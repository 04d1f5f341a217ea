// SPDX-License-Identifier: Apache-2.0

internal import Model

/// Why a number or a duration has no value, in upstream's words.
struct NumberError: Error, Hashable {
    var message: String
}

/// The value of a number token: integers in Go's notation (`0x1F`, `0755` and `0o755`, `1_000`),
/// else a float.
func parseNumber(_ text: String) throws(NumberError) -> Double {
    switch text.lowercased() {
    case "inf", "+inf": return .infinity
    case "-inf": return -.infinity
    case "nan": return StaleMarker.ordinaryNaN
    default: break
    }
    if let integer = parseInteger(text) { return Double(integer) }
    let failure = "error parsing number: strconv.ParseFloat: parsing \(quoted(text)): "
    guard hasWellPlacedUnderscores(text), !text.lowercased().hasPrefix("0x"),
        let value = Double(text.filter { $0 != "_" })
    else { throw NumberError(message: failure + "invalid syntax") }
    if value.isInfinite { throw NumberError(message: failure + "value out of range") }
    return value
}

private func parseInteger(_ text: String) -> Int64? {
    guard hasWellPlacedUnderscores(text) else { return nil }
    let digits = text.lowercased().filter { $0 != "_" }
    if digits.hasPrefix("0x") { return Int64(digits.dropFirst(2), radix: 16) }
    if digits.hasPrefix("0o") { return Int64(digits.dropFirst(2), radix: 8) }
    if digits.hasPrefix("0b") { return Int64(digits.dropFirst(2), radix: 2) }
    if digits.hasPrefix("0"), digits.utf8.count > 1 { return Int64(digits.dropFirst(), radix: 8) }
    return Int64(digits)
}

/// Each underscore stands between two digits, or between a base prefix and a digit.
private func hasWellPlacedUnderscores(_ text: String) -> Bool {
    let bytes = Array(text.lowercased().utf8)
    let isHexadecimal = bytes.starts(with: [0x30, 0x78])
    func isDigitAt(_ index: Int) -> Bool {
        guard bytes.indices.contains(index) else { return false }
        let byte = bytes[index]
        return isDigit(byte) || isHexadecimal && ((0x61...0x66).contains(byte) || index == 1)
    }
    return bytes.indices.allSatisfy {
        bytes[$0] != UInt8(ascii: "_") || isDigitAt($0 - 1) && isDigitAt($0 + 1)
    }
}

/// The seconds of a duration token.
func parseDuration(_ text: String) throws(NumberError) -> Double {
    guard let milliseconds = DurationText.parse(text) else {
        throw NumberError(message: durationFault(text))
    }
    return Double(milliseconds / 1000) + Double(milliseconds % 1000 * 1_000_000) / 1e9
}

/// What is wrong with a text that is no duration.
private func durationFault(_ text: String) -> String {
    let units = ["y", "w", "d", "h", "m", "s", "ms"]
    var rest = Substring(text)
    var last = -1
    while !rest.isEmpty {
        let digits = rest.prefix { $0.isASCII && $0.isNumber }
        rest = rest.dropFirst(digits.count)
        let unit = rest.prefix { !($0.isASCII && $0.isNumber) }
        rest = rest.dropFirst(unit.count)
        if digits.isEmpty || unit.isEmpty { return "not a valid duration string: \(quoted(text))" }
        guard let place = units.firstIndex(of: String(unit)) else {
            return "unknown unit \(quoted(String(unit))) in duration \(quoted(text))"
        }
        if place <= last || UInt64(digits) == nil {
            return "not a valid duration string: \(quoted(text))"
        }
        last = place
    }
    return text.isEmpty ? "empty duration string" : "duration out of range"
}

/// `%f` of Go: the exact decimal digits, six of them behind the point, for a magnitude of 2^63 or
/// more, which has no fraction.
func fixedPoint(_ value: Double) -> String {
    if value.isNaN { return "NaN" }
    if value.isInfinite { return value < 0 ? "-Inf" : "+Inf" }
    // Little-endian decimal digits of the significand, doubled as often as the exponent says.
    var digits = String(value.magnitude.significandBitPattern | 1 << 52).utf8.reversed().map {
        $0 - UInt8(ascii: "0")
    }
    for _ in 0..<max(0, Int(value.exponent) - 52) {
        var carry: UInt8 = 0
        for index in digits.indices {
            let doubled = digits[index] * 2 + carry
            digits[index] = doubled % 10
            carry = doubled / 10
        }
        if carry > 0 { digits.append(carry) }
    }
    let text = digits.reversed().map { String($0) }.joined()
    return (value < 0 ? "-" : "") + text + ".000000"
}
