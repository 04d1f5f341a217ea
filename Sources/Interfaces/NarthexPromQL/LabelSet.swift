// SPDX-License-Identifier: Apache-2.0

internal import Model

/// The labels of a series, sorted by name; the metric's name is the label `__name__`. Compared and
/// ordered bytewise, so that texts that look alike stay apart.
public struct LabelSet: Sendable, Hashable, ExpressibleByDictionaryLiteral {
    let labels: Labels

    init(_ labels: Labels) { self.labels = labels }

    /// Labels with an empty value are those that a series does not have, and are left out. Of a
    /// name that is given several times, the last value counts.
    public init(_ pairs: some Sequence<(name: String, value: String)>) {
        var builder = LabelsBuilder()
        for (name, value) in pairs { builder.set(name, value) }
        labels = builder.labels()
    }

    public init(dictionaryLiteral elements: (String, String)...) {
        self.init(elements.lazy.map { (name: $0.0, value: $0.1) })
    }

    /// The value of a label, or nil where the series does not have it.
    public subscript(name: String) -> String? { labels[name] }

    /// The value of `__name__`.
    public var metricName: String? { labels.metricName }

    public var isEmpty: Bool { labels.isEmpty }

    /// Names and values, sorted by name.
    public var pairs: [(name: String, value: String)] { labels.map { ($0.name, $0.value) } }
}

extension LabelSet: Comparable, CustomStringConvertible {
    public static func < (left: LabelSet, right: LabelSet) -> Bool { left.labels < right.labels }

    /// In PromQL's notation: `{__name__="up", job="a"}`.
    public var description: String { labels.description }
}
