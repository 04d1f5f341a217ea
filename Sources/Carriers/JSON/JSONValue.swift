// SPDX-License-Identifier: Apache-2.0

/// A JSON text as a tree. Numbers keep their text, so that 64-bit integers stay exact.
package indirect enum JSONValue: Sendable, Hashable {
    /// A member of an object.
    package struct Member: Sendable, Hashable {
        package var name: String
        package var value: JSONValue

        package init(_ name: String, _ value: JSONValue) {
            self.name = name
            self.value = value
        }
    }

    case null
    case boolean(Bool)
    case number(String)
    case string(String)
    case array([JSONValue])
    /// The members as they were written; of members with one name the last counts.
    case object([Member])

    package var text: String? { if case .string(let text) = self { text } else { nil } }
    package var bool: Bool? { if case .boolean(let value) = self { value } else { nil } }
    package var elements: [JSONValue]? {
        if case .array(let elements) = self { elements } else { nil }
    }
    package var members: [Member]? {
        if case .object(let members) = self { members } else { nil }
    }

    /// The number where it is an integer of 64 bits, written without fraction and exponent.
    package var integer: Int64? { if case .number(let text) = self { Int64(text) } else { nil } }
    package var double: Double? { if case .number(let text) = self { Double(text) } else { nil } }

    /// A member of an object; nil where there is none or this is no object.
    package subscript(name: String) -> JSONValue? {
        members?.last { $0.name.utf8.elementsEqual(name.utf8) }?.value
    }

    /// What this is, for messages.
    package var kind: String {
        switch self {
        case .null: "null"
        case .boolean: "bool"
        case .number: "number"
        case .string: "string"
        case .array: "array"
        case .object: "object"
        }
    }
}

/// Where a text stops being JSON, and why. Lines and columns count from 1, columns in bytes.
package struct JSONError: Error, Sendable, Hashable, CustomStringConvertible {
    package var line: Int
    package var column: Int
    package var message: String

    package var description: String { "line \(line), column \(column): \(message)" }
}
