// SPDX-License-Identifier: Apache-2.0

import Foundation

#if canImport(FoundationNetworking)
    import FoundationNetworking
#endif

struct ServerFailure: Error, CustomStringConvertible {
    var description: String
}

/// One of the servers that are compared.
struct Server {
    let base: String

    /// Posts a form and returns the decoded answer, whatever the status.
    func ask(_ path: String, _ form: [(String, String)]) throws -> [String: Any] {
        guard let url = URL(string: base + path) else {
            throw ServerFailure(description: "bad address \(base)\(path)")
        }
        var request = URLRequest(url: url, timeoutInterval: 60)
        request.httpMethod = "POST"
        request.setValue("application/x-www-form-urlencoded", forHTTPHeaderField: "Content-Type")
        let allowed = CharacterSet.alphanumerics
        let body = form.map {
            "\($0.0.addingPercentEncoding(withAllowedCharacters: allowed) ?? "")="
                + ($0.1.addingPercentEncoding(withAllowedCharacters: allowed) ?? "")
        }
        request.httpBody = Data(body.joined(separator: "&").utf8)
        let (data, failure) = Self.load(request)
        guard let data else {
            throw ServerFailure(description: "\(base): \(failure ?? "no answer")")
        }
        guard let table = try JSONSerialization.jsonObject(with: data) as? [String: Any] else {
            throw ServerFailure(description: "\(base)\(path): the answer is no object")
        }
        return table
    }

    private static func load(_ request: URLRequest) -> (Data?, String?) {
        nonisolated(unsafe) var result: (Data?, String?) = (nil, nil)
        let done = DispatchSemaphore(value: 0)
        URLSession.shared.dataTask(with: request) { data, _, error in
            result = (data, error.map { "\($0)" })
            done.signal()
        }.resume()
        done.wait()
        return result
    }

    /// The label sets of the series between two times.
    func series(_ metrics: String, _ start: Double, _ end: Double) throws -> [[String: String]] {
        let answer = try ask(
            "/api/v1/series",
            [("match[]", "{__name__=~\"\(metrics)\"}"), ("start", "\(start)"), ("end", "\(end)")])
        guard let series = answer["data"] as? [[String: String]] else {
            throw ServerFailure(description: "\(base): no list of series: \(answer)")
        }
        return series.sorted {
            "\($0.sorted { $0.key < $1.key })" < "\($1.sorted { $0.key < $1.key })"
        }
    }
}
