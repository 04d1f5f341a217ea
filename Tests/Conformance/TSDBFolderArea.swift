// SPDX-License-Identifier: Apache-2.0

import Foundation

/// `tsdb/`: what a server answers that serves a copy of a real data folder.
struct TSDBFolderArea: Area {
    let name = "tsdb"

    func run(_ folder: URL) throws -> [FileReport] {
        let root = folder.appendingPathComponent(name)
        return try FileManager.default.contentsOfDirectory(atPath: root.path).sorted().map {
            try report(root.appendingPathComponent($0), "\(name)/\($0)/expected.json")
        }
    }

    private func report(_ folder: URL, _ name: String) throws -> FileReport {
        let file = try readJSON(folder.appendingPathComponent("expected.json")) as! [String: Any]
        let server = try ServerUnderTest(
            data: folder.appendingPathComponent("data"),
            flags: [
                "--storage.tsdb.retention.time=100y",
                "--enable-feature=exemplar-storage,native-histograms",
            ])
        defer { server.stop() }
        var report = FileReport(name: name)
        for entry in file["cases"] as! [[String: Any]] {
            let parameters = (entry["params"] as! [[String]]).map { ($0[0], $0[1]) }
            let path = entry["path"] as! String
            let query = parameters.map { "\($0.0)=\($0.1)" }.joined(separator: "&")
            report.record("\(path) \(query)", difference(entry, path, parameters, server))
        }
        return report
    }

    private func difference(
        _ entry: [String: Any], _ path: String, _ parameters: [(String, String)],
        _ server: ServerUnderTest
    ) -> String? {
        do {
            let answer = try server.send("GET", path, parameters: parameters)
            let expected = entry["status"] as! Int
            guard answer.status == expected else {
                return "HTTP \(answer.status), expected \(expected)"
            }
            return AnswerComparison.difference(entry["json"]!, answer.json)
        } catch {
            return "\(error)"
        }
    }
}
