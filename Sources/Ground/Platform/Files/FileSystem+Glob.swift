// SPDX-License-Identifier: Apache-2.0

extension FileSystem {
    /// The existing paths that a pattern stands for, sorted. Wildcards (`*`, `?`, `[a-z]`, as in
    /// Go's `filepath.Match`) count in the last element only, which is where configuration may have
    /// them. A folder that is missing or closed to us holds nothing.
    package func paths(matching pattern: String) -> [String] {
        let slash = pattern.lastIndex(of: "/")
        let directory = slash.map { String(pattern[...$0]) } ?? ""
        let element = slash.map { pattern[pattern.index(after: $0)...] } ?? pattern[...]
        guard element.contains(where: { "*?[\\".contains($0) }) else {
            let status = try? status(of: pattern)  // What cannot be looked at is not there.
            return (status ?? nil) == nil ? [] : [pattern]
        }
        let folder = directory.isEmpty ? "." : directory
        let entries = (try? entries(of: folder)) ?? []  // As above.
        return entries.map(\.name).filter { isMatch($0[...], element) }.map { directory + $0 }
    }
}

/// Whether a name fulfils a pattern. Backtracks to the last star only, so it takes no more than
/// quadratic time.
private func isMatch(_ name: Substring, _ pattern: Substring) -> Bool {
    var name = name
    var pattern = pattern
    var afterStar: Substring?
    var resume = name
    while !name.isEmpty || !pattern.isEmpty {
        if pattern.first == "*" {
            pattern = pattern.dropFirst()
            afterStar = pattern
            resume = name
            continue
        }
        var rest = pattern
        if let character = name.first, isSingleMatch(character, &rest) {
            name = name.dropFirst()
            pattern = rest
            continue
        }
        guard let star = afterStar, !resume.isEmpty else { return false }
        resume = resume.dropFirst()
        name = resume
        pattern = star
    }
    return true
}

/// Whether the first item of the pattern fits a character; takes the item.
private func isSingleMatch(_ character: Character, _ pattern: inout Substring) -> Bool {
    guard let first = pattern.first else { return false }
    pattern = pattern.dropFirst()
    switch first {
    case "?": return true
    case "\\": return pattern.popFirst() == character
    case "[":
        let isNegated = pattern.first == "^"
        if isNegated { pattern = pattern.dropFirst() }
        var isInside = false
        var isFirst = true
        while let low = pattern.popFirst(), low != "]" || isFirst {
            isFirst = false
            var high = low
            if pattern.first == "-", pattern.dropFirst().first != "]" {
                pattern = pattern.dropFirst()
                high = pattern.popFirst() ?? low
            }
            if low <= character, character <= high { isInside = true }
        }
        return isInside != isNegated
    default: return first == character
    }
}
