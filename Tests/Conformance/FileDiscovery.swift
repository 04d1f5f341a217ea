// SPDX-License-Identifier: Apache-2.0

#if canImport(Discovery)
    import Discovery
    import Foundation
    import Platform

    /// `config/file_sd/`: files of target groups, good and bad.
    struct FileDiscoveryArea: Area {
        let name = "config"

        func run(_ folder: URL) throws -> [FileReport] {
            let folder = folder.appendingPathComponent("config/file_sd")
            let index = try readJSON(folder.appendingPathComponent("index.json")) as? [String: Any]
            var report = FileReport(name: "config/file_sd")
            for element in index?["cases"] as? [[String: Any]] ?? [] {
                let file = element["file"] as? String ?? ""
                let isValid = element["ok"] as? Bool ?? false
                do {
                    _ = try TargetFiles.read(
                        folder.appendingPathComponent(file).path, LocalFileSystem())
                    report.record(file, isValid ? nil : "was accepted")
                } catch {
                    report.record(file, isValid ? "\(error)" : nil)
                }
            }
            return [report]
        }
    }
#endif
