// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import LinearRegex
package import Model
package import YAML

/// A relabelling rule that has been checked and compiled. A value; any thread may apply it.
package struct RelabelRule: Sendable {
    package let fields: RelabelFields
    package let validation: NameValidation
    private let action: RelabelAction
    private let pattern: Pattern
    private let target: ReplacementTemplate
    private let replacement: ReplacementTemplate

    package init(_ fields: RelabelFields, _ validation: NameValidation) throws(RelabelError) {
        do {
            pattern = try Pattern(fields.regex ?? RelabelFields.defaultRegex)
        } catch {
            throw RelabelError(description: error.description)
        }
        action = try fields.validated(validation)
        target = ReplacementTemplate(fields.targetLabel)
        replacement = ReplacementTemplate(fields.replacement)
        self.fields = fields
        self.validation = validation
    }

    package init(_ node: YAMLNode, _ validation: NameValidation) throws(YAMLError) {
        let fields = try RelabelFields(node)
        do throws(RelabelError) {
            try self.init(fields, validation)
        } catch {
            throw node.invalid(error.description)
        }
    }

    /// Reads a list of rules. `complaint` is the error for an element that is null.
    package static func list(
        _ node: YAMLNode?, _ validation: NameValidation, nullElement complaint: String
    ) throws(YAMLError) -> [RelabelRule] {
        guard let node else { return [] }
        var rules: [RelabelRule] = []
        for element in try node.elements("[]*relabel.Config") {
            guard !element.isNull else { throw element.invalid(complaint) }
            rules.append(try RelabelRule(element, validation))
        }
        return rules
    }

    /// Changes the labels as the rule says. False where the rule drops the whole set.
    package func apply(to labels: inout LabelsBuilder) -> Bool {
        switch action {
        case .keep: return matches(joined(labels))
        case .drop: return !matches(joined(labels))
        case .keepEqual:
            return isEqualBytewise(labels[fields.targetLabel] ?? "", joined(labels))
        case .dropEqual:
            return !isEqualBytewise(labels[fields.targetLabel] ?? "", joined(labels))
        case .replace: replace(&labels)
        case .lowercase: labels.set(fields.targetLabel, joined(labels).goLowercased)
        case .uppercase: labels.set(fields.targetLabel, joined(labels).goUppercased)
        case .hashMod: labels.set(fields.targetLabel, String(bucket(joined(labels))))
        case .labelMap:
            for label in labels.all {
                guard let captures = pattern.wholeCaptures(in: label.name) else { continue }
                labels.set(replacement.expand(pattern, label.name, captures), label.value)
            }
        case .labelDrop:
            for label in labels.all where matches(label.name) { labels.remove(label.name) }
        case .labelKeep:
            for label in labels.all where !matches(label.name) { labels.remove(label.name) }
        }
        return true
    }

    private func joined(_ labels: LabelsBuilder) -> String {
        guard let names = fields.sourceLabels else { return "" }
        if names.count == 1 { return labels[names[0]] ?? "" }
        return names.map { labels[$0] ?? "" }.joined(separator: fields.separator)
    }

    private func matches(_ text: String) -> Bool { pattern.matchesWhole(text) }

    private func replace(_ labels: inout LabelsBuilder) {
        let value = joined(labels)
        if fields.regex == nil, !target.hasDollar, !replacement.hasDollar {
            return labels.set(fields.targetLabel, fields.replacement)
        }
        guard let captures = pattern.wholeCaptures(in: value) else { return }
        let name = target.expand(pattern, value, captures)
        guard validation.isValidLabelName(name) else { return }
        labels.set(name, replacement.expand(pattern, value, captures))
    }

    /// The last eight bytes of the MD5 digest, big-endian, modulo `modulus`.
    private func bucket(_ text: String) -> UInt64 {
        let digest = md5(Array(text.utf8))
        let hash = digest[8...].reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        return hash % fields.modulus
    }
}

extension RelabelRule: Hashable {
    package static func == (left: Self, right: Self) -> Bool {
        left.fields == right.fields && left.validation == right.validation
    }

    package func hash(into hasher: inout Hasher) {
        hasher.combine(fields)
        hasher.combine(validation)
    }
}

/// Applies the rules in order. Nil where one of them drops the set.
package func relabel(_ labels: Labels, _ rules: [RelabelRule]) -> Labels? {
    if rules.isEmpty { return labels }
    var builder = LabelsBuilder(labels)
    for rule in rules where !rule.apply(to: &builder) { return nil }
    return builder.labels()
}
