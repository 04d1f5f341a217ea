// SPDX-License-Identifier: Apache-2.0

internal import Discovery
internal import Exposition
internal import Instrumentation
internal import Model
internal import Platform
internal import ScrapeClient
internal import Settings

/// The targets of one job. A value that its manager guards.
struct ScrapePool {
    /// A target and the scrapes of it. There is no handle where its URL is none.
    private struct Entry {
        var target: ScrapedTarget
        var handle: ScrapeTargetHandle?
    }

    private(set) var job: ScrapeConfiguration
    private(set) var groups: [TargetGroup] = []
    private(set) var dropped: [Labels] = []
    private(set) var droppedCount = 0
    private var entries: [UInt64: Entry] = [:]
    /// Targets in the order in which they were found.
    private var order: [UInt64] = []
    /// The secrets that the requests carry now.
    private var credentials = ""
    private let context: PoolContext
    let metrics: PoolMetrics

    init(_ job: ScrapeConfiguration, _ context: PoolContext) {
        self.job = job
        self.context = context
        metrics = PoolMetrics(job.jobName, context.surroundings.metrics.registry)
        context.surroundings.metrics.poolsCreated.increment()
        metrics.targetLimit.set(Double(job.limits.targets))
        credentials = currentCredentials()
    }

    var targets: [ScrapedTarget] { order.compactMap { entries[$0]?.target } }

    /// Makes `groups` the targets: new ones begin, those that are gone end, the others go on.
    mutating func sync(_ groups: [TargetGroup]) {
        self.groups = groups
        let found = discover()
        var wanted: [UInt64: Target] = [:]
        order.removeAll()
        for target in found where wanted[target.hash] == nil {
            wanted[target.hash] = target
            order.append(target.hash)
        }
        for (hash, entry) in entries where wanted[hash] == nil {
            end(entry)
            entries[hash] = nil
        }
        for hash in order {
            guard let target = wanted[hash] else { continue }
            if let entry = entries[hash] {
                entry.target.setDiscoveredLabels(target.discoveredLabels)
            } else {
                begin(ScrapedTarget(target, job, context.surroundings))
            }
        }
        metrics.syncs.increment()
        metrics.targets.set(Double(order.count))
        enforceTargetLimit()
    }

    private mutating func discover() -> [Target] {
        var targets: [Target] = []
        dropped.removeAll()
        droppedCount = 0
        for outcome in groups.flatMap(job.targets) {
            switch outcome {
            case .active(let target): targets.append(target)
            case .dropped(let labels):
                droppedCount += 1
                let limit = job.limits.keptDroppedTargets
                if limit == 0 || dropped.count < limit { dropped.append(labels) }
            case .failed(let error):
                metrics.failedSyncs.increment()
                context.surroundings.log.error(
                    "Creating target failed",
                    ["scrape_pool": job.jobName, "err": error.description])
            }
        }
        return targets
    }

    private func enforceTargetLimit() {
        let limit = job.limits.targets
        var error: String?
        if limit > 0, order.count > limit {
            error = "target_limit exceeded (number of targets: \(order.count), limit: \(limit))"
            context.surroundings.metrics.targetLimitExceeded.increment()
        }
        for entry in entries.values { entry.target.setForcedError(error) }
    }

    // MARK: Beginning and ending scrapes

    private mutating func begin(_ target: ScrapedTarget) {
        entries[target.target.hash] = Entry(target: target, handle: schedule(target))
    }

    private func schedule(_ scraped: ScrapedTarget) -> ScrapeTargetHandle? {
        let target = scraped.target
        var headers = RequestHeaders(job.request, job.names.escaping, timeout: target.timeout)
        headers.credentials = credentials
        do throws(ScrapeRequestError) {
            var request = try ScrapeRequest(
                url: target.url, headers: Array(headers.general.utf8), timeout: target.timeout,
                bodyLimit: job.limits.bodySize)
            request.credentials = Array(headers.credentials.utf8)
            request.followsRedirects = job.request.client.followsRedirects
            let phase = target.phase(seed: context.seed)
            return context.scheduler.add(
                request, every: target.interval, phase: phase, scraped)
        } catch {
            scraped.fail("parse \(quoted(target.url)): \(error)")
            return nil
        }
    }

    private func end(_ entry: Entry) {
        let (context, target) = (context, entry.target)
        guard let handle = entry.handle else { return }
        context.scheduler.remove(handle) {
            context.farewells.add(target, now: context.surroundings.now())
        }
    }

    /// Ends all scrapes, with markers for all series.
    func endAll() {
        for entry in entries.values { end(entry) }
        metrics.remove()
    }

    // MARK: Reloading

    /// Goes on with another configuration. Targets keep what is remembered of them where the new
    /// configuration makes the same series of the same lines.
    mutating func reload(_ job: ScrapeConfiguration, _ groups: [TargetGroup]) {
        context.surroundings.metrics.poolReloads.increment()
        let keepsTables = self.job.makesSameSeries(as: job)
        self.job = job
        credentials = currentCredentials()
        metrics.targetLimit.set(Double(job.limits.targets))
        for (hash, entry) in entries {
            if keepsTables {
                if let handle = entry.handle { context.scheduler.remove(handle) {} }
                entry.target.setJob(job)
                begin(entry.target)
            } else {
                end(entry)
                let target = ScrapedTarget(entry.target.target, job, context.surroundings)
                target.inherit(entry.target.status)
                entries[hash] = nil
                begin(target)
            }
        }
        sync(groups)
    }

    /// Reads secrets from their files again; where they changed, requests carry the new ones.
    mutating func refreshCredentials() {
        guard job.request.client.readsFiles else { return }
        let current = currentCredentials()
        guard current != credentials else { return }
        credentials = current
        for (_, entry) in entries {
            guard let handle = entry.handle else { continue }
            context.scheduler.remove(handle) {}
            entries[entry.target.target.hash] = Entry(
                target: entry.target, handle: schedule(entry.target))
        }
    }

    private func currentCredentials() -> String {
        var headers = RequestHeaders(job.request, job.names.escaping, timeout: 0)
        do throws(FileError) {
            try headers.add(job.request.client, context.surroundings.fileSystem)
        } catch {
            context.surroundings.log.error(
                "Cannot read the credentials of a job",
                ["scrape_pool": job.jobName, "err": error.description])
        }
        return headers.credentials
    }
}

extension ScrapeConfiguration {
    /// Whether a line of an exposition becomes the same series under another configuration.
    func makesSameSeries(as other: ScrapeConfiguration) -> Bool {
        metricRelabeling == other.metricRelabeling && samples == other.samples
            && names == other.names && limits.labels == other.limits.labels
            && limits.labelNameLength == other.limits.labelNameLength
            && limits.labelValueLength == other.limits.labelValueLength
            && histograms == other.histograms
    }
}
