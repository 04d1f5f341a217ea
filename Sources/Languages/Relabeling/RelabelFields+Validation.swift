// SPDX-License-Identifier: Apache-2.0

internal import Model

/// Why a rule was refused, in upstream's words.
package struct RelabelError: Error, Sendable, Hashable, CustomStringConvertible {
    package var description: String
}

extension RelabelFields {
    /// Checks the fields against each other and hands out the action.
    func validated(_ validation: NameValidation) throws(RelabelError) -> RelabelAction {
        guard let action else { throw RelabelError(description: "relabel action cannot be empty") }
        if action == .hashMod, modulus == 0 {
            throw RelabelError(
                description: "relabel configuration for hashmod requires non-zero modulus")
        }
        switch action {
        case .replace, .hashMod, .lowercase, .uppercase, .keepEqual, .dropEqual:
            guard !targetLabel.isEmpty else {
                throw RelabelError(
                    description: "relabel configuration for \(action.rawValue) action requires "
                        + "'target_label' value")
            }
        case .keep, .drop, .labelMap, .labelDrop, .labelKeep: break
        }
        try checkNames(action, validation)
        try checkSuperfluous(action)
        return action
    }

    private func checkNames(
        _ action: RelabelAction, _ validation: NameValidation
    ) throws(RelabelError) {
        let mayVary = action == .replace && targetLabel.contains("$")
        let isTargetValid =
            mayVary
            ? isValidTemplate(targetLabel, validation) : validation.isValidLabelName(targetLabel)
        switch action {
        case .replace, .hashMod, .lowercase, .uppercase, .keepEqual, .dropEqual:
            guard isTargetValid else {
                throw RelabelError(
                    description: "\(quoted(targetLabel)) is invalid 'target_label' for "
                        + "\(action.rawValue) action")
            }
        case .labelMap:
            guard isValidTemplate(replacement, validation) else {
                throw RelabelError(
                    description:
                        "\(quoted(replacement)) is invalid 'replacement' for labelmap action")
            }
        case .keep, .drop, .labelDrop, .labelKeep: break
        }
    }

    /// Refuses fields that the action would not look at.
    private func checkSuperfluous(_ action: RelabelAction) throws(RelabelError) {
        let hasOnlyDefaults =
            modulus == 0 && separator == Self.defaultSeparator
            && replacement == Self.defaultReplacement
        switch action {
        case .lowercase, .uppercase, .keepEqual, .dropEqual:
            guard replacement == Self.defaultReplacement else {
                throw RelabelError(
                    description: "'replacement' can not be set for \(action.rawValue) action")
            }
            guard action == .lowercase || action == .uppercase || (regex == nil && hasOnlyDefaults)
            else {
                throw RelabelError(
                    description: "\(action.rawValue) action requires only 'source_labels' and "
                        + "`target_label`, and no other fields")
            }
        case .labelDrop, .labelKeep:
            guard sourceLabels == nil, targetLabel.isEmpty, hasOnlyDefaults else {
                throw RelabelError(
                    description:
                        "\(action.rawValue) action requires only 'regex', and no other fields")
            }
        case .replace, .keep, .drop, .hashMod, .labelMap: break
        }
    }
}

/// Whether a template can become a label name. Under the legacy rules: letters, digits and
/// references (`$name`, `${name}`), no digit first. UTF-8 names may hold anything, a dollar sign
/// too.
private func isValidTemplate(_ template: String, _ validation: NameValidation) -> Bool {
    guard validation == .legacy else { return validation.isValidLabelName(template) }
    func isWord(_ byte: UInt8) -> Bool {
        isLegacyLabelName(String(UnicodeScalar(byte)))
            || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
    }
    var rest = Substring(template).utf8
    guard let first = rest.first, !(UInt8(ascii: "0")...UInt8(ascii: "9")).contains(first) else {
        return false
    }
    while let byte = rest.first {
        rest = rest.dropFirst()
        if isWord(byte) { continue }
        guard byte == UInt8(ascii: "$") else { return false }
        let isBraced = rest.first == UInt8(ascii: "{")
        if isBraced { rest = rest.dropFirst() }
        let name = rest.prefix(while: isWord)
        rest = rest.dropFirst(name.count)
        guard !name.isEmpty else { return false }
        if isBraced {
            guard rest.first == UInt8(ascii: "}") else { return false }
            rest = rest.dropFirst()
        }
    }
    return true
}
