// SPDX-License-Identifier: Apache-2.0

#if canImport(PrometheusServer)
    import Foundation
    import Platform
    import PrometheusServer

    /// `config/prometheus/`: whole configurations, good and bad, with the files they include.
    struct PrometheusConfigurationArea: Area {
        let name = "config"

        func run(_ folder: URL) throws -> [FileReport] {
            let folder = folder.appendingPathComponent("config/prometheus")
            let index = try readJSON(folder.appendingPathComponent("index.json")) as? [String: Any]
            var report = FileReport(name: "config/prometheus")
            for element in index?["cases"] as? [[String: Any]] ?? [] {
                let file = element["file"] as? String ?? ""
                report.record(
                    file, failure(element, folder.appendingPathComponent(file).path, file))
            }
            return [report]
        }

        private func failure(_ element: [String: Any], _ path: String, _ file: String) -> String? {
            let isValid = element["ok"] as? Bool ?? false
            if element["agent_mode"] as? Bool == true { return "there is no agent mode" }
            do {
                _ = try ConfigurationFile(fileSystem: LocalFileSystem())
                    .load(path, name: "testdata/\(file)")
                return isValid ? nil : "was accepted"
            } catch {
                if isValid { return "\(error)" }
                guard let wanted = element["error_contains"] as? String else {
                    // Any reason will do, but not that we lack the section.
                    return error.description.contains("not supported yet") ? "\(error)" : nil
                }
                return error.description.contains(wanted) ? nil : "\(error)"
            }
        }
    }
#endif
