// SPDX-License-Identifier: Apache-2.0

internal import PromQLSyntax

/// The names behind `--enable-feature`.
struct Features: Sendable {
    /// Those that change something here.
    private(set) var enabled: Set<String> = []
    /// Warnings about the others.
    private(set) var warnings: [(message: String, name: String)] = []

    private static let working: Set<String> = [
        "promql-experimental-functions", "promql-delayed-name-removal",
        "promql-extended-range-selectors", "promql-binop-fill-modifiers",
        "promql-per-step-stats", "promql-duration-expr", "promql-at-modifier",
        "promql-negative-offset", "exemplar-storage", "metadata-wal-records",
        "use-start-timestamps", "xor2-encoding", "st-storage", "histograms-st-encoding",
        "created-timestamp-zero-ingestion", "type-and-unit-labels",
    ]

    /// On by default here, or about upstream's runtime: naming them is no mistake. Snapshots of the
    /// head and fast starts are among them ([0011](docs/decisions/0011-snapshots.md)).
    private static let superfluous: Set<String> = [
        "expand-external-labels", "new-service-discovery-manager", "no-default-scrape-port",
        "auto-gomaxprocs", "auto-gomemlimit", "remote-write-receiver", "extra-scrape-metrics",
        "native-histograms", "ooo-native-histograms", "auto-reload-config",
        "memory-snapshot-on-shutdown", "fast-startup",
    ]

    /// Known to upstream and not built yet.
    private static let absent: Set<String> = [
        "st-synthesis",
        "otlp-deltatocumulative",
        "otlp-native-delta-ingestion", "delayed-compaction",
        "use-uncached-io", "concurrent-rule-eval",
        "old-ui", "search-api", "agent",
    ]

    private static let phasedOut =
        "This option for --enable-feature is being phased out. It currently changes the default "
        + "for the storage.tsdb.chunk_encoding.floats config setting to xor2, but will become a no-op "
        + "in a future major version. Stop using this option and set "
        + "storage.tsdb.chunk_encoding.floats in the config instead."

    init(_ lists: [String]) {
        for name in lists.flatMap({ $0.split(separator: ",") }).map(String.init) {
            if Self.working.contains(name) {
                enabled.insert(name)
                if name == "xor2-encoding" { warnings.append((Self.phasedOut, name)) }
            } else if Self.absent.contains(name) {
                warnings.append(("Option for --enable-feature is not supported yet", name))
            } else if !Self.superfluous.contains(name) {
                warnings.append(("Unknown option for --enable-feature", name))
            }
        }
    }

    func isEnabled(_ name: String) -> Bool { enabled.contains(name) }
}
