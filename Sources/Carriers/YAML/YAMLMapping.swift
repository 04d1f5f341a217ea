// SPDX-License-Identifier: Apache-2.0

/// Reads a mapping strictly, field by field: each field is taken once by name, and `finish` refuses
/// what nobody took. A field that is null is the zero of its type (empty, false, 0), or an absent
/// section, as Go's yaml package has it.
///
/// ```swift
/// var fields = try YAMLMapping(node, "config.plain")
/// let name = try fields.string("job_name") ?? ""
/// try fields.finish()
/// ```
package struct YAMLMapping {
    package let node: YAMLNode
    /// The type in Go's terms, for messages that users compare.
    private let type: String
    private var fields: [String: YAMLEntry] = [:]
    /// All names in the order of the text.
    private var order: [String] = []
    /// The names that were asked for: what this mapping may hold.
    private var known: [String] = []

    package init(_ node: YAMLNode, _ type: String) throws(YAMLError) {
        self.node = node
        self.type = type
        if node.isNull { return }
        guard case .mapping(let entries) = node.content else { throw node.mismatch(type) }
        for entry in entries {
            guard case .scalar(let key) = entry.key.content else {
                throw entry.key.mismatch("string")
            }
            guard fields[key.text] == nil else {
                throw YAMLError(
                    .shape, "field \(key.text) already set in type \(type)",
                    at: entry.key.position)
            }
            fields[key.text] = entry
            order.append(key.text)
        }
    }

    /// The value of a field, or nil where it is absent or null.
    package mutating func take(_ name: String) -> YAMLNode? {
        written(name).flatMap { $0.isNull ? nil : $0 }
    }

    /// The value of a field, be it null, or nil where it is absent.
    package mutating func written(_ name: String) -> YAMLNode? {
        known.append(name)
        return fields[name]?.value
    }

    /// Whether the field was written at all, be it null.
    package func has(_ name: String) -> Bool { fields[name] != nil }

    /// The place of a field's name, or of the mapping where the field is absent.
    package func position(of name: String) -> YAMLPosition? {
        fields[name]?.key.position ?? node.position
    }

    package mutating func decode<Value>(
        _ name: String, _ body: (YAMLNode) throws(YAMLError) -> Value
    ) throws(YAMLError) -> Value? {
        guard let value = take(name) else { return nil }
        return try body(value)
    }

    package mutating func string(_ name: String) throws(YAMLError) -> String? {
        guard let value = written(name) else { return nil }
        return value.isNull ? "" : try value.string()
    }

    package mutating func bool(_ name: String) throws(YAMLError) -> Bool? {
        guard let value = written(name) else { return nil }
        return value.isNull ? false : try value.bool()
    }

    package mutating func integer(_ name: String) throws(YAMLError) -> Int? {
        guard let value = written(name) else { return nil }
        return value.isNull ? 0 : try value.integer()
    }

    package mutating func unsigned(_ name: String) throws(YAMLError) -> UInt64? {
        guard let value = written(name) else { return nil }
        return value.isNull ? 0 : try value.unsigned()
    }

    package mutating func double(_ name: String) throws(YAMLError) -> Double? {
        guard let value = written(name) else { return nil }
        return value.isNull ? 0 : try value.double()
    }

    package mutating func strings(_ name: String) throws(YAMLError) -> [String]? {
        guard let value = take(name) else { return nil }
        return try value.strings()
    }

    /// Decodes each element of a sequence; none where the field is absent.
    package mutating func list<Value>(
        _ name: String, _ type: String, _ body: (YAMLNode) throws(YAMLError) -> Value
    ) throws(YAMLError) -> [Value] {
        guard let value = take(name) else { return [] }
        var values: [Value] = []
        for element in try value.elements(type) { values.append(try body(element)) }
        return values
    }

    /// Refuses the first field that was not asked for.
    package func finish() throws(YAMLError) {
        guard let unknown = order.first(where: { !known.contains($0) }) else { return }
        let nearest = nearestName(to: unknown, among: known.filter { fields[$0] == nil })
        throw YAMLError(
            .shape, "field \(unknown) not found in type \(type)",
            at: fields[unknown]?.key.position,
            hint: nearest.map { "did you mean \"\($0)\"?" })
    }
}

extension YAMLNode {
    /// The entries of a mapping from strings, in order, each key once.
    package func entries(_ type: String) throws(YAMLError) -> [(key: YAMLNode, value: YAMLNode)] {
        if isNull { return [] }
        guard case .mapping(let entries) = content else { throw mismatch(type) }
        var seen: Set<String> = []
        for entry in entries {
            guard case .scalar(let key) = entry.key.content else {
                throw entry.key.mismatch("string")
            }
            guard seen.insert(key.text).inserted else {
                throw YAMLError(
                    .shape, "key \"\(key.text)\" already set in map", at: entry.key.position)
            }
        }
        return entries.map { ($0.key, $0.value) }
    }
}
