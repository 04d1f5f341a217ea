// SPDX-License-Identifier: Apache-2.0

package import Model
package import Storage

/// Where the status pages take their facts from.
package struct StatusSources: Sendable {
    /// The loaded configuration as YAML.
    package var configuration: @Sendable () -> String
    /// All flags with the values in force.
    package var flags: [(name: String, value: String)]
    package var runtime: @Sendable () -> RuntimeStatus
    package var build: BuildStatus
    /// Facts about the head; `limit` bounds each list.
    package var storage: @Sendable (_ limit: Int) -> Result<StorageStatus, StorageError>
    /// How far the log was read at start, in segments.
    package var replay: @Sendable () -> ReplayStatus

    package init(
        configuration: @escaping @Sendable () -> String, flags: [(name: String, value: String)],
        runtime: @escaping @Sendable () -> RuntimeStatus, build: BuildStatus,
        storage: @escaping @Sendable (Int) -> Result<StorageStatus, StorageError>
    ) {
        self.configuration = configuration
        self.flags = flags
        self.runtime = runtime
        self.build = build
        self.storage = storage
        replay = { ReplayStatus() }
    }
}

package struct RuntimeStatus: Sendable {
    package var startTime: Timestamp = 0
    package var workingDirectory = ""
    package var hostName = ""
    package var isConfigurationLoaded = true
    package var lastConfigurationTime: Timestamp = 0
    package var corruptionCount: Int64 = 0
    package var threadCount = 0
    /// As the pages show it: `15d`, `15d or 1GiB`.
    package var retention = ""

    package init() {}
}

package struct BuildStatus: Sendable {
    /// The version of Prometheus whose behaviour this program has: clients decide by it.
    package var version: String
    package var revision = ""
    package var branch = ""
    package var user = ""
    package var date = ""
    /// Our own name and version.
    package var product: String
    package var productVersion: String

    package init(version: String, product: String, productVersion: String) {
        self.version = version
        self.product = product
        self.productVersion = productVersion
    }
}

package struct StorageStatus: Sendable {
    package struct Count: Sendable {
        package var name: String
        package var value: UInt64

        package init(_ name: String, _ value: UInt64) {
            self.name = name
            self.value = value
        }
    }

    package var seriesCount: UInt64 = 0
    package var labelPairCount = 0
    package var chunkCount: Int64 = 0
    /// nil where the head is empty.
    package var timeRange: TimeRange?
    package var seriesByMetricName: [Count] = []
    package var valuesByLabelName: [Count] = []
    package var memoryByLabelName: [Count] = []
    package var seriesByLabelPair: [Count] = []

    package init() {}
}

package struct ReplayStatus: Sendable {
    package var first = 0
    package var last = 0
    package var current = 0

    package init() {}
}
