// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import HTTP
internal import JSON
internal import Model
internal import PromQLSyntax
internal import Storage

extension PrometheusAPI {
    /// The exemplars of the series that an expression selects.
    var exemplarOperations: [Operation] {
        let context = context
        return [
            Operation(methods: ["GET", "POST"], path: "/query_exemplars") {
                request throws(APIFailure) in
                try Self.exemplars(request, context)
            }
        ]
    }

    private static func exemplars(
        _ request: Request, _ context: APIContext
    ) throws(APIFailure) -> APIAnswer {
        let parameters = request.parameters
        let start = try parameters.time("start", default: Parameters.earliest)
        let end = try parameters.time("end", default: Parameters.latest)
        if end < start {
            throw .badData("end timestamp must not be before start timestamp")
        }
        let selectors: [[Matcher]]
        do throws(ParseError) {
            selectors = try parseExpression(parameters["query"], context.parser).selectors
        } catch {
            throw .badData(error.description)
        }
        if selectors.isEmpty { return .withoutData }
        let found: [SeriesExemplars]
        do throws(StorageError) {
            found =
                try context.exemplars?.exemplars(
                    over: TimeRange(start: start, end: end), selectors) ?? []
        } catch {
            throw APIFailure(error)
        }
        return APIAnswer(
            streaming: { json, body throws(ClientGone) in
                json.beginArray()
                for series in found {
                    json.exemplars(series)
                    try body.flush(whenFull: &json.output.bytes)
                }
                json.endArray()
            })
    }
}

extension JSONWriter {
    fileprivate mutating func exemplars(_ series: SeriesExemplars) {
        object { json in
            json.key("seriesLabels")
            json.labels(series.labels)
            json.key("exemplars")
            json.array(series.exemplars) { json, exemplar in
                json.beginObject()
                json.key("labels")
                json.labels(exemplar.labels)
                json.key("value")
                json.floatText(exemplar.value)
                json.key("timestamp")
                json.timestamp(exemplar.timestamp ?? 0)
                json.endObject()
            }
        }
    }
}
