// SPDX-License-Identifier: Apache-2.0

internal import Model
internal import PromQLSyntax
internal import Settings
internal import TSDB
internal import YAML

/// An element of `storage.tsdb.narthex_series_retention`: series that are kept for a time of their
/// own. Upstream has nothing like it and refuses the key.
struct SeriesRetentionRule: Sendable, Hashable {
    static let key = "narthex_series_retention"
    static let limit = SeriesRetention.limit

    /// As they are written.
    private var texts: [String]
    private(set) var retention: SeriesRetention

    init(_ node: YAMLNode) throws(YAMLError) {
        var fields = try YAMLMapping(node, "config.NarthexSeriesRetention")
        texts = try fields.strings("match") ?? []
        let time = try fields.duration("time")
        guard !texts.isEmpty else {
            throw node.invalid("'\(Self.key)': 'match' must name at least one selector")
        }
        guard let time else {
            throw node.invalid("'\(Self.key)': 'time' is missing; 0s keeps the series for ever")
        }
        var selectors: [[Matcher]] = []
        for text in texts {
            let matchers: [Matcher]
            do throws(ParseError) {
                matchers = try parseMetricSelector(text)
            } catch {
                throw node.invalid("'\(Self.key)': selector \(quoted(text)): \(error)")
            }
            guard matchers.contains(where: { !$0.matchesEmpty }) else {
                throw node.invalid(
                    "'\(Self.key)': selector \(quoted(text)) must contain at least one non-empty "
                        + "matcher")
            }
            selectors.append(matchers)
        }
        retention = SeriesRetention(selectors: selectors, time: time)
        try fields.finish()
    }

    var yaml: YAMLNode {
        .mapping([
            ("match", .sequence(texts.map { .string($0) })), ("time", .duration(retention.time)),
        ])
    }
}
