// SPDX-License-Identifier: Apache-2.0

/// Numbers of bytes in the notation of flags and configuration: `512MB`, `1.5GiB`, `1GB512MB`.
/// Every unit is a power of 1024, with or without the `i`, but not mixed.
package enum ByteSize {
    private static let prefixes = ["K", "M", "G", "T", "P", "E"]

    private static func factor(_ unit: Substring, _ suffix: String) -> Double? {
        if unit == "B" { return 1 }
        guard unit.hasSuffix(suffix) else { return nil }
        let prefix = String(unit.dropLast(suffix.count))
        guard let power = prefixes.firstIndex(of: prefix) else { return nil }
        return (0...power).reduce(1) { size, _ in size * 1024 }
    }

    /// The size, or a sentence that says what is wrong with the text.
    package static func parse(_ text: String) -> Result<Int, ByteSizeError> {
        if text == "0" { return .success(0) }
        switch parse(text, suffix: "iB") {
        case .success(let size): return .success(size)
        case .failure: return parse(text, suffix: "B")
        }
    }

    private static func parse(_ text: String, suffix: String) -> Result<Int, ByteSizeError> {
        let invalid = ByteSizeError(description: "units: invalid \(text)")
        var rest = Substring(text)
        let isNegative = rest.first == "-"
        if isNegative || rest.first == "+" { rest = rest.dropFirst() }
        guard !rest.isEmpty else { return .failure(invalid) }
        var total = 0.0
        while !rest.isEmpty {
            let number = rest.prefix { $0 == "." || ("0"..."9").contains($0) }
            rest = rest.dropFirst(number.count)
            let unit = rest.prefix { $0 != "." && !("0"..."9").contains($0) }
            rest = rest.dropFirst(unit.count)
            guard let amount = Double(number) else { return .failure(invalid) }
            guard let factor = factor(unit, suffix) else {
                return .failure(
                    ByteSizeError(description: "units: unknown unit \(unit) in \(text)"))
            }
            total += amount * factor
        }
        guard let size = Int(exactly: (isNegative ? -total : total).rounded(.towardZero)) else {
            return .failure(invalid)
        }
        return .success(size)
    }

    /// `1GiB512MiB`: the largest unit first, each as a whole number.
    package static func format(_ size: Int) -> String {
        if size == 0 { return "0B" }
        var rest = size.magnitude
        var text = size < 0 ? "-" : ""
        for (power, prefix) in prefixes.enumerated().reversed() {
            let unit = UInt(1) << (UInt(power + 1) * 10)
            if rest >= unit { text += "\(rest / unit)\(prefix)iB" }
            rest %= unit
        }
        return rest > 0 ? text + "\(rest)B" : text
    }
}

package struct ByteSizeError: Error, Sendable, Hashable, CustomStringConvertible {
    package var description: String
}
