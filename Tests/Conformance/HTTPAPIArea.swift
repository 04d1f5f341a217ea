// SPDX-License-Identifier: Apache-2.0

import Foundation

/// Requests to the HTTP API of a running server that was loaded by remote write.
struct HTTPAPIArea: Area {
    let name = "http_api"

    func run(_ folder: URL) throws -> [FileReport] {
        let folder = folder.appendingPathComponent("http_api/query")
        let file = try readJSON(folder.appendingPathComponent("requests.json")) as! [String: Any]
        let server = try ServerUnderTest(flags: [
            "--web.enable-remote-write-receiver",
            "--enable-feature=exemplar-storage,native-histograms",
        ])
        defer { server.stop() }
        let load = try Data(contentsOf: folder.appendingPathComponent("load.rw1.snappy"))
        let answer = try server.send(
            "POST", "/api/v1/write",
            headers: [
                ("Content-Type", "application/x-protobuf"), ("Content-Encoding", "snappy"),
                ("X-Prometheus-Remote-Write-Version", "0.1.0"),
            ], body: load)
        guard answer.status / 100 == 2 else {
            throw ServerUnderTest.Failure(description: "loading: HTTP \(answer.status)")
        }
        var report = FileReport(name: "http_api/query/requests.json")
        for entry in file["cases"] as! [[String: Any]] {
            let request = RecordedRequest(entry)
            report.record(request.name, request.difference(on: server))
        }
        return [report]
    }
}

/// A request with the answer of the real server.
private struct RecordedRequest {
    let entry: [String: Any]

    init(_ entry: [String: Any]) { self.entry = entry }

    private func pairs(_ key: String) -> [(String, String)]? {
        (entry[key] as? [[String]])?.map { ($0[0], $0[1]) }
    }

    var name: String {
        let parameters = (pairs("params") ?? pairs("form") ?? []).map { "\($0.0)=\($0.1)" }
        return "\(entry["id"]!) \(entry["method"]!) \(entry["path"]!) "
            + parameters.joined(separator: "&")
    }

    func difference(on server: ServerUnderTest) -> String? {
        var headers = (entry["headers"] as? [String: String] ?? [:]).map { ($0.key, $0.value) }
        var body: Data?
        if let form = pairs("form") {
            body = Data(formEncoded(form).utf8)
            headers.append(("Content-Type", "application/x-www-form-urlencoded"))
        } else if let text = entry["body"] as? String {
            body = Data(text.utf8)
        }
        let answer: HTTPAnswer
        do {
            answer = try server.send(
                entry["method"] as! String, entry["path"] as! String,
                parameters: pairs("params") ?? [], headers: headers, body: body)
        } catch {
            return "\(error)"
        }
        let expected = entry["response"] as! [String: Any]
        guard answer.status == expected["status"] as? Int else {
            return "HTTP \(answer.status), expected \(expected["status"]!)"
        }
        guard let json = expected["json"], !AnswerComparison.isAny(json) else { return nil }
        let type = answer.headers["content-type"]?.split(separator: ";").first
        let wanted = (expected["content_type"] as? String)?.split(separator: ";").first
        if let wanted, type != wanted { return "content type \(type ?? ""), expected \(wanted)" }
        return AnswerComparison.difference(
            json, answer.json, isOrdered: entry["ordered"] as? Bool ?? false)
    }
}

/// Remote write requests and what can be queried after them.
struct RemoteWriteArea: Area {
    let name = "remote_write"

    func run(_ folder: URL) throws -> [FileReport] {
        let file =
            try readJSON(folder.appendingPathComponent("remote_write/cases.json"))
            as! [String: Any]
        let server = try ServerUnderTest(flags: [
            "--web.enable-remote-write-receiver",
            "--enable-feature=exemplar-storage,native-histograms",
        ])
        defer { server.stop() }
        let setup = file["setup"] as! [String: Any]
        let answer = try write(setup, server)
        guard answer.status == setup["status"] as? Int else {
            throw ServerUnderTest.Failure(description: "setup: HTTP \(answer.status)")
        }
        var report = FileReport(name: "remote_write/cases.json")
        for entry in file["cases"] as! [[String: Any]] {
            report.record("\(entry["id"]!) \(entry["description"]!)", difference(entry, server))
        }
        return [report]
    }

    private func write(
        _ step: [String: Any], _ server: ServerUnderTest
    ) throws -> HTTPAnswer {
        try server.send(
            "POST", "/api/v1/write",
            headers: (step["headers"] as! [String: String]).map { ($0.key, $0.value) },
            body: Data(base64Encoded: step["body_base64"] as! String) ?? Data())
    }

    private func difference(_ entry: [String: Any], _ server: ServerUnderTest) -> String? {
        do {
            for (index, step) in (entry["steps"] as! [[String: Any]]).enumerated() {
                let answer = try write(step, server)
                let expected = step["status"] as! Int
                guard answer.status == expected || (expected == 500 && answer.status == 400) else {
                    return "step \(index): HTTP \(answer.status), expected \(expected)"
                }
                for (name, value) in step["response_headers"] as? [String: String] ?? [:]
                where answer.headers[name] != value {
                    let found = answer.headers[name] ?? "missing"
                    return "step \(index): header \(name) is \(found), expected \(value)"
                }
            }
            for query in entry["after"] as! [[String: Any]] {
                let expected = query["json"] as! [String: Any]
                if expected["status"] == nil { continue }
                let parameters = (query["params"] as! [[String]]).map { ($0[0], $0[1]) }
                let answer = try server.send(
                    "GET", query["path"] as! String, parameters: parameters)
                if let difference = AnswerComparison.difference(expected, answer.json) {
                    return "after: \(difference)"
                }
            }
            return nil
        } catch {
            return "\(error)"
        }
    }
}
