// SPDX-License-Identifier: Apache-2.0

internal import HTTP
package import Instrumentation
internal import Model
internal import Synchronization

/// What the requests of a server came to, as upstream counts them: by the pattern of the path.
package final class RequestMetrics: RequestObserver {
    private struct Instruments: Sendable {
        var duration: Distribution
        var size: Distribution
        var byStatus: [Int: Counter] = [:]
    }

    private let registry: Registry
    private let instruments = Mutex<[String: Instruments]>([:])

    private static let durations = [0.1, 0.2, 0.4, 1, 3, 8, 20, 60, 120]
    private static let sizes = [100, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9]

    package init(_ registry: Registry) { self.registry = registry }

    package func answered(pattern: String?, status: Int, seconds: Double, bytes: Int) {
        // Paths without a route are counted nowhere, or anybody could make new series.
        guard let pattern else { return }
        let (instruments, counter) = self.instruments.withLock { known in
            var found = known[pattern] ?? make(pattern)
            if found.byStatus[status] == nil {
                found.byStatus[status] = registry.counter(
                    "prometheus_http_requests_total", "Counter of HTTP requests.",
                    Labels(["handler": pattern, "code": String(status)]))
                known[pattern] = found
            }
            return (found, found.byStatus[status])
        }
        counter?.increment()
        instruments.duration.observe(seconds)
        instruments.size.observe(Double(bytes))
    }

    private func make(_ pattern: String) -> Instruments {
        Instruments(
            duration: registry.distribution(
                "prometheus_http_request_duration_seconds",
                "Histogram of latencies for HTTP requests.", bounds: Self.durations,
                Labels(["handler": pattern])),
            size: registry.distribution(
                "prometheus_http_response_size_bytes",
                "Histogram of response size for HTTP requests.", bounds: Self.sizes,
                Labels(["handler": pattern])))
    }
}
