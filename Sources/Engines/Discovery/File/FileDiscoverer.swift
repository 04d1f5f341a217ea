// SPDX-License-Identifier: Apache-2.0

internal import Instrumentation
internal import Platform

/// Reads target files again when they change, which it looks for each second, and at the refresh
/// interval in any case. Reading blocks, so it happens on the pool and not on the task's thread.
package struct FileDiscoverer: Discoverer {
    package static let mechanism = "file"
    let configuration: FileDiscoveryConfiguration
    let surroundings: DiscoverySurroundings

    package func run(publish: @Sendable ([TargetGroup]) async -> Void) async throws {
        var files = TargetFiles(configuration)
        var untilRefresh: Int64 = 0
        while true {
            let isDue = untilRefresh <= 0
            let fileSystem = surroundings.fileSystem
            let before = files
            let (after, refresh) = await surroundings.pool.value { () in
                var files = before
                guard isDue || files.hasChanged(fileSystem) else {
                    return (files, TargetFiles.Refresh?.none)
                }
                let refresh = files.refresh(fileSystem)
                return (files, .some(refresh))
            }
            files = after
            if let refresh {
                for failure in refresh.failures {
                    surroundings.metrics.fileReadErrors.increment()
                    surroundings.log.error(
                        "Error reading file", ["path": failure.path, "err": failure.reason])
                }
                await publish(refresh.groups)
                untilRefresh = configuration.refreshInterval
            }
            let pause = min(1000, max(1, untilRefresh))
            try await surroundings.clock.sleep(for: .milliseconds(pause))
            untilRefresh -= pause
        }
    }
}
