// SPDX-License-Identifier: Apache-2.0

/// The name that `U__…` stands for: `__` is an underscore, `_1F600_` the character with that code.
/// A text that is not escaped that way stands for itself.
/// Source: https://prometheus.io/docs/instrumenting/escaping_schemes (values escaping)
func unescapedName(_ text: String) -> String {
    guard text.hasPrefix("U__") else { return text }
    var result = ""
    var rest = text.unicodeScalars.dropFirst(3)
    while let scalar = rest.popFirst() {
        guard scalar == "_" else {
            result.unicodeScalars.append(scalar)
            continue
        }
        if rest.first == "_" {
            rest.removeFirst()
            result += "_"
            continue
        }
        let digits = rest.prefix { $0 != "_" }
        guard (1...6).contains(digits.count), digits.endIndex != rest.endIndex,
            let code = UInt32(String(String.UnicodeScalarView(digits)), radix: 16),
            let character = Unicode.Scalar(code)
        else { return text }
        result.unicodeScalars.append(character)
        rest = rest[rest.index(after: digits.endIndex)...]
    }
    return result
}
