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
    for scalar in text.unicodeScalars {
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
        case "\u{00}"..<" ", "\u{7F}":
            result += "\\x" + (scalar.value < 16 ? "0" : "") + String(scalar.value, radix: 16)
        default: result.unicodeScalars.append(scalar)
        }
    }
    return result + "\""
}
