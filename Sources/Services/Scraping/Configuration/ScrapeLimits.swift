// SPDX-License-Identifier: Apache-2.0

internal import Settings
package import YAML

/// How much a target may expose and a job may have. 0 means no limit.
package struct ScrapeLimits: Sendable, Hashable {
    package var bodySize = 0
    package var samples = 0
    package var targets = 0
    package var labels = 0
    package var labelNameLength = 0
    package var labelValueLength = 0
    package var keptDroppedTargets = 0

    package init() {}

    /// Takes the limits from among the fields of a section; those that are absent or 0 come from
    /// `inherited`.
    init(_ fields: inout YAMLMapping, inherited: ScrapeLimits) throws(YAMLError) {
        func own(_ value: Int?, _ outer: Int) -> Int {
            if let value, value != 0 { value } else { outer }
        }
        bodySize = own(try fields.byteSize("body_size_limit"), inherited.bodySize)
        samples = own(try fields.limit("sample_limit"), inherited.samples)
        targets = own(try fields.limit("target_limit"), inherited.targets)
        labels = own(try fields.limit("label_limit"), inherited.labels)
        labelNameLength = own(
            try fields.limit("label_name_length_limit"), inherited.labelNameLength)
        labelValueLength = own(
            try fields.limit("label_value_length_limit"), inherited.labelValueLength)
        keptDroppedTargets = own(
            try fields.limit("keep_dropped_targets"), inherited.keptDroppedTargets)
    }

    /// The limits in upstream's marshalled form, to be put among the fields of their section.
    package var yaml: [(String, YAMLNode?)] {
        func number(_ value: Int) -> YAMLNode? { value == 0 ? nil : .integer(value) }
        return [
            (
                "body_size_limit",
                bodySize == 0 ? nil : .string(ByteSize.format(bodySize))
            ),
            ("sample_limit", number(samples)), ("target_limit", number(targets)),
            ("label_limit", number(labels)),
            ("label_name_length_limit", number(labelNameLength)),
            ("label_value_length_limit", number(labelValueLength)),
            ("keep_dropped_targets", number(keptDroppedTargets)),
        ]
    }
}
