// SPDX-License-Identifier: Apache-2.0

package import Model
package import YAML

/// How names outside the legacy alphabet are asked for from targets.
package enum NameEscaping: String, Sendable, Hashable, CaseIterable {
    case allowUTF8 = "allow-utf-8"
    case underscores, dots, values

    static func read(_ fields: inout YAMLMapping, scope: String) throws(YAMLError) -> NameEscaping?
    {
        guard let node = fields.take("metric_name_escaping_scheme") else { return nil }
        let text = try node.string()
        if text.isEmpty { return nil }
        guard let escaping = NameEscaping(rawValue: text) else {
            let choices = ["allow-utf-8", "underscores", "dots", "values"]
            throw node.invalid(
                "unknown \(scope) name escaping method specified, must be one of "
                    + "'\(choices.dropLast().joined(separator: "', '"))', or 'values', got "
                    + quoted(text),
                hint: nearestName(to: text, among: choices).map { "did you mean \"\($0)\"?" })
        }
        return escaping
    }
}

/// Which names a job accepts.
package struct NameSettings: Sendable, Hashable {
    package var validation: NameValidation
    package var escaping: NameEscaping
    /// The value as written, or nil; dumps show no more than that.
    var writtenEscaping: NameEscaping?

    package static let standard = NameSettings(validation: .utf8, escaping: .allowUTF8)

    init(validation: NameValidation, escaping: NameEscaping) {
        self.validation = validation
        self.escaping = escaping
        writtenEscaping = escaping
    }

    /// Takes the settings of the global section.
    init(global fields: inout YAMLMapping) throws(YAMLError) {
        validation = try Self.validation(&fields) ?? .utf8
        writtenEscaping = try NameEscaping.read(&fields, scope: "global")
        escaping = writtenEscaping ?? (validation == .legacy ? .underscores : .allowUTF8)
    }

    /// Takes the settings of a job. Escaping follows the job's validation where that is set.
    init(job fields: inout YAMLMapping, global: NameSettings) throws(YAMLError) {
        let own = try Self.validation(&fields)
        validation = own ?? global.validation
        let position = fields.position(of: "metric_name_escaping_scheme")
        let written = try NameEscaping.read(&fields, scope: "scrape config")
        let inferred: NameEscaping =
            own.map { $0 == .legacy ? .underscores : .allowUTF8 } ?? global.escaping
        escaping = written ?? inferred
        writtenEscaping = escaping
        guard escaping != .allowUTF8 || validation == .utf8 else {
            throw YAMLError(
                .value, "utf8 metric names requested but validation scheme is not set to UTF8",
                at: position)
        }
    }

    private static func validation(
        _ fields: inout YAMLMapping
    ) throws(YAMLError) -> NameValidation? {
        guard let node = fields.take("metric_name_validation_scheme") else { return nil }
        let text = try node.string()
        if text.isEmpty { return nil }
        guard let validation = NameValidation(rawValue: text) else {
            throw node.invalid(
                "unrecognized ValidationScheme: \(quoted(text))", hint: "it is utf8 or legacy")
        }
        return validation
    }

    package var yaml: [(String, YAMLNode?)] {
        [
            ("metric_name_validation_scheme", .string(validation.rawValue)),
            ("metric_name_escaping_scheme", writtenEscaping.map { .string($0.rawValue) }),
        ]
    }
}
