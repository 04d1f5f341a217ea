// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import HTTP
internal import Instrumentation
internal import JSON

/// Lets requests through once the server is ready.
struct ReadinessGate: Sendable {
    private let lifecycle: Lifecycle

    init(_ lifecycle: Lifecycle) { self.lifecycle = lifecycle }

    /// The answer to everything while the server is not ready; nil when it is.
    var refusal: Response? {
        let isStopping: Bool
        switch lifecycle.readiness() {
        case .ready: return nil
        case .notReady: isStopping = false
        case .stopping: isStopping = true
        }
        return .text(
            "Service Unavailable", status: 503,
            headers: ["X-Prometheus-Stopping": isStopping ? "true" : "false"])
    }
}

extension PrometheusAPI {
    /// `/-/…`: what supervisors and operators ask.
    func addLifecycle(_ routes: inout RouteTable, _ ready: ReadinessGate) {
        routes.add(["GET", "HEAD"], "/-/healthy", .inline) { _ in
            .text("Prometheus Server is Healthy.\n")
        }
        routes.add(["GET", "HEAD"], "/-/ready", .inline) { _ in
            ready.refusal ?? .text("Prometheus Server is Ready.\n")
        }
        let lifecycle = context.lifecycle
        routes.add(["POST", "PUT"], "/-/reload", .general) { _ in
            guard let reload = lifecycle.reload else { return Self.lifecycleIsOff }
            guard let reason = reload() else { return Response() }
            return .error("failed to reload config: \(reason)", status: 500)
        }
        routes.add(["POST", "PUT"], "/-/quit", .general) { _ in
            guard let quit = lifecycle.quit else { return Self.lifecycleIsOff }
            if case .stopping = lifecycle.readiness() {
                return .text("Termination already in progress.")
            }
            quit()
            return .text("Requesting termination... Goodbye!")
        }
        for path in ["/-/reload", "/-/quit"] {
            routes.add(["GET"], path, .inline) { _ in
                .text("Only POST or PUT requests allowed", status: 405)
            }
        }
    }

    private static var lifecycleIsOff: Response {
        .text("Lifecycle API is not enabled.", status: 403)
    }

    /// The pages beside the API.
    func addPages(_ routes: inout RouteTable) {
        let home = routes.prefix + "/query"
        let interface = routes.prefix + "/api/v1"
        routes.add(["GET"], "/", .inline) { .redirect($0, to: home) }
        // Where the expression browser was before version 3.
        routes.add(["GET"], "/graph", .inline) { .redirect($0, to: "\(home)?\($0.query)") }
        routes.add(["GET"], "/query", .inline) { _ in
            .text("There is no user interface yet; the HTTP API is at \(interface).\n")
        }
        if !routes.prefix.isEmpty {
            let prefix = routes.prefix
            routes.addRoot { .redirect($0, to: prefix) }
        }
        let registry = context.registry
        routes.add(["GET"], "/metrics", .general) { _ in
            var writer = ByteWriter(capacity: 64 << 10)
            registry.expose(into: &writer)
            let type = "text/plain; version=0.0.4; charset=utf-8; escaping=underscores"
            return Response(
                headers: ["Content-Type": type, "Vary": "Accept-Encoding"],
                body: .bytes(writer.bytes))
        }
        let build = context.status.build
        routes.add(["GET"], "/version", .inline) { _ in
            var json = JSONWriter()
            json.build(build)
            json.output.append("\n")
            return Response(
                headers: ["Content-Type": "text/plain; charset=utf-8"],
                body: .bytes(json.output.bytes))
        }
    }
}
