// SPDX-License-Identifier: Apache-2.0

package import Discovery
internal import Exposition
internal import Instrumentation
package import Model
package import Platform
internal import Synchronization

/// What the pools of a server share.
struct PoolContext: Sendable {
    let surroundings: ScrapeSurroundings
    let scheduler: any ScrapeScheduler
    let farewells: FarewellQueue
    /// What sets the phases of this server apart from those of another.
    let seed: UInt64
}

/// Scrapes the targets of all jobs. Safe to use from any thread.
///
/// The configuration comes by `apply`, targets come by `update`; in whatever order, a job begins
/// when both are there. A thread of its own looks after what is not urgent: markers of targets that
/// are gone, and secrets in files.
package final class ScrapeManager: Sendable {
    private struct State {
        var jobs: [ScrapeConfiguration] = []
        var sets: [String: [TargetGroup]] = [:]
        var pools: [String: ScrapePool] = [:]
    }

    private let state = Mutex(State())
    private let context: PoolContext
    /// True when the housekeeping is to end.
    private let isClosed = Monitor(false)
    private let housekeeper: SystemThread

    /// How often the housekeeping looks around. Nanoseconds.
    private static let round: UInt64 = 1_000_000_000

    /// `externalLabels` are those of the configuration at the start; phases do not change later.
    package init(
        _ surroundings: ScrapeSurroundings, scheduler: any ScrapeScheduler,
        externalLabels: Labels, host: String = Host.name
    ) throws(FileError) {
        context = PoolContext(
            surroundings: surroundings, scheduler: scheduler, farewells: FarewellQueue(),
            seed: phaseSeed(host: host, externalLabels: externalLabels))
        let houseWork = HouseWork()
        let closed = isClosed
        housekeeper = try SystemThread("scrape-keeper") {
            while closed.wait(
                deadline: monotonicNanoseconds() + Self.round, until: { $0 ? true : nil }) == nil
            {
                houseWork.run()
            }
        }
        houseWork.set { [weak self] in self?.keepHouse() }
    }

    deinit {
        isClosed.withLock { $0 = true }
        isClosed.notifyAll()
    }

    /// Makes these the jobs. Pools whose job did not change are not disturbed.
    package func apply(_ jobs: [ScrapeConfiguration]) {
        context.surroundings.failureLogs.reopen(keeping: Set(jobs.map(\.failureLogFile)))
        state.withLock { state in
            state.jobs = jobs
            let names = Set(jobs.map(\.jobName))
            for (name, pool) in state.pools where !names.contains(name) {
                pool.endAll()
                state.pools[name] = nil
            }
            for job in jobs {
                guard let groups = state.sets[job.jobName] else { continue }
                reconcile(&state, job, groups, isNewSet: false)
            }
        }
    }

    /// Makes these the targets of the jobs that are named.
    package func update(_ sets: [String: [TargetGroup]]) {
        state.withLock { state in
            state.sets = sets
            for job in state.jobs {
                guard let groups = sets[job.jobName] else { continue }
                reconcile(&state, job, groups, isNewSet: true)
            }
        }
    }

    private func reconcile(
        _ state: inout State, _ job: ScrapeConfiguration, _ groups: [TargetGroup], isNewSet: Bool
    ) {
        guard var pool = state.pools.removeValue(forKey: job.jobName) else {
            var pool = ScrapePool(job, context)
            pool.sync(groups)
            state.pools[job.jobName] = pool
            return
        }
        if pool.job != job {
            pool.reload(job, groups)
        } else if isNewSet, pool.groups != groups {
            pool.sync(groups)
        }
        state.pools[job.jobName] = pool
    }

    /// What has to be looked after now and then; called by a thread of the manager.
    package func keepHouse() {
        context.farewells.work(now: context.surroundings.now())
        state.withLock { state in
            for name in state.pools.keys { state.pools[name]?.refreshCredentials() }
        }
    }

    /// Ends the housekeeping. Series are not marked stale: the server will go on with them. The
    /// scheduler is to be closed before.
    package func close() {
        isClosed.withLock { $0 = true }
        isClosed.notifyAll()
        housekeeper.join()
    }
}

/// The work of the housekeeping thread, which begins before the manager is complete.
private final class HouseWork: Sendable {
    private let body = Mutex<(@Sendable () -> Void)?>(nil)

    func set(_ work: @escaping @Sendable () -> Void) { body.withLock { $0 = work } }
    func run() { body.withLock { $0 }?() }
}

// MARK: Views

extension ScrapeManager {
    /// A job and its targets at one moment.
    package struct PoolView: Sendable {
        package var name: String
        package var targets: [ScrapedTarget]
        /// The labels before relabelling of targets that it dropped, as many as are kept.
        package var dropped: [Labels]
        package var droppedCount: Int
    }

    /// All jobs that have targets or had some, sorted by name.
    package var pools: [PoolView] {
        state.withLock { state in
            state.pools.values.map { pool in
                PoolView(
                    name: pool.job.jobName, targets: pool.targets, dropped: pool.dropped,
                    droppedCount: pool.droppedCount)
            }
        }.sorted { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }
    }

    /// How many layouts the targets share, and how many bytes these take.
    package var layoutUsage: (layouts: Int, bytes: Int) { context.surroundings.layouts.usage }
}

extension ScrapedTarget {
    /// What the target says about its metric families.
    package func metadata() -> [(family: String, metadata: Metadata)] { layout.metadata() }
}
