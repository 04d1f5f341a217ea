// SPDX-License-Identifier: Apache-2.0

package import Model
internal import YAML

/// Targets that came from one place and share labels. `source` names the place: a later group of
/// the same source replaces an earlier one, and a group without targets removes it.
package struct TargetGroup: Sendable, Hashable {
    package var source: String
    /// What sets the targets apart, at least `__address__`.
    package var targets: [Labels]
    package var labels: Labels

    package init(source: String, targets: [Labels], labels: Labels) {
        self.source = source
        self.targets = targets
        self.labels = labels
    }
}

extension TargetGroup {
    package static let address = "__address__"

    /// Decodes `{targets: [host:port], labels: {name: value}}`. In JSON text (`quotedOnly`) values
    /// that are no strings are refused.
    init(_ node: YAMLNode, source: String, quotedOnly: Bool = false) throws(YAMLError) {
        var fields = try YAMLMapping(node, "struct { Targets []string; Labels model.LabelSet }")
        self.source = source
        targets = try fields.list("targets", "[]string") { element throws(YAMLError) in
            let address = try Self.text(element, quotedOnly)
            return Labels([Label(Self.address, address)])
        }
        var builder = LabelsBuilder()
        if let written = fields.take("labels") {
            for (key, value) in try written.entries("model.LabelSet") {
                let name = try key.string(as: "valid label name")
                guard NameValidation.utf8.isValidLabelName(name) else {
                    throw key.invalid("\(quoted(name)) is not a valid label name")
                }
                builder.set(name, try Self.text(value, quotedOnly))
            }
        }
        labels = builder.labels()
        try fields.finish()
    }

    private static func text(_ node: YAMLNode, _ quotedOnly: Bool) throws(YAMLError) -> String {
        if quotedOnly, node.resolvedTag != "!!str" { throw node.mismatch("string") }
        return node.isNull ? "" : try node.string(as: "valid label value")
    }

    /// The group in upstream's marshalled form.
    var yaml: YAMLNode {
        let labels = labels.map { ($0.name, Optional(YAMLNode.string($0.value))) }
        return .mapping([
            ("targets", .sequence(targets.map { .string($0[Self.address] ?? "") })),
            ("labels", labels.isEmpty ? nil : .mapping(labels)),
        ])
    }
}
