// SPDX-License-Identifier: Apache-2.0
//
// What a plain scalar means: the rules of YAML 1.1 as the Go package yaml.v2 applies them, which is
// what upstream reads its configuration with. `yes`, `on` and their kin are booleans; integers may
// be octal (0755), hexadecimal or binary and may hold underscores; sexagesimal numbers stay
// strings.

package enum YAMLValue: Sendable, Hashable {
    case null
    case bool(Bool)
    case integer(Int64)
    /// Beyond the range of Int64.
    case unsigned(UInt64)
    case float(Double)
    case string

    package var tag: String {
        switch self {
        case .null: "!!null"
        case .bool: "!!bool"
        case .integer, .unsigned: "!!int"
        case .float: "!!float"
        case .string: "!!str"
        }
    }
}

private let words: [String: YAMLValue] = {
    var words: [String: YAMLValue] = [:]
    for word in ["y", "Y", "yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON"] {
        words[word] = .bool(true)
    }
    for word in ["n", "N", "no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF"] {
        words[word] = .bool(false)
    }
    for word in ["", "~", "null", "Null", "NULL"] { words[word] = .null }
    for word in [".nan", ".NaN", ".NAN"] { words[word] = .float(.nan) }
    for word in [".inf", ".Inf", ".INF"] {
        words[word] = .float(.infinity)
        words["+" + word] = .float(.infinity)
        words["-" + word] = .float(-.infinity)
    }
    return words
}()

/// The meaning of a plain scalar.
package func resolve(_ text: String) -> YAMLValue {
    if let word = words[text] { return word }
    guard let first = text.utf8.first else { return .null }
    let isNumberLike =
        (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(first) || first == UInt8(ascii: "+")
        || first == UInt8(ascii: "-") || first == UInt8(ascii: ".")
    guard isNumberLike else { return .string }
    let digits = text.filter { $0 != "_" }
    if let integer = integer(digits) { return integer }
    if isFloat(digits), let value = Double(digits) { return .float(value) }
    return .string
}

/// An integer with an optional sign and one of the prefixes `0x`, `0b`, `0o` and `0`.
private func integer(_ text: String) -> YAMLValue? {
    var digits = Substring(text)
    let isNegative = digits.first == "-"
    if isNegative || digits.first == "+" { digits = digits.dropFirst() }
    var radix = 10
    if digits.count > 1, digits.first == "0" {
        switch digits.dropFirst().first {
        case "x", "X": (radix, digits) = (16, digits.dropFirst(2))
        case "b", "B": (radix, digits) = (2, digits.dropFirst(2))
        case "o", "O": (radix, digits) = (8, digits.dropFirst(2))
        default: (radix, digits) = (8, digits.dropFirst())
        }
    }
    guard let first = digits.first, first != "-", first != "+",
        let magnitude = UInt64(digits, radix: radix)
    else { return nil }
    if isNegative {
        guard magnitude <= UInt64(Int64.max) + 1 else { return nil }
        return .integer(Int64(truncatingIfNeeded: 0 &- magnitude))
    }
    return Int64(exactly: magnitude).map { .integer($0) } ?? .unsigned(magnitude)
}

/// `[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?`
private func isFloat(_ text: String) -> Bool {
    var rest = Substring(text).utf8
    func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }
    func dropSign() {
        if rest.first == UInt8(ascii: "-") || rest.first == UInt8(ascii: "+") {
            rest = rest.dropFirst()
        }
    }
    func dropDigits() -> Int {
        let run = rest.prefix(while: isDigit).count
        rest = rest.dropFirst(run)
        return run
    }
    dropSign()
    let whole = dropDigits()
    var fraction = 0
    if rest.first == UInt8(ascii: ".") {
        rest = rest.dropFirst()
        fraction = dropDigits()
    }
    guard whole + fraction > 0 else { return false }
    if rest.first == UInt8(ascii: "e") || rest.first == UInt8(ascii: "E") {
        rest = rest.dropFirst()
        dropSign()
        guard dropDigits() > 0 else { return false }
    }
    return rest.isEmpty
}

extension YAMLNode {
    /// The value that a scalar resolves to; nil for a collection.
    package var value: YAMLValue? {
        guard case .scalar(let scalar) = content else { return nil }
        switch tag {
        case nil: return scalar.style == .plain ? resolve(scalar.text) : .string
        case "!!int", "!!float", "!!bool", "!!null": return resolve(scalar.text)
        default: return .string
        }
    }

    /// The text of any scalar, as Go's yaml package assigns it to a string. `what` names it in the
    /// error for a `!!binary` scalar that holds no text.
    package func string(as what: String = "valid string") throws(YAMLError) -> String {
        guard case .scalar(let scalar) = content else { throw mismatch("string") }
        guard tag == "!!binary" else { return scalar.text }
        guard let bytes = decodeBase64(scalar.text) else {
            throw invalid("!!binary value contains invalid base64 data")
        }
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw invalid("\(escaped(bytes)) is not a \(what)")
        }
        return text
    }

    package func bool() throws(YAMLError) -> Bool {
        guard case .bool(let value) = value else { throw mismatch("bool") }
        return value
    }

    package func integer(_ type: String = "int") throws(YAMLError) -> Int {
        switch value {
        case .integer(let value): return Int(value)
        case .float(let value):
            guard let whole = Int(exactly: value) else { throw mismatch(type) }
            return whole
        default: throw mismatch(type)
        }
    }

    package func unsigned(_ type: String = "uint64") throws(YAMLError) -> UInt64 {
        switch value {
        case .integer(let value) where value >= 0: return UInt64(value)
        case .unsigned(let value): return value
        case .float(let value):
            guard let whole = UInt64(exactly: value) else { throw mismatch(type) }
            return whole
        default: throw mismatch(type)
        }
    }

    package func double() throws(YAMLError) -> Double {
        switch value {
        case .integer(let value): return Double(value)
        case .unsigned(let value): return Double(value)
        case .float(let value): return value
        default: throw mismatch("float64")
        }
    }

    /// The elements of a sequence; none for null. A lone scalar is refused, as `type` says.
    package func elements(_ type: String) throws(YAMLError) -> [YAMLNode] {
        if isNull { return [] }
        guard case .sequence(let elements) = content else { throw mismatch(type) }
        return elements
    }

    package func strings(_ type: String = "[]string") throws(YAMLError) -> [String] {
        var strings: [String] = []
        for element in try elements(type) { strings.append(try element.string()) }
        return strings
    }
}
