// SPDX-License-Identifier: Apache-2.0

/// Which names of metrics and labels are allowed.
package enum NameValidation: String, Sendable, Hashable {
    case utf8, legacy
}

private func isLetterOrUnderscore(_ byte: UInt8) -> Bool {
    (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte)
        || (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte) || byte == UInt8(ascii: "_")
}

private func isDigit(_ byte: UInt8) -> Bool {
    (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
}

/// `[a-zA-Z_][a-zA-Z0-9_]*`
package func isLegacyLabelName(_ name: String) -> Bool {
    guard let first = name.utf8.first, isLetterOrUnderscore(first) else { return false }
    return name.utf8.allSatisfy { isLetterOrUnderscore($0) || isDigit($0) }
}

/// `[a-zA-Z_:][a-zA-Z0-9_:]*`
package func isLegacyMetricName(_ name: String) -> Bool {
    guard let first = name.utf8.first, isLetterOrUnderscore(first) || first == UInt8(ascii: ":")
    else {
        return false
    }
    return name.utf8.allSatisfy {
        isLetterOrUnderscore($0) || isDigit($0) || $0 == UInt8(ascii: ":")
    }
}

extension NameValidation {
    package func isValidLabelName(_ name: String) -> Bool {
        self == .utf8 ? !name.isEmpty : isLegacyLabelName(name)
    }

    package func isValidMetricName(_ name: String) -> Bool {
        self == .utf8 ? !name.isEmpty : isLegacyMetricName(name)
    }
}

/// The text in double quotes with Go's escapes (`strconv.Quote`).
package func quoted(_ text: String) -> String {
    var result = "\""
    for scalar in text.unicodeScalars { appendEscaped(scalar, to: &result) }
    return result + "\""
}

/// The same for bytes, of which those that are no UTF-8 are written as `\xff`.
package func quoted(bytes: [UInt8]) -> String {
    var result = "\""
    var decoder = UTF8.ForwardParser()
    var iterator = bytes.makeIterator()
    var at = 0
    while true {
        switch decoder.parseScalar(from: &iterator) {
        case .valid(let encoded):
            appendEscaped(UTF8.decode(encoded), to: &result)
            at += encoded.count
        case .error(let length):
            for byte in bytes[at..<(at + length)] { appendHexadecimal(UInt32(byte), to: &result) }
            at += length
        case .emptyInput: return result + "\""
        }
    }
}

private func appendEscaped(_ scalar: Unicode.Scalar, to result: inout String) {
    switch scalar {
    case "\"": result += "\\\""
    case "\\": result += "\\\\"
    case "\n": result += "\\n"
    case "\r": result += "\\r"
    case "\t": result += "\\t"
    case "\u{07}": result += "\\a"
    case "\u{08}": result += "\\b"
    case "\u{0C}": result += "\\f"
    case "\u{0B}": result += "\\v"
    case "\u{00}"..<" ", "\u{7F}": appendHexadecimal(scalar.value, to: &result)
    case _ where isPrintable(scalar): result.unicodeScalars.append(scalar)
    default:
        let digits = String(scalar.value, radix: 16)
        let width = scalar.value < 0x10000 ? 4 : 8
        result += width == 4 ? "\\u" : "\\U"
        result += String(repeating: "0", count: width - digits.count) + digits
    }
}

private func appendHexadecimal(_ value: UInt32, to result: inout String) {
    result += "\\x" + (value < 16 ? "0" : "") + String(value, radix: 16)
}

/// Whether Go shows a character as it is: letters, marks, numbers, punctuation, symbols, and of the
/// spaces only the ASCII one.
package func isPrintable(_ scalar: Unicode.Scalar) -> Bool {
    if scalar.isASCII { return scalar.value >= 0x20 && scalar.value != 0x7F }
    switch scalar.properties.generalCategory {
    case .control, .format, .surrogate, .privateUse, .unassigned, .spaceSeparator, .lineSeparator,
        .paragraphSeparator:
        return false
    default: return true
    }
}
