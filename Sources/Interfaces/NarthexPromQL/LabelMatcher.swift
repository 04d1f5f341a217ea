// SPDX-License-Identifier: Apache-2.0

internal import Model

/// One condition of a selector, such as `job=~"a|b"`. A label that a series does not have counts as
/// empty.
public struct LabelMatcher: Sendable, Hashable, CustomStringConvertible {
    public enum Comparison: String, Sendable, Hashable {
        case equal = "="
        case notEqual = "!="
        case matches = "=~"
        case doesNotMatch = "!~"
    }

    private let matcher: Matcher

    init(_ matcher: Matcher) { self.matcher = matcher }

    public var name: String { matcher.name }
    /// A value, or a regular expression in RE2's dialect that must fit the whole value.
    public var value: String { matcher.value }

    public var comparison: Comparison {
        switch matcher.operation {
        case .equal: .equal
        case .notEqual: .notEqual
        case .regexMatch: .matches
        case .regexNoMatch: .doesNotMatch
        }
    }

    public func isFulfilled(by value: String) -> Bool { matcher.matches(value) }
    public func isFulfilled(by labels: LabelSet) -> Bool { matcher.matches(labels.labels) }

    public var description: String { matcher.description }
}
