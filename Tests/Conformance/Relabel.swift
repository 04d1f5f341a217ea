// SPDX-License-Identifier: Apache-2.0

#if canImport(Relabeling)
    import Foundation
    import Model
    import Relabeling
    import YAML

    /// `relabel/`: rules applied to label sets, the checks of rules, and their marshalled form.
    struct RelabelArea: Area {
        let name = "relabel"

        func run(_ folder: URL) throws -> [FileReport] {
            let folder = folder.appendingPathComponent(name)
            return try [
                report(folder, "relabel.json", applied), report(folder, "validate.json", validated),
                report(folder, "roundtrip.json", roundTripped),
            ]
        }

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

        private func applied(_ element: [String: Any]) throws -> String? {
            let rules = try RelabelRule.list(
                YAMLNode(parsing: element["relabel_configs_yaml"] as? String ?? ""), .utf8,
                nullElement: "null")
            func labels(_ key: String) -> Labels {
                Labels((element[key] as? [String: String] ?? [:]).map { Label($0.key, $0.value) })
            }
            let result = relabel(labels("input"), rules)
            guard (result != nil) == (element["keep"] as? Bool) else {
                return "kept is \(result != nil)"
            }
            guard let result, result != labels("output") else { return nil }
            return "gave \(result), wanted \(labels("output"))"
        }

        private func validated(_ element: [String: Any]) throws -> String? {
            var fields = RelabelFields()
            fields.action = RelabelAction(rawValue: element["action"] as? String ?? "")
            fields.sourceLabels = element["source_labels"] as? [String]
            fields.separator = element["separator"] as? String ?? ""
            fields.regex = element["regex"] as? String
            fields.modulus = (element["modulus"] as? NSNumber)?.uint64Value ?? 0
            fields.targetLabel = element["target_label"] as? String ?? ""
            fields.replacement = element["replacement"] as? String ?? ""
            let scheme = NameValidation(rawValue: element["validation_scheme"] as? String ?? "")
            let isValid = element["ok"] as? Bool ?? false
            do {
                _ = try RelabelRule(fields, scheme ?? .utf8)
                return isValid ? nil : "was accepted"
            } catch {
                let expected = element["error_contains"] as? String ?? ""
                return !isValid && error.description.contains(expected) ? nil : error.description
            }
        }

        private func roundTripped(_ element: [String: Any]) throws -> String? {
            let text = element["yaml"] as? String ?? ""
            guard let node = try YAMLNode(parsing: text) else { return "is empty" }
            let written = try RelabelFields(node).yaml.yaml()
            return written == text ? nil : "gave \(written)"
        }
    }
#endif
