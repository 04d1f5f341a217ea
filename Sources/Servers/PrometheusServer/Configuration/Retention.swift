// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import Model
internal import Settings
internal import YAML

/// How long and how much the storage keeps: `storage.tsdb.retention`, or what the flags say.
struct Retention: Sendable, Hashable, CustomStringConvertible {
    var time: Milliseconds = 0
    var size = 0
    /// Of the disk that holds the data; wins over `size`.
    var percentage = 0.0

    /// Upstream's default where nobody says anything.
    static let standard = Retention(time: 15 * 86_400_000)

    /// As the status pages show it: `15d`, `15d or 1GiB`, `15d or 20%`.
    var description: String {
        var parts: [String] = []
        if time > 0 { parts.append(DurationText.format(time)) }
        if size > 0 { parts.append(ByteSize.format(size)) }
        if percentage > 0 { parts.append(shownPercentage) }
        return parts.joined(separator: " or ")
    }

    var shownPercentage: String { formatFloat(percentage, style: .general) + "%" }
}

extension Retention {
    init(_ node: YAMLNode) throws(YAMLError) {
        self.init()
        var fields = try YAMLMapping(node, "config.plain")
        time = try fields.duration("time") ?? 0
        size = try fields.byteSize("size") ?? 0
        percentage = try fields.double("percentage") ?? 0
        guard size >= 0 else {
            throw YAMLError(
                .value,
                "'storage.tsdb.retention.size' must be greater than or equal to 0, got "
                    + ByteSize.format(size), at: fields.position(of: "size"))
        }
        guard (0...100).contains(percentage) else {
            throw YAMLError(
                .value,
                "'storage.tsdb.retention.percentage' must be in the range [0, 100], got "
                    + formatFloat(percentage, style: .general),
                at: fields.position(of: "percentage"))
        }
        try fields.finish()
    }

    /// The section in upstream's marshalled form.
    var yaml: YAMLNode {
        .mapping([
            ("time", time == 0 ? nil : .duration(time)),
            ("size", size == 0 ? nil : .string(ByteSize.format(size))),
            ("percentage", .number(percentage)),
        ])
    }
}
