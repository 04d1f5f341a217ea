// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import JSON
internal import Platform

/// `narthex tool query explain`: asks a server how it evaluates a query, and shows the tree.
package struct QueryTool: Sendable {
    private let output: @Sendable (String) -> Void
    private let error: @Sendable (String) -> Void

    package init(
        output: @escaping @Sendable (String) -> Void, error: @escaping @Sendable (String) -> Void
    ) {
        self.output = output
        self.error = error
    }

    static let tool = ToolProgram.Tool(
        name: "query", help: "Shows how a server evaluates a query: query explain."
    ) { arguments in
        QueryTool(output: StandardStream.output, error: StandardStream.error).run(arguments)
    }

    private static let help = """
        usage: narthex tool query explain [<flags>] <server> <expression>

        Shows how a server evaluates a query, as a tree of operations. The server is an address
        such as http://localhost:9090; it must be Narthex.

        Flags:
          --analyze        Evaluates the query and shows for each operation what it came to: series
                           and samples put out, samples read, memory held, time.
          --time=<time>    When to evaluate an instant query: seconds since 1970 or RFC 3339.
          --start=<time>, --end=<time>, --step=<duration>
                           Evaluate a range query instead.
          --timeout=<seconds>
                           How long to wait for the server; 120 by default.

        Exits with 0, with 1 where the server gives no plan, with 2 where the arguments make no
        sense.

        """

    /// What was asked for.
    private struct Request {
        var analyzes = false
        var timeout = 120.0
        var parameters: [(name: String, value: String)] = []
        var positional: [String] = []

        func has(_ name: String) -> Bool { parameters.contains { $0.name == name } }
    }

    private struct Refusal: Error {
        let reason: String
    }

    package func run(_ arguments: [String]) -> Int32 {
        guard arguments.first == "explain", !arguments.contains("--help") else {
            let isHelp = arguments.contains { $0 == "--help" || $0 == "-h" }
            (isHelp ? output : error)(Self.help)
            return isHelp ? 0 : 2
        }
        let request: Request
        let server: ServerAddress
        do throws(Refusal) {
            request = try Self.parse(arguments.dropFirst())
            guard let address = ServerAddress(request.positional[0]) else {
                throw Refusal(reason: "'\(request.positional[0])' is no http address of a server")
            }
            server = address
        } catch {
            self.error("narthex tool query explain: \(error.reason)\n\n\(Self.help)")
            return 2
        }
        do throws(ServerFailure) {
            output(try explain(request, server))
            return 0
        } catch {
            self.error("narthex tool query explain: \(error.description)\n")
            return 1
        }
    }

    private static func parse(_ arguments: ArraySlice<String>) throws(Refusal) -> Request {
        var request = Request()
        var isOnlyPositional = false
        for argument in arguments {
            if isOnlyPositional || !argument.hasPrefix("--") {
                request.positional.append(argument)
                continue
            }
            let parts = argument.dropFirst(2).split(
                separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            let name = parts.first.map(String.init) ?? ""
            switch (name, parts.count) {
            case ("", 1): isOnlyPositional = true
            case ("analyze", 1): request.analyzes = true
            case ("time", 2), ("start", 2), ("end", 2), ("step", 2):
                request.parameters.append((name, String(parts[1])))
            case ("timeout", 2):
                guard let seconds = Double(parts[1]), seconds > 0, seconds < 1e6 else {
                    throw Refusal(reason: "'\(parts[1])' is no timeout in seconds")
                }
                request.timeout = seconds
            default: throw Refusal(reason: "there is no flag '\(argument)'")
            }
        }
        guard request.positional.count == 2 else {
            throw Refusal(reason: "a server and an expression are needed")
        }
        let isRange = request.has("start") || request.has("end") || request.has("step")
        if isRange, !(request.has("start") && request.has("end") && request.has("step")) {
            throw Refusal(reason: "a range query needs --start, --end and --step")
        }
        if isRange, request.has("time") {
            throw Refusal(reason: "--time is for instant queries, --start and --end for ranges")
        }
        return request
    }

    private func explain(
        _ request: Request, _ server: ServerAddress
    ) throws(ServerFailure) -> String {
        let path = request.has("start") ? "/api/v1/query_range" : "/api/v1/query"
        let parameters =
            request.parameters + [
                ("query", request.positional[1]),
                ("explain", request.analyzes ? "analyze" : "plan"),
            ]
        let answer = try server.post(path, parameters, timeout: request.timeout)
        guard let plan = answer["data"]?["explain"] else {
            throw ServerFailure("the server's answer has no plan: it is not Narthex, or older")
        }
        guard let text = PlanText.of(plan) else {
            throw ServerFailure("the server's plan cannot be read")
        }
        return text
    }
}
