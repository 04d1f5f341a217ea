// SPDX-License-Identifier: Apache-2.0

#if canImport(Model)
    import Bytes
    import Foundation
    import Model

    /// `labels/`: regular expressions, single matchers, names, and the text form of label sets.
    struct LabelsArea: Area {
        let name = "labels"

        func run(_ folder: URL) throws -> [FileReport] {
            let folder = folder.appendingPathComponent(name)
            return [
                try patterns(folder),
                try report(folder, "matchers.json") { element in
                    let operation = Matcher.Operation(rawValue: text(element["op"]))
                    guard let operation else { return "no such operation" }
                    let matcher = try Matcher("l", operation, text(element["pattern"]))
                    let found = matcher.matches(text(element["value"]))
                    return found == element["match"] as? Bool ? nil : "matches: \(found)"
                },
                try report(folder, "validity.json") { element in
                    guard let scheme = NameValidation(rawValue: text(element["scheme"])) else {
                        return "no such scheme"
                    }
                    let labels = element["labels"] as? [String: String] ?? [:]
                    let isValid = labels.allSatisfy { name, value in
                        isValidUTF8(foreignBytes(value).raw) && scheme.isValidLabelName(name)
                            && (name != LabelName.metric || scheme.isValidMetricName(value))
                    }
                    return isValid == element["valid"] as? Bool ? nil : "valid: \(isValid)"
                },
                try report(folder, "string.json") { element in
                    let labels = element["labels"] as? [String: String] ?? [:]
                    let found = Labels(labels.map { Label($0.key, $0.value) }).description
                    return found == text(element["string"]) ? nil : found
                },
            ]
        }

        /// The bytes that a text of the table stands for. Upstream's table has the lone byte E2,
        /// which JSON cannot hold; it came out as the replacement character.
        private func foreignBytes(_ text: String) -> [UInt8] {
            text.unicodeScalars.flatMap { scalar in
                scalar == "\u{FFFD}" ? [0xE2] : Array(String(scalar).utf8)
            }
        }

        private func text(_ value: Any?) -> String { value as? String ?? "" }

        private func report(
            _ folder: URL, _ file: String, _ check: ([String: Any]) throws -> String?
        ) throws -> FileReport {
            var report = FileReport(name: "\(name)/\(file)")
            let content = try readJSON(folder.appendingPathComponent(file)) as? [String: Any]
            for (index, element) in (content?["cases"] as? [[String: Any]] ?? []).enumerated() {
                var failure: String?
                do { failure = try check(element) } catch { failure = "\(error)" }
                report.record("case \(index)", failure)
            }
            return report
        }

        /// `regex.json` has one list of values for all its patterns.
        private func patterns(_ folder: URL) throws -> FileReport {
            let content =
                try readJSON(folder.appendingPathComponent("regex.json")) as? [String: Any]
            let values: [[UInt8]] = (content?["values"] as? [Any] ?? []).map { value in
                if let encoded = (value as? [String: String])?["base64"] {
                    return Array(Data(base64Encoded: encoded) ?? Data())
                }
                return Array(text(value).utf8)
            }
            return try report(folder, "regex.json") { element in
                let matcher = try Matcher("l", .regexMatch, text(element["regex"]))
                let found = values.indices.filter { index in
                    let value = values[index]
                    return matcher.matches(value.raw)
                }
                return found == element["matches"] as? [Int]
                    ? nil
                    : "\(text(element["regex"])): \(found), not \(element["matches"] ?? "none")"
            }
        }
    }
#endif
