// SPDX-License-Identifier: Apache-2.0

import Bytes
import HTTP
import Instrumentation
import Model
import PromQL
import PrometheusAPI
import Storage

/// An API over a storage in memory, called without a network.
struct Bench {
    let storage = MemoryStorage()
    let registry = Registry()
    let engine: Engine
    var hasStatisticsPerStep = false
    var readiness = Lifecycle.Readiness.ready
    var prefix = "/"
    var takesWrites = true
    var targets: any TargetsView = NoTargets()
    var administration: Administration?
    var reload: (@Sendable () -> String?)?

    init() {
        engine = Engine(EngineConfiguration(), registry: registry)
        for (instance, base) in [("a:1", 1.0), ("b:1", 2.5)] {
            storage.add(
                ["__name__": "up", "instance": instance],
                (0..<5).map { (Int64($0) * 60_000, base + Double($0)) })
        }
        storage.add(["__name__": "utf8.name", "service.name": "<ünï>"], [(0, .infinity)])
    }

    private func router() -> Router {
        let readiness = readiness
        var settings = APISettings()
        settings.routePrefix = prefix
        settings.hasStatisticsPerStep = hasStatisticsPerStep
        settings.externalURL = "https://example.org:8443/prom"
        settings.listenAddress = "0.0.0.0:9090"
        let status = StatusSources(
            configuration: { "global: {}\n" }, flags: [("web.b", "2"), ("web.a", "1")],
            runtime: { RuntimeStatus() },
            build: BuildStatus(version: "3.14.0", product: "Narthex", productVersion: "0.1.0"),
            storage: { limit in
                var status = StorageStatus()
                status.seriesCount = UInt64(limit)
                return .success(status)
            })
        var context = APIContext(
            engine: engine, storage: storage,
            registry: registry, logger: .silent,
            sources: APISources(
                settings: settings,
                lifecycle: Lifecycle(readiness: { readiness }, reload: reload), status: status,
                targets: targets))
        context.receiver = takesWrites ? storage : nil
        context.administration = administration
        context.exemplars = OneExemplar()
        return PrometheusAPI(context).router()
    }

    func send(
        _ method: String, _ target: String, headers: Headers = [:], body: [UInt8] = []
    ) -> (status: Int, text: String, headers: Headers) {
        var request = Request(method: method, target: target, headers: headers, body: body)
        switch router().match(method, request.path) {
        case .route(let route, let parameters):
            request.pathParameters = parameters
            let response = route.handler(request)
            var bytes: [UInt8] = []
            switch response.body {
            case .bytes(let whole): bytes = whole
            case .stream(let write):
                try? write(BodyWriter { piece throws(ClientGone) in bytes += piece })
            }
            return (response.status, String(decoding: bytes, as: UTF8.self), response.headers)
        case .moved(let path): return (301, "", ["Location": path])
        case .otherMethods: return (405, "", [:])
        case .none: return (404, "", [:])
        }
    }

    func get(_ target: String) -> String { send("GET", target).text }

    /// The value of a metric of this program, with the labels as they are exposed.
    func metric(_ name: String) -> Substring? {
        var writer = ByteWriter(capacity: 4096)
        registry.expose(into: &writer)
        let line = String(decoding: writer.bytes, as: UTF8.self).split(separator: "\n").first {
            $0.hasPrefix(name + " ")
        }
        return line?.dropFirst(name.count + 1)
    }
}
