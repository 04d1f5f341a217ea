// SPDX-License-Identifier: Apache-2.0

package import HTTP
internal import LinearRegex

/// The HTTP interface of Prometheus: every path, parameter and JSON key of it stands in this
/// module.
package struct PrometheusAPI: Sendable {
    let context: APIContext
    private let receiver: RemoteWriteReceiver?

    package init(_ context: APIContext) {
        self.context = context
        receiver = context.receiver.map { RemoteWriteReceiver($0, context) }
    }

    /// All routes, under the prefix of the settings.
    package func router() -> Router {
        var routes = RouteTable(prefix: context.settings.routePrefix)
        let (ready, cors) = (ReadinessGate(context.lifecycle), CORS(context.settings.corsOrigin))
        for operation in operations {
            let path = "/api/v1" + operation.path
            routes.add(operation.methods, path, operation.lane) { request in
                if let refusal = operation.needsReadiness ? ready.refusal : nil { return refusal }
                let headers = cors.headers(for: request, compresses: operation.needsReadiness)
                do throws(APIFailure) {
                    return try operation.run(request).response(headers)
                } catch {
                    return error.response(headers)
                }
            }
        }
        routes.add(["OPTIONS"], "/api/v1/*path", .inline) { request in
            ready.refusal
                ?? Response(status: 204, headers: cors.headers(for: request, compresses: true))
        }
        addRoot(&routes)
        addWrite(&routes, ready)
        addLifecycle(&routes, ready)
        addPages(&routes)
        return routes.router
    }

    /// The root of the API is a folder without a page.
    private func addRoot(_ routes: inout RouteTable) {
        let methods = ["DELETE", "GET", "HEAD", "PATCH", "POST", "PUT"]
        let root = routes.prefix + "/api/v1/"
        routes.add(methods + ["OPTIONS"], "/api/v1", .inline) {
            .moved($0, to: root, status: 301)
        }
        routes.add(methods, "/api/v1/", .inline) { _ in
            .error("404 page not found", status: 404)
        }
    }

    private func addWrite(_ routes: inout RouteTable, _ ready: ReadinessGate) {
        let receiver = receiver
        routes.add(["POST"], "/api/v1/write", .general, bodyLimit: 64 << 20) { request in
            if let refusal = ready.refusal { return refusal }
            guard let receiver else {
                let flag = "--web.enable-remote-write-receiver"
                return .error(
                    "remote write receiver needs to be enabled with \(flag)", status: 404)
            }
            return receiver.answer(request)
        }
    }
}

/// One operation of the API: where it is, and what answers it.
struct Operation: Sendable {
    typealias Run = @Sendable (Request) throws(APIFailure) -> APIAnswer

    var methods: [String]
    var path: String
    var lane = Lane.general
    /// Refused until the server is ready.
    var needsReadiness = true
    var run: Run
}

extension PrometheusAPI {
    private var operations: [Operation] {
        queryOperations + exemplarOperations + labelOperations + targetOperations + statusOperations
            + administrationOperations
    }
}

/// Collects routes under a prefix.
struct RouteTable {
    let prefix: String
    private(set) var router = Router()

    init(prefix: String) { self.prefix = prefix == "/" ? "" : prefix }

    mutating func add(
        _ methods: [String], _ path: String, _ lane: Lane, bodyLimit: Int = 10 << 20,
        _ handler: @escaping Route.Handler
    ) {
        router.add(
            methods,
            Route(pattern: prefix + path, lane: lane, bodyLimit: bodyLimit, handler: handler))
    }

    /// A path outside the prefix.
    mutating func addRoot(_ handler: @escaping Route.Handler) {
        router.add(["GET"], Route(pattern: "/", lane: .inline, handler: handler))
    }
}

/// Which web pages may call the API.
struct CORS: Sendable {
    private let origin: AnchoredPattern?

    init(_ origin: AnchoredPattern?) { self.origin = origin }

    func headers(for request: Request, compresses: Bool) -> Headers {
        var headers = Headers()
        if compresses { headers.add("Vary", "Accept-Encoding") }
        headers.add("Vary", "Origin")
        guard let sender = request.headers["Origin"], !sender.isEmpty else { return headers }
        headers["Access-Control-Allow-Headers"] = "Accept, Authorization, Content-Type, Origin"
        headers["Access-Control-Allow-Methods"] = "GET, POST, OPTIONS"
        headers["Access-Control-Expose-Headers"] = "Date"
        if origin?.matches(sender) ?? true { headers["Access-Control-Allow-Origin"] = sender }
        return headers
    }
}
