// SPDX-License-Identifier: Apache-2.0

/// The parameters of a request in order: those of a form in its body, then those of its URL. Parsed
/// as Go's `url.ParseQuery` does: pairs split at `&`, a pair with a semicolon or a bad escape is
/// left out and remembered as the error.
package struct Parameters: Sendable, Hashable {
    package private(set) var pairs: [Pair] = []
    /// The first fault; everything without fault is in `pairs` all the same.
    package private(set) var error: EncodingError?

    package struct Pair: Sendable, Hashable {
        package var name: String
        package var value: String
    }

    package init() {}

    package init(parsing text: String) { parse(text) }

    package mutating func parse(_ text: String) {
        for part in text.split(separator: "&" as Character) {
            do throws(EncodingError) {
                guard !part.utf8.contains(UInt8(ascii: ";")) else {
                    throw EncodingError(description: "invalid semicolon separator in query")
                }
                let halves = part.split(
                    separator: "=" as Character, maxSplits: 1, omittingEmptySubsequences: false)
                let name = try percentDecoded(halves[0], plusIsBlank: true)
                let value =
                    halves.count > 1 ? try percentDecoded(halves[1], plusIsBlank: true) : ""
                pairs.append(Pair(name: name, value: value))
            } catch {
                if self.error == nil { self.error = error }
            }
        }
    }

    /// The first value of a name; the empty text where there is none, as Go's `FormValue`.
    package subscript(name: String) -> String {
        pairs.first { $0.name.utf8.elementsEqual(name.utf8) }?.value ?? ""
    }

    package func all(_ name: String) -> [String] {
        pairs.filter { $0.name.utf8.elementsEqual(name.utf8) }.map(\.value)
    }
}
