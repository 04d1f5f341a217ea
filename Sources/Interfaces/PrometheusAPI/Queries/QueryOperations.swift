// SPDX-License-Identifier: Apache-2.0

internal import HTTP
internal import JSON
internal import Model
internal import Platform
internal import PromQL
internal import PromQLSyntax

extension PrometheusAPI {
    /// Evaluating, formatting and reading PromQL.
    var queryOperations: [Operation] {
        let context = context
        let both = ["GET", "POST"]
        return [
            Operation(methods: both, path: "/query", lane: .queries) { request throws(APIFailure) in
                try Self.instant(request, context)
            },
            Operation(methods: both, path: "/query_range", lane: .queries) {
                request throws(APIFailure) in
                try Self.range(request, context)
            },
            Operation(methods: both, path: "/format_query") { request throws(APIFailure) in
                let text = try Self.expression(request, context).pretty()
                return APIAnswer { $0.string(text) }
            },
            Operation(methods: both, path: "/parse_query") { request throws(APIFailure) in
                let expression = try Self.expression(request, context)
                return APIAnswer { $0.syntaxTree(expression) }
            },
        ]
    }

    private static func expression(
        _ request: Request, _ context: APIContext
    ) throws(APIFailure) -> Expression {
        do throws(ParseError) {
            return try parseExpression(request.parameters["query"], context.parser)
        } catch {
            throw .invalid("query", error.description)
        }
    }

    private static func instant(
        _ request: Request, _ context: APIContext
    ) throws(APIFailure) -> APIAnswer {
        let parameters = request.parameters
        let limit = try parameters.limit()
        let time = try parameters.time("time", default: currentMilliseconds())
        let timeout = try parameters.optionalDuration("timeout")
        let options = try options(request, parameters, timeout, context)
        do throws(QueryError) {
            if parameters["explain"] == "plan" {
                let query = parameters["query"]
                return planned(
                    try context.engine.plan(query, from: time, through: time, step: 0, options),
                    .vector([]))
            }
            let result = try context.engine.instant(
                parameters["query"], at: time, on: context.storage, options)
            return answer(result, limit, parameters["stats"], context)
        } catch {
            throw APIFailure(error)
        }
    }

    private static func range(
        _ request: Request, _ context: APIContext
    ) throws(APIFailure) -> APIAnswer {
        let parameters = request.parameters
        let limit = try parameters.limit()
        let start = try parameters.time("start")
        let end = try parameters.time("end")
        if end < start {
            throw .invalid("end", "end timestamp must not be before start time")
        }
        let step = try parameters.duration("step")
        if step.count <= 0 {
            throw .invalid(
                "step",
                "zero or negative query resolution step widths are not accepted. "
                    + "Try a positive integer")
        }
        // The span is counted in nanoseconds and ends at what 64 bits hold.
        let span = min((Int128(end) - Int128(start)) * 1_000_000, Int128(Int64.max))
        if span / Int128(step.count) > 11_000 {
            throw .badData(
                "exceeded maximum resolution of 11,000 points per timeseries. "
                    + "Try decreasing the query resolution (?step=XX)")
        }
        let timeout = try parameters.optionalDuration("timeout")
        let options = try options(request, parameters, timeout, context)
        let interval = max(1, step.milliseconds)
        do throws(QueryError) {
            if parameters["explain"] == "plan" {
                let query = parameters["query"]
                return planned(
                    try context.engine.plan(
                        query, from: start, through: end, step: interval, options),
                    .matrix([]))
            }
            let result = try context.engine.range(
                parameters["query"], from: start, through: end, step: interval,
                on: context.storage, options)
            return answer(result, limit, parameters["stats"], context)
        } catch {
            throw APIFailure(error)
        }
    }

    private static func options(
        _ request: Request, _ parameters: Parameters, _ timeout: Nanoseconds?,
        _ context: APIContext
    ) throws(APIFailure) -> QueryOptions {
        var options = QueryOptions()
        guard ["", "plan", "analyze"].contains(parameters["explain"]) else {
            throw .invalid("explain", "it must be \"plan\" or \"analyze\"")
        }
        options.explains = parameters["explain"] == "analyze"
        options.lookbackDelta = try parameters.lookbackDelta()
        options.timeout = timeout?.seconds
        options.collectsStatistics = !parameters["stats"].isEmpty
        options.collectsStatisticsPerStep =
            parameters["stats"] == "all" && context.settings.hasStatisticsPerStep
        options.timeInQueue = Double(monotonicNanoseconds() - request.receivedAt) / 1e9
        options.origin = .request(
            clientAddress: request.clientAddress, method: request.method, path: request.path)
        let cancellation = Cancellation()
        request.client.whenGone { cancellation.cancel() }
        options.cancellation = cancellation
        return options
    }

    /// A plan beside the result that there would be.
    private static func planned(_ plan: PlanNode, _ value: QueryValue) -> APIAnswer {
        APIAnswer(streaming: { json, body throws(ClientGone) in
            try json.queryData(value, nil, plan, body)
        })
    }

    private static func answer(
        _ result: QueryResult, _ limit: Int?, _ statistics: String, _ context: APIContext
    ) -> APIAnswer {
        var warnings = result.warnings
        var value = result.value
        if let limit, value.truncate(to: limit) {
            warnings.append("results truncated due to limit")
        }
        if !["", "true", "all"].contains(statistics) {
            warnings.append(
                "value \(quoted(statistics)) for parameter \"stats\" is deprecated and will be "
                    + "rejected in the next major release, use \"true\" or \"all\"")
        }
        let shown = statistics.isEmpty ? nil : result.statistics
        let (written, memory, plan) = (value, result.memory, result.plan)
        let helpers = context.engine.configuration.helpers
        return APIAnswer(
            streaming: { json, body throws(ClientGone) in
                defer { withExtendedLifetime(memory) {} }
                try json.queryData(written, shown, plan, body, helpers: helpers)
            }, warnings: warnings, infos: result.infos)
    }
}

extension QueryValue {
    /// Keeps the first `limit` series; true where there were more.
    fileprivate mutating func truncate(to limit: Int) -> Bool {
        switch self {
        case .vector(let elements) where elements.count > limit:
            self = .vector(Array(elements.prefix(limit)))
        case .matrix(let series) where series.count > limit:
            self = .matrix(Array(series.prefix(limit)))
        default: return false
        }
        return true
    }
}
