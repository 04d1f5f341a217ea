// SPDX-License-Identifier: Apache-2.0

internal import Model
package import YAML

/// What a relabelling rule does.
package enum RelabelAction: String, Sendable, Hashable, CaseIterable {
    case replace, keep, drop
    case keepEqual = "keepequal"
    case dropEqual = "dropequal"
    case hashMod = "hashmod"
    case labelMap = "labelmap"
    case labelDrop = "labeldrop"
    case labelKeep = "labelkeep"
    case lowercase, uppercase
}

/// A relabelling rule as written, unchecked.
package struct RelabelFields: Sendable, Hashable {
    package static let defaultRegex = "(.*)"
    package static let defaultSeparator = ";"
    package static let defaultReplacement = "$1"

    /// Nil where the field is there but empty, which no rule may be.
    package var action: RelabelAction? = .replace
    /// Nil where the field is absent.
    package var sourceLabels: [String]?
    package var separator = RelabelFields.defaultSeparator
    /// Nil where the field is absent; then `defaultRegex` counts.
    package var regex: String?
    package var modulus: UInt64 = 0
    package var targetLabel = ""
    package var replacement = RelabelFields.defaultReplacement

    package init() {}

    package init(_ node: YAMLNode) throws(YAMLError) {
        var fields = try YAMLMapping(node, "relabel.plain")
        sourceLabels = try fields.decode("source_labels") { list throws(YAMLError) in
            var names: [String] = []
            for element in try list.elements("model.LabelNames") {
                let name = try element.string(as: "valid label name")
                guard NameValidation.utf8.isValidLabelName(name) else {
                    throw element.invalid("\(quoted(name)) is not a valid label name")
                }
                names.append(name)
            }
            return names
        }
        separator = try fields.string("separator") ?? separator
        regex = try fields.string("regex")
        modulus = try fields.unsigned("modulus") ?? 0
        targetLabel = try fields.string("target_label") ?? ""
        replacement = try fields.string("replacement") ?? replacement
        if let written = fields.written("action") { action = try Self.action(written) }
        try fields.finish()
    }

    private static func action(_ node: YAMLNode) throws(YAMLError) -> RelabelAction? {
        if node.isNull { return nil }
        let text = try node.string()
        guard let action = RelabelAction(rawValue: text.lowercased()) else {
            let nearest = nearestName(
                to: text.lowercased(), among: RelabelAction.allCases.map(\.rawValue))
            throw node.invalid(
                "unknown relabel action \(quoted(text))",
                hint: nearest.map { "did you mean \"\($0)\"?" })
        }
        return action
    }

    /// The rule in upstream's marshalled form.
    package var yaml: YAMLNode {
        let sources = (sourceLabels ?? []).map { YAMLNode.string($0) }
        return .mapping([
            ("source_labels", sources.isEmpty ? nil : .sequence(sources, flow: true)),
            ("separator", .string(separator)),
            ("regex", regex.map { .string($0) }),
            ("modulus", modulus == 0 ? nil : .integer(modulus)),
            ("target_label", targetLabel.isEmpty ? nil : .string(targetLabel)),
            ("replacement", .string(replacement)),
            ("action", action.map { .string($0.rawValue) }),
        ])
    }
}
