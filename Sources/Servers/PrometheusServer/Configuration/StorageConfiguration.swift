// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import Model
internal import Settings
internal import YAML

/// How long and how much the storage keeps.
struct Retention: Sendable, Hashable {
    var time: Milliseconds = 0
    var size = 0
    /// Of the disk that holds the data; wins over `size`.
    var percentage = 0.0

    /// Upstream's default where nobody says anything.
    static let standard = Retention(time: 15 * 86_400_000)
}

/// The `storage` section.
struct StorageConfiguration: Sendable, Hashable {
    var retention: Retention
    var maxExemplars: Int?
    /// How much older than the newest sample a sample may be and still be stored.
    var outOfOrderWindow: Milliseconds = 0
    /// Settings that are accepted and change nothing yet, for a warning.
    var ineffective: [String] = []
    private var floatEncoding = ""
    private var staleSeriesThreshold = 0.0

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
        if staleSeriesThreshold != 0 {
            ineffective.append("storage.tsdb.stale_series_compaction_threshold")
        }
        if let chunks = fields.take("chunk_encoding") { try decodeEncoding(chunks) }
        if let section = fields.take("retention") { retention = try Self.retention(section) }
        try fields.finish()
    }

    private mutating func decodeEncoding(_ node: YAMLNode) throws(YAMLError) {
        var fields = try YAMLMapping(node, "config.ChunkEncodingConfig")
        floatEncoding = try fields.string("floats") ?? ""
        guard ["", "xor", "xor2"].contains(floatEncoding) else {
            throw YAMLError(
                .value,
                "'storage.tsdb.chunk_encoding.floats' must be 'xor' or 'xor2', or the field must be "
                    + "omitted entirely, got \(quoted(floatEncoding))",
                at: fields.position(of: "floats"))
        }
        if floatEncoding == "xor2" { ineffective.append("storage.tsdb.chunk_encoding.floats") }
        try fields.finish()
    }

    private static func retention(_ node: YAMLNode) throws(YAMLError) -> Retention {
        var fields = try YAMLMapping(node, "config.plain")
        var retention = Retention()
        retention.time = try fields.duration("time") ?? 0
        retention.size = try fields.byteSize("size") ?? 0
        retention.percentage = try fields.double("percentage") ?? 0
        guard retention.size >= 0 else {
            throw YAMLError(
                .value,
                "'storage.tsdb.retention.size' must be greater than or equal to 0, got "
                    + ByteSize.format(retention.size), at: fields.position(of: "size"))
        }
        guard (0...100).contains(retention.percentage) else {
            throw YAMLError(
                .value,
                "'storage.tsdb.retention.percentage' must be in the range [0, 100], got "
                    + formatFloat(retention.percentage, style: .general),
                at: fields.position(of: "percentage"))
        }
        try fields.finish()
        return retention
    }

    /// The section in upstream's marshalled form.
    var yaml: YAMLNode {
        func number(_ value: Double) -> YAMLNode? {
            value == 0 ? nil : .plain(formatFloat(value, style: .general))
        }
        let keeping = YAMLNode.mapping([
            ("time", retention.time == 0 ? nil : .duration(retention.time)),
            ("size", retention.size == 0 ? nil : .string(ByteSize.format(retention.size))),
            ("percentage", number(retention.percentage)),
        ])
        let encoding = YAMLNode.mapping([("floats", .string(floatEncoding))])
        return .mapping([
            (
                "tsdb",
                .mapping([
                    ("outofordertimewindow", .integer(Int(outOfOrderWindow))),
                    (
                        "out_of_order_time_window",
                        outOfOrderWindow == 0 ? nil : .duration(outOfOrderWindow)
                    ),
                    ("stale_series_compaction_threshold", number(staleSeriesThreshold)),
                    ("chunk_encoding", floatEncoding.isEmpty ? nil : encoding),
                    ("retention", keeping),
                ])
            ),
            ("exemplars", maxExemplars.map { .mapping([("max_exemplars", .integer($0))]) }),
        ])
    }
}
