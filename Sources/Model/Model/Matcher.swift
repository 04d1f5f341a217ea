// SPDX-License-Identifier: Apache-2.0

internal import Bytes
package import LinearRegex

/// A condition on one label. A label that a series lacks counts as the empty string.
package struct Matcher: Sendable, Hashable, CustomStringConvertible {
    package enum Operation: String, Sendable, Hashable {
        case equal = "="
        case notEqual = "!="
        case regexMatch = "=~"
        case regexNoMatch = "!~"

        package var isRegex: Bool { self == .regexMatch || self == .regexNoMatch }
        package var isNegative: Bool { self == .notEqual || self == .regexNoMatch }
    }

    package let operation: Operation
    package let name: String
    package let value: String
    /// The compiled pattern of the regex operations.
    package let pattern: AnchoredPattern?

    package init(_ name: String, _ operation: Operation, _ value: String) throws(PatternError) {
        self.name = name
        self.operation = operation
        self.value = value
        pattern = operation.isRegex ? try AnchoredPattern(value) : nil
    }

    package init(_ name: String, equals value: String) {
        self.name = name
        operation = .equal
        self.value = value
        pattern = nil
    }

    package func matches(_ text: RawSpan) -> Bool {
        switch operation {
        case .equal, .notEqual:
            let isEqual = isEqualBytes(value, text)
            return operation == .equal ? isEqual : !isEqual
        case .regexMatch: return pattern!.matches(text)
        case .regexNoMatch: return !pattern!.matches(text)
        }
    }

    package func matches(_ text: String) -> Bool {
        var text = text
        return text.withUTF8 { unsafe matches(RawSpan(_unsafeBytes: UnsafeRawBufferPointer($0))) }
    }

    package func matches(_ labels: Labels) -> Bool { labels.withValue(name) { matches($0) } }

    package var matchesEmpty: Bool { matches("") }

    package var description: String {
        let name = isLegacyLabelName(name) ? name : quoted(name)
        return "\(name)\(operation.rawValue)\(quoted(value))"
    }
}

private func isEqualBytes(_ text: String, _ bytes: RawSpan) -> Bool {
    guard text.utf8.count == bytes.byteCount else { return false }
    var index = 0
    for byte in text.utf8 {
        if byte != bytes[index] { return false }
        index += 1
    }
    return true
}
