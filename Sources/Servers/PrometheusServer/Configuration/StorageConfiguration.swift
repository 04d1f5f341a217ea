// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import ChunkEncoding
internal import Model
internal import Settings
internal import TSDB
internal import YAML

/// The `storage` section.
struct StorageConfiguration: Sendable, Hashable {
    var retention: Retention
    /// Ours: series that are kept for another time than the rest.
    var seriesRetention: [SeriesRetentionRule] = []
    var maxExemplars: Int?
    /// How much older than the newest sample a sample may be and still be stored.
    var outOfOrderWindow: Milliseconds = 0
    /// Ours: how merged blocks hold their floats.
    var blockEncoding = BlockEncoding.xor
    /// How chunks of floats are written; nil where the configuration does not say.
    var floatEncoding: FloatEncoding?
    /// From which share of stale series on these leave the head early; zero for never.
    private(set) var staleSeriesThreshold = 0.0

    /// `flags` is what the command line says about retention; it counts where the section says
    /// nothing.
    init(flags: Retention) { retention = flags }

    init(_ node: YAMLNode, flags: Retention) throws(YAMLError) {
        retention = flags
        var fields = try YAMLMapping(node, "config.plain")
        if let tsdb = fields.take("tsdb") { try decodeTSDB(tsdb) }
        if let exemplars = fields.take("exemplars") {
            var inner = try YAMLMapping(exemplars, "config.ExemplarsConfig")
            maxExemplars = try inner.integer("max_exemplars") ?? 0
            try inner.finish()
        }
        try fields.finish()
    }

    private mutating func decodeTSDB(_ node: YAMLNode) throws(YAMLError) {
        var fields = try YAMLMapping(node, "config.plain")
        outOfOrderWindow = try fields.duration("out_of_order_time_window") ?? 0
        staleSeriesThreshold = try fields.double("stale_series_compaction_threshold") ?? 0
        try decodeBlockEncoding(&fields)
        if let chunks = fields.take("chunk_encoding") { try decodeEncoding(chunks) }
        seriesRetention = try fields.list(
            SeriesRetentionRule.key, "[]config.NarthexSeriesRetention"
        ) { node throws(YAMLError) in try SeriesRetentionRule(node) }
        if seriesRetention.count > SeriesRetentionRule.limit {
            throw YAMLError(
                .value,
                "'storage.tsdb.\(SeriesRetentionRule.key)' has more than "
                    + "\(SeriesRetentionRule.limit) elements",
                at: fields.position(of: SeriesRetentionRule.key))
        }
        if let section = fields.take("retention") { retention = try Retention(section) }
        try fields.finish()
    }

    private mutating func decodeBlockEncoding(
        _ fields: inout YAMLMapping
    ) throws(YAMLError) {
        guard let text = try fields.string("block_encoding"), !text.isEmpty else { return }
        guard let encoding = BlockEncoding(rawValue: text) else {
            throw YAMLError(
                .value,
                "'storage.tsdb.block_encoding' must be 'xor' or 'dense', or the field must be "
                    + "omitted entirely, got \(quoted(text))",
                at: fields.position(of: "block_encoding"))
        }
        blockEncoding = encoding
    }

    private mutating func decodeEncoding(_ node: YAMLNode) throws(YAMLError) {
        var fields = try YAMLMapping(node, "config.ChunkEncodingConfig")
        if let text = try fields.string("floats"), !text.isEmpty {
            floatEncoding = FloatEncoding(rawValue: text)
            guard floatEncoding != nil else {
                throw YAMLError(
                    .value,
                    "'storage.tsdb.chunk_encoding.floats' must be 'xor' or 'xor2', or the field "
                        + "must be omitted entirely, got \(quoted(text))",
                    at: fields.position(of: "floats"))
            }
        }
        try fields.finish()
    }

    /// The section in upstream's marshalled form.
    var yaml: YAMLNode {
        let encoding = floatEncoding.map {
            YAMLNode.mapping([("floats", .string($0.rawValue))])
        }
        return .mapping([
            (
                "tsdb",
                .mapping([
                    ("outofordertimewindow", .integer(Int(outOfOrderWindow))),
                    (
                        "out_of_order_time_window",
                        outOfOrderWindow == 0 ? nil : .duration(outOfOrderWindow)
                    ),
                    ("stale_series_compaction_threshold", YAMLNode.number(staleSeriesThreshold)),
                    ("chunk_encoding", encoding),
                    (
                        "block_encoding",
                        blockEncoding == .xor ? nil : .plain(blockEncoding.rawValue)
                    ),
                    ("retention", retention.yaml),
                    (
                        SeriesRetentionRule.key,
                        seriesRetention.isEmpty ? nil : .sequence(seriesRetention.map(\.yaml))
                    ),
                ])
            ),
            ("exemplars", maxExemplars.map { .mapping([("max_exemplars", .integer($0))]) }),
        ])
    }
}

extension YAMLNode {
    /// A float as upstream writes it; nothing for zero.
    static func number(_ value: Double) -> YAMLNode? {
        value == 0 ? nil : .plain(formatFloat(value, style: .general))
    }
}
