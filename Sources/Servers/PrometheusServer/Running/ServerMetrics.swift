// SPDX-License-Identifier: Apache-2.0

internal import Instrumentation
internal import Model
internal import Platform

/// The state of the server as a whole, under upstream's names.
struct ServerMetrics: Sendable {
    let lastReloadSuccessful: Gauge
    let lastReloadTime: Gauge
    let ready: Gauge

    init(_ registry: Registry) {
        lastReloadSuccessful = registry.gauge(
            "prometheus_config_last_reload_successful",
            "Whether the last configuration reload attempt was successful.")
        lastReloadTime = registry.gauge(
            "prometheus_config_last_reload_success_timestamp_seconds",
            "Timestamp of the last successful configuration reload.")
        ready = registry.gauge(
            "prometheus_ready",
            "Whether Prometheus startup was fully completed and the server is ready for normal "
                + "operation.")
        registry.gauge(
            "prometheus_build_info",
            "The release of Prometheus that is followed, and the program that runs.",
            Labels([
                "version": ServerProgram.prometheusVersion, "product": "narthex",
                "product_version": ServerProgram.version,
            ])
        ).set(1)
        Self.addProcess(registry)
    }

    private static func addProcess(_ registry: Registry) {
        func add(
            _ name: String, _ help: String, _ type: MetricType,
            _ value: @escaping @Sendable (ProcessStatistics) -> Double
        ) {
            registry.computed(name, help, type: type) { value(ProcessStatistics.current()) }
        }
        add(
            "process_cpu_seconds_total", "Total user and system CPU time spent in seconds.",
            .counter
        ) { $0.cpuSeconds }
        add("process_resident_memory_bytes", "Resident memory size in bytes.", .gauge) {
            Double($0.residentMemory)
        }
        add("process_virtual_memory_bytes", "Virtual memory size in bytes.", .gauge) {
            Double($0.virtualMemory)
        }
        add("process_open_fds", "Number of open file descriptors.", .gauge) { Double($0.openFiles) }
        add("process_max_fds", "Maximum number of open file descriptors.", .gauge) {
            Double($0.openFilesLimit)
        }
        add("process_threads", "Number of operating system threads.", .gauge) { Double($0.threads) }
        add(
            "process_start_time_seconds",
            "Start time of the process since unix epoch in seconds.", .gauge
        ) { $0.startTime }
    }

    func reloaded(successfully: Bool, at time: Timestamp) {
        lastReloadSuccessful.set(successfully ? 1 : 0)
        if successfully { lastReloadTime.set(Double(time) / 1000) }
    }
}
