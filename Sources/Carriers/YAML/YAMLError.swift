// SPDX-License-Identifier: Apache-2.0

/// What is wrong with a YAML text, where, and perhaps what was meant.
package struct YAMLError: Error, Sendable, CustomStringConvertible {
    package enum Kind: Sendable, Hashable {
        /// The text is no YAML.
        case syntax
        /// A field that does not exist, appears twice, or holds another type.
        case shape
        /// Well-formed, but the value is not allowed.
        case value
    }

    package var kind: Kind
    package var message: String
    package var position: YAMLPosition?
    /// The file as the user named it.
    package var file: String?
    /// A suggestion: `did you mean "scrape_configs"?`
    package var hint: String?

    package init(
        _ kind: Kind, _ message: String, at position: YAMLPosition?, hint: String? = nil
    ) {
        self.kind = kind
        self.message = message
        self.position = position
        self.hint = hint
    }

    /// The same error, in a file. The innermost file counts.
    package func inFile(_ name: String) -> YAMLError {
        var copy = self
        copy.file = file ?? name
        return copy
    }

    /// Upstream's text without the file, with column and hint added to it.
    package var text: String {
        let place = position.map { "line \($0.line), column \($0.column): " } ?? ""
        let suggestion = hint.map { "; \($0)" } ?? ""
        switch kind {
        case .syntax: return "yaml: \(place)\(message)\(suggestion)"
        case .shape: return "yaml: unmarshal errors:\n  \(place)\(message)\(suggestion)"
        case .value:
            let place = position.map { " (line \($0.line), column \($0.column))" } ?? ""
            return "\(message)\(place)\(suggestion)"
        }
    }

    package var description: String { (file.map { "parsing YAML file \($0): " } ?? "") + text }
}

extension YAMLNode {
    /// The error for a value that is well-formed but not allowed.
    package func invalid(_ message: String, hint: String? = nil) -> YAMLError {
        YAMLError(.value, message, at: position, hint: hint)
    }

    /// The error for a node that does not fit `type`, in the wording of Go's yaml package.
    package func mismatch(_ type: String) -> YAMLError {
        var shown = ""
        if case .scalar(let scalar) = content {
            let isLong = scalar.text.utf8.count > 10
            shown =
                isLong
                ? " `\(String(decoding: scalar.text.utf8.prefix(7), as: UTF8.self))...`"
                : " `\(scalar.text)`"
        }
        return YAMLError(
            .shape, "cannot unmarshal \(resolvedTag)\(shown) into \(type)", at: position)
    }
}

/// Which of `names` the reader probably meant by `name`: the nearest one, where it is near.
package func nearestName(to name: String, among names: some Sequence<String>) -> String? {
    let wanted = Array(name.utf8)
    guard wanted.count < 100 else { return nil }
    let allowed = max(1, min(3, wanted.count / 3))
    let scored = names.map { ($0, editDistance(wanted, Array($0.utf8))) }
    return scored.min { $0.1 < $1.1 }.flatMap { $0.1 <= allowed ? $0.0 : nil }
}

/// Levenshtein's distance with transpositions of neighbours, row by row.
private func editDistance(_ left: [UInt8], _ right: [UInt8]) -> Int {
    var beforeLast: [Int] = []
    var last = Array(0...right.count)
    for (row, byte) in left.enumerated() {
        var current = [row + 1]
        for (column, other) in right.enumerated() {
            var best = min(
                last[column + 1] + 1, current[column] + 1, last[column] + (byte == other ? 0 : 1))
            if row > 0, column > 0, byte == right[column - 1], left[row - 1] == other {
                best = min(best, beforeLast[column - 1] + 1)
            }
            current.append(best)
        }
        (beforeLast, last) = (last, current)
    }
    return last[right.count]
}
