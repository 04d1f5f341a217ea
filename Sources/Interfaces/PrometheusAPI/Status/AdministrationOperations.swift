// SPDX-License-Identifier: Apache-2.0

internal import HTTP
internal import JSON
internal import Model
internal import PromQLSyntax
internal import Storage

extension PrometheusAPI {
    /// `admin/tsdb/…`
    var administrationOperations: [Operation] {
        let administration = context.administration
        func operation(
            _ name: String,
            _ run: @escaping @Sendable (Request, Administration) throws(APIFailure) -> APIAnswer
        ) -> Operation {
            Operation(methods: ["POST", "PUT"], path: "/admin/tsdb/\(name)") {
                request throws(APIFailure) in
                guard let administration else { throw Self.administrationIsOff }
                return try run(request, administration)
            }
        }
        return [
            operation("snapshot", Self.snapshot),
            operation("delete_series", Self.deleteSeries),
            operation("clean_tombstones") { _, administration throws(APIFailure) in
                do throws(StorageError) {
                    try administration.cleanTombstones()
                } catch {
                    throw APIFailure(.internal, error.message)
                }
                return .nothing
            },
        ]
    }

    private static func snapshot(
        _ request: Request, _ administration: Administration
    ) throws(APIFailure) -> APIAnswer {
        let skipsHead = try boolean("skip_head", request.parameters["skip_head"])
        do throws(StorageError) {
            let name = try administration.snapshot(!skipsHead)
            return APIAnswer { json in json.object { $0.member("name", name) } }
        } catch {
            throw APIFailure(.internal, "create snapshot: \(error.message)")
        }
    }

    /// Nothing is deleted unless all parameters are good. A selector may ask for everything.
    private static func deleteSeries(
        _ request: Request, _ administration: Administration
    ) throws(APIFailure) -> APIAnswer {
        let parameters = request.parameters
        if let error = parameters.error {
            throw .badData("error parsing form values: \(error)")
        }
        let selectors = parameters.all("match[]")
        if selectors.isEmpty { throw .badData("no match[] parameter provided") }
        let start = try parameters.time("start", default: Parameters.earliest)
        let end = try parameters.time("end", default: Parameters.latest)
        var matcherSets: [[Matcher]] = []
        for selector in selectors {
            do throws(ParseError) {
                matcherSets.append(try parseMetricSelector(selector))
            } catch {
                throw .invalid("match[]", error.description)
            }
        }
        do throws(StorageError) {
            for matchers in matcherSets {
                try administration.delete(TimeRange(start: start, end: end), matchers)
            }
        } catch {
            throw APIFailure(.internal, error.message)
        }
        return .nothing
    }

    private static var administrationIsOff: APIFailure {
        APIFailure(.unavailable, "admin APIs disabled")
    }

    /// As Go's `strconv.ParseBool`; nothing is false.
    private static func boolean(_ name: String, _ text: String) throws(APIFailure) -> Bool {
        switch text {
        case "1", "t", "T", "TRUE", "true", "True": return true
        case "", "0", "f", "F", "FALSE", "false", "False": return false
        default:
            let reason = "strconv.ParseBool: parsing \(quoted(text)): invalid syntax"
            throw .invalid(name, "unable to parse boolean: \(reason)")
        }
    }
}
