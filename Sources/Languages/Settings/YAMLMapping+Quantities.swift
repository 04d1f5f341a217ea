// SPDX-License-Identifier: Apache-2.0

package import Model
package import YAML

extension YAMLNode {
    /// A duration in Prometheus' notation.
    package func duration() throws(YAMLError) -> Milliseconds {
        let text = try string()
        guard let duration = DurationText.parse(text) else { throw invalid(durationProblem(text)) }
        return duration
    }

    /// A number of bytes: `512MB`.
    package func byteSize() throws(YAMLError) -> Int {
        switch ByteSize.parse(try string()) {
        case .success(let size): return size
        case .failure(let error): throw invalid(error.description)
        }
    }
}

extension YAMLMapping {
    package mutating func duration(_ name: String) throws(YAMLError) -> Milliseconds? {
        guard let value = written(name) else { return nil }
        return value.isNull ? 0 : try value.duration()
    }

    package mutating func byteSize(_ name: String) throws(YAMLError) -> Int? {
        guard let value = written(name) else { return nil }
        return value.isNull ? 0 : try value.byteSize()
    }

    /// A count that is not negative.
    package mutating func limit(_ name: String) throws(YAMLError) -> Int? {
        guard let value = written(name), !value.isNull else { return has(name) ? 0 : nil }
        guard let limit = Int(exactly: try value.unsigned("uint")) else {
            throw value.mismatch("uint")
        }
        return limit
    }

    /// A file path; a relative one is taken from the directory of the file it is written in.
    package mutating func path(
        _ name: String, in directory: String
    ) throws(YAMLError) -> String? {
        try string(name).map { joined(directory, $0) }
    }

    /// Refuses a section that is known to upstream and not built yet, unless it is empty.
    package mutating func refuse(_ name: String) throws(YAMLError) {
        guard let value = take(name) else { return }
        let isEmpty: Bool =
            switch value.content {
            case .scalar(let scalar): scalar.text.isEmpty
            case .sequence(let elements): elements.isEmpty
            case .mapping(let entries): entries.isEmpty
            }
        if isEmpty { return }
        throw YAMLError(
            .value, "\(name) is not supported yet by this version of Narthex",
            at: position(of: name))
    }
}

/// What is wrong with a text that is no duration, in upstream's words.
package func durationProblem(_ text: String) -> String {
    if text.isEmpty { return "empty duration string" }
    var rest = Substring(text)
    var isOrdered = true
    var last = -1
    let units = ["y", "w", "d", "h", "m", "s", "ms"]
    let isDigit = { (character: Character) in ("0"..."9").contains(character) }
    while !rest.isEmpty {
        let digits = rest.prefix(while: isDigit)
        rest = rest.dropFirst(digits.count)
        let unit = rest.prefix { !isDigit($0) }
        rest = rest.dropFirst(unit.count)
        if digits.isEmpty || unit.isEmpty { return "not a valid duration string: \(quoted(text))" }
        guard let position = units.firstIndex(of: String(unit)) else {
            return "unknown unit \(quoted(String(unit))) in duration \(quoted(text))"
        }
        isOrdered = isOrdered && position > last
        last = position
    }
    return isOrdered ? "duration out of range" : "not a valid duration string: \(quoted(text))"
}

/// The path, taken from `directory` where it is relative. An empty path stays empty.
package func joined(_ directory: String, _ path: String) -> String {
    if path.isEmpty || path.hasPrefix("/") || directory.isEmpty || directory == "." { return path }
    return directory.hasSuffix("/") ? directory + path : directory + "/" + path
}

extension YAMLNode {
    /// A duration in Prometheus' notation.
    package static func duration(_ value: Milliseconds) -> YAMLNode {
        .string(DurationText.format(value))
    }

    /// A password or token, whose place is all that is ever shown of it.
    package static func secret(_ value: Secret) -> YAMLNode? {
        value.text.isEmpty ? nil : .string("<secret>")
    }
}
