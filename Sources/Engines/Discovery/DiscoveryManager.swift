// SPDX-License-Identifier: Apache-2.0

internal import Instrumentation

/// Owns the discoverers of all jobs and hands out, job by job, the groups they found.
///
/// Equal sections share a discoverer, also between jobs, and keep it over a reload. Sets are handed
/// out at once after `apply` and when a discoverer publishes for the first time; later changes are
/// gathered for `handOutInterval`, as upstream does.
///
/// `run` is the life of all tasks: discoverers are children of its task group.
package actor DiscoveryManager {
    /// The groups of each job, all of them every time.
    package typealias Sets = [String: [TargetGroup]]

    private static let handOutInterval = Duration.seconds(5)

    private struct Source {
        /// By the source of the group, in the order of arrival.
        var groups: [String: TargetGroup] = [:]
        var order: [String] = []
        var hasPublished = false
        var stop: AsyncStream<Never>.Continuation
    }

    private enum Command: Sendable {
        case start(FileDiscoveryConfiguration, AsyncStream<Never>)
        case handOutLater
    }

    private let surroundings: DiscoverySurroundings
    private let handOut: @Sendable (Sets) -> Void
    private let commands: AsyncStream<Command>
    private let send: AsyncStream<Command>.Continuation
    private var jobs: [String: [DiscoveryConfiguration]] = [:]
    private var sources: [FileDiscoveryConfiguration: Source] = [:]
    private var gauges: [String: Gauge] = [:]
    private var isHandOutPlanned = false

    /// `handOut` is called on the manager and must not block.
    package init(
        _ surroundings: DiscoverySurroundings, handOut: @escaping @Sendable (Sets) -> Void
    ) {
        self.surroundings = surroundings
        self.handOut = handOut
        (commands, send) = AsyncStream.makeStream()
    }

    /// Makes these the jobs. What is new starts, what is gone stops, what stays goes on
    /// undisturbed.
    package func apply(_ jobs: [String: [DiscoveryConfiguration]]) {
        self.jobs = jobs
        var wanted: Set<FileDiscoveryConfiguration> = []
        for case .file(let file) in jobs.values.joined() { wanted.insert(file) }
        for (file, source) in sources where !wanted.contains(file) {
            source.stop.finish()
            sources[file] = nil
        }
        for file in wanted where sources[file] == nil {
            let (stopped, stop) = AsyncStream<Never>.makeStream()
            sources[file] = Source(stop: stop)
            send.yield(.start(file, stopped))
        }
        for job in gauges.keys where jobs[job] == nil {
            surroundings.metrics.remove(job)
            gauges[job] = nil
        }
        for job in jobs.keys where gauges[job] == nil {
            gauges[job] = surroundings.metrics.gauge(job)
        }
        handOutNow()
    }

    /// Runs the discoverers until its task is cancelled.
    package func run() async {
        await withDiscardingTaskGroup { group in
            for await command in commands {
                switch command {
                case .start(let file, let stopped):
                    group.addTask { [self] in await supervise(file, until: stopped) }
                case .handOutLater:
                    group.addTask { [self] in
                        // Cancelled only when everything ends; then nobody waits for the sets.
                        try? await surroundings.clock.sleep(for: Self.handOutInterval)
                        await handOutPlanned()
                    }
                }
            }
            group.cancelAll()
        }
    }

    private nonisolated func supervise(
        _ file: FileDiscoveryConfiguration, until stopped: AsyncStream<Never>
    ) async {
        let discoverer = FileDiscoverer(configuration: file, surroundings: surroundings)
        await withTaskGroup { group in
            group.addTask {
                // A discoverer ends by cancellation only.
                try? await discoverer.run { await self.take($0, from: file) }
            }
            group.addTask { for await _ in stopped {} }
            await group.next()
            group.cancelAll()
        }
    }

    private func take(_ groups: [TargetGroup], from file: FileDiscoveryConfiguration) {
        guard var source = sources[file] else { return }
        surroundings.metrics.receivedUpdates.increment()
        for group in groups {
            if group.targets.isEmpty {
                source.groups[group.source] = nil
                source.order.removeAll { $0 == group.source }
            } else if source.groups.updateValue(group, forKey: group.source) == nil {
                source.order.append(group.source)
            }
        }
        let isFirst = !source.hasPublished
        source.hasPublished = true
        sources[file] = source
        if isFirst { return handOutNow() }
        guard !isHandOutPlanned else { return }
        isHandOutPlanned = true
        send.yield(.handOutLater)
    }

    private func handOutPlanned() {
        isHandOutPlanned = false
        handOutNow()
    }

    private func handOutNow() {
        var sets: Sets = [:]
        for (job, configurations) in jobs {
            var groups: [TargetGroup] = []
            for configuration in configurations {
                switch configuration {
                case .fixed(let fixed): groups += fixed
                case .file(let file):
                    guard let source = sources[file] else { continue }
                    groups += source.order.compactMap { source.groups[$0] }
                }
            }
            sets[job] = groups
            gauges[job]?.set(Double(groups.reduce(0) { $0 + $1.targets.count }))
        }
        surroundings.metrics.sentUpdates.increment()
        handOut(sets)
    }
}
