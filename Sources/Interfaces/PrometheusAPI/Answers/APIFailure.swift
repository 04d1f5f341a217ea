// SPDX-License-Identifier: Apache-2.0

internal import PromQL
internal import Storage

/// A request that cannot be answered: the class that clients decide by, and a sentence.
struct APIFailure: Error {
    /// Named as in `errorType`.
    enum Kind: String {
        case timeout, canceled, execution, unavailable
        case `internal`
        case badData = "bad_data"
        case notFound = "not_found"

        var status: Int {
            switch self {
            case .badData: 400
            case .notFound: 404
            case .execution: 422
            // "Client closed request", a status of nginx.
            case .canceled: 499
            case .internal, .unavailable: 500
            case .timeout: 503
            }
        }
    }

    var kind: Kind
    var message: String

    init(_ kind: Kind, _ message: String) {
        self.kind = kind
        self.message = message
    }

    static func badData(_ message: String) -> APIFailure { APIFailure(.badData, message) }

    static func invalid(_ parameter: String, _ reason: String) -> APIFailure {
        .badData("invalid parameter \"\(parameter)\": \(reason)")
    }

    /// The outcome of a query that was to answer the parameter `query`.
    init(_ error: QueryError) {
        switch error.kind {
        case .parse, .invalid: self = .invalid("query", error.message)
        case .execution, .tooManySamples, .tooMuchMemory: self.init(.execution, error.message)
        case .timeout: self.init(.timeout, error.message)
        case .cancelled: self.init(.canceled, error.message)
        case .storage(let cause):
            self.init(APIFailure(cause).kind, error.message)
        }
    }

    /// A storage that failed outside a query.
    init(_ error: StorageError) {
        switch error.code {
        case .unavailable: self.init(.unavailable, error.message)
        case .cancelled: self.init(.canceled, error.message)
        default: self.init(.execution, error.message)
        }
    }
}
