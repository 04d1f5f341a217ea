// SPDX-License-Identifier: Apache-2.0

internal import HTTP
internal import JSON
internal import Model
internal import Storage

extension PrometheusAPI {
    /// `admin/tsdb/…`
    var administrationOperations: [Operation] {
        let administration = context.administration
        var operations = [
            Operation(methods: ["POST", "PUT"], path: "/admin/tsdb/snapshot") {
                request throws(APIFailure) in
                guard let administration else { throw Self.administrationIsOff }
                let skipsHead = try Self.boolean("skip_head", request.parameters["skip_head"])
                do throws(StorageError) {
                    let name = try administration.snapshot(!skipsHead)
                    return APIAnswer { json in json.object { $0.member("name", name) } }
                } catch {
                    throw APIFailure(.internal, "create snapshot: \(error.message)")
                }
            }
        ]
        // Deleting series comes with tombstones; until then the paths exist only to say that the
        // admin API is off.
        if administration == nil {
            for path in ["/admin/tsdb/delete_series", "/admin/tsdb/clean_tombstones"] {
                operations.append(
                    Operation(methods: ["POST", "PUT"], path: path) { _ throws(APIFailure) in
                        throw Self.administrationIsOff
                    })
            }
        }
        return operations
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
