// SPDX-License-Identifier: Apache-2.0

internal import Platform

/// A request with its whole body.
package struct Request: Sendable {
    package var method: String
    /// The path with escapes resolved, from the first slash on.
    package var path: String
    /// The path as it was sent.
    package let encodedPath: String
    /// What follows the question mark, as it was sent.
    package var query: String
    package var headers: Headers
    package var body: [UInt8]
    /// The parts of the path that the route names: `name` in `/label/:name/values`.
    package var pathParameters: [String: String] = [:]
    package var client: Client
    /// The address of the other end of the connection, without the port; empty where unknown.
    package var clientAddress = ""
    /// When it had come in, on the monotonic clock.
    package let receivedAt = monotonicNanoseconds()

    package init(
        method: String, target: String, headers: Headers = [:], body: [UInt8] = [],
        client: Client = Client()
    ) {
        self.method = method
        let halves = target.split(
            separator: "?" as Character, maxSplits: 1, omittingEmptySubsequences: false)
        let encoded = halves.first ?? "/"
        // A path with a bad escape stands for itself, and no route has it.
        path = (try? percentDecoded(encoded, plusIsBlank: false)) ?? String(encoded)
        encodedPath = String(encoded)
        query = halves.count > 1 ? String(halves[1]) : ""
        self.headers = headers
        self.body = body
        self.client = client
    }

    /// The parameters of the URL alone.
    package var urlParameters: Parameters { Parameters(parsing: query) }

    /// The parameters of a form in the body, where the method has one, and those of the URL.
    package var parameters: Parameters {
        var parameters = Parameters()
        if ["POST", "PUT", "PATCH"].contains(method), isForm {
            parameters.parse(String(decoding: body, as: UTF8.self))
        }
        parameters.parse(query)
        return parameters
    }

    private var isForm: Bool {
        let type = headers["Content-Type"] ?? ""
        let name = type.prefix { $0 != ";" }.filter { $0 != " " }
        return name.lowercased() == "application/x-www-form-urlencoded"
    }
}
