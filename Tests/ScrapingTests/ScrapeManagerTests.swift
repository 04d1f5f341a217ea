// SPDX-License-Identifier: Apache-2.0

import Bytes
import Discovery
import Instrumentation
import Model
import Platform
import Scraping
import Synchronization
import Testing

private final class Scene: Sendable {
    let storage = RecordingStorage()
    let scheduler = FakeScheduler()
    let time: Time
    let manager: ScrapeManager

    init(host: String = "here") throws {
        var surroundings = ScrapeSurroundings(
            storage: storage, fileSystem: LocalFileSystem(), log: .silent, registry: Registry())
        let time = Time()
        surroundings.now = { time.now.load(ordering: .relaxed) }
        manager = try ScrapeManager(
            surroundings, scheduler: scheduler, externalLabels: .empty, host: host)
        self.time = time
    }

    deinit { manager.close() }

    func update(_ addresses: [String], labels: Labels = .empty) {
        let targets = addresses.map { Labels(["__address__": $0]) }
        manager.update(["j": [TargetGroup(source: "0", targets: targets, labels: labels)]])
    }

    func scrape(_ body: String, at time: Timestamp, _ target: ScrapedTarget) {
        let bytes = Array(body.utf8)
        target.receive(
            bytes.raw, failure: nil, contentType: "text/plain",
            ScrapeTiming(scheduled: time, started: time, nanoseconds: 0))
    }
}

private final class Time: Sendable {
    let now = Atomic<Timestamp>(0)
}

@Suite struct ScrapeManagerTests {
    @Test func `targets begin when jobs and addresses are known`() throws {
        let scene = try Scene()
        scene.update(["a:1", "b:2", "a:1"])
        #expect(scene.scheduler.all.isEmpty)
        scene.manager.apply([try configuration("job_name: j\nparams: {x: [1, 2], a b: [c d]}")])
        #expect(
            scene.scheduler.all.map(\.request.url) == [
                "http://a:1/metrics?a+b=c+d&x=1&x=2", "http://b:2/metrics?a+b=c+d&x=1&x=2",
            ])
        let target = scene.manager.pools[0].targets[0].target
        #expect(target.publicLabels == Labels(["instance": "a:1", "job": "j"]))
        #expect(target.discoveredLabels["__scrape_interval__"] == "1m")
        #expect(target.discoveredLabels["__param_x"] == "1")
    }

    @Test func `requests say what is understood`() throws {
        let scene = try Scene()
        scene.update(["a:1"])
        scene.manager.apply([
            try configuration("job_name: j\nbasic_auth: {username: u, password: p}")
        ])
        let request = scene.scheduler.all[0].request
        let headers = String(decoding: request.headers, as: UTF8.self)
        #expect(
            headers.hasPrefix(
                "Accept: application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,"
                    + "application/openmetrics-text;version=0.0.1;q=0.5,"
                    + "text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,"
                    + "text/plain;version=0.0.4;q=0.3,*/*;q=0.2\r\nAccept-Encoding: gzip\r\n"))
        #expect(headers.contains("X-Prometheus-Scrape-Timeout-Seconds: 10\r\n"))
        #expect(
            String(decoding: request.credentials, as: UTF8.self)
                == "Authorization: Basic dTpw\r\n")
    }

    @Test func `relabelling decides about targets`() throws {
        let scene = try Scene()
        scene.update(["a:1", "b:2", "c:3"])
        scene.manager.apply([
            try configuration(
                """
                job_name: j
                keep_dropped_targets: 1
                relabel_configs:
                - {source_labels: [__address__], regex: "a.*", action: keep}
                - {target_label: __scrape_interval__, replacement: 7s}
                - {target_label: __scrape_timeout__, replacement: 3s}
                - {target_label: instance, replacement: first}
                """)
        ])
        let pool = scene.manager.pools[0]
        #expect(pool.targets.map(\.target.publicLabels["instance"]) == ["first"])
        #expect(pool.targets.map(\.target.interval) == [7000])
        #expect(pool.dropped.count == 1)
        #expect(pool.droppedCount == 2)
    }

    @Test(arguments: [
        ("{target_label: __scrape_timeout__, replacement: 2m}", 0),
        ("{target_label: __scrape_interval__, replacement: often}", 0),
        ("{target_label: __address__, replacement: a/b}", 0),
        ("{target_label: __scheme__, replacement: https}", 0),
        ("{target_label: x, replacement: y}", 1),
    ])
    func `what is no target is left out`(rule: String, count: Int) throws {
        let scene = try Scene()
        scene.update(["a:1"])
        scene.manager.apply([try configuration("job_name: j\nrelabel_configs: [\(rule)]")])
        #expect(scene.scheduler.all.count == count)
    }

    @Test func `phases are stable, spread, and different on other servers`() throws {
        func phases(_ host: String) throws -> [Milliseconds] {
            let scene = try Scene(host: host)
            scene.update((0..<200).map { "host\($0):1" })
            scene.manager.apply([try configuration("job_name: j\nscrape_interval: 10s")])
            return scene.scheduler.all.map(\.phase)
        }
        let here = try phases("here")
        #expect(try phases("here") == here)
        #expect(try phases("there") != here)
        #expect(here.allSatisfy { $0 >= 0 && $0 < 10_000 && $0 % 250 == 0 })
        #expect(here.filter { $0 < 5000 }.count > 60)
        #expect(here.filter { $0 < 5000 }.count < 140)
    }

    @Test(arguments: [
        (60_000, 250), (15_000, 250), (2500, 250), (2250, 50), (2000, 100), (1999, 10), (1000, 100),
        (500, 50), (200, 20), (100, 10), (7, 10),
    ])
    func `cohorts divide an interval evenly into ten moments or more`(
        interval: Milliseconds, step: Milliseconds
    ) {
        #expect(ScrapeCohort.step(interval: interval) == step)
    }

    @Test func `a reload leaves unchanged jobs and remembered series alone`() throws {
        let scene = try Scene()
        scene.update(["a:1"])
        scene.manager.apply([try configuration("job_name: j")])
        let before = scene.scheduler.all[0].target
        scene.scrape("a 1\n", at: 1000, before)
        scene.manager.apply([try configuration("job_name: j")])
        #expect(scene.scheduler.all[0].target === before)
        scene.manager.apply([try configuration("job_name: j\nsample_limit: 5")])
        #expect(scene.scheduler.all[0].target === before)
        scene.scrape("b 1\n", at: 2000, before)
        #expect(
            scene.storage.samples(at: 2000).contains {
                $0.hasPrefix(#"{__name__="a""#) && $0.hasSuffix("stale")
            })
        scene.manager.apply([try configuration("job_name: j\nhonor_labels: true")])
        #expect(scene.scheduler.all[0].target !== before)
        #expect(scene.scheduler.all[0].target.status == before.status)
        scene.manager.apply([])
        #expect(scene.scheduler.all.isEmpty)
        #expect(scene.manager.pools.isEmpty)
    }

    @Test func `too many targets fail all of them`() throws {
        let scene = try Scene()
        scene.update(["a:1", "b:2"])
        scene.manager.apply([try configuration("job_name: j\ntarget_limit: 1")])
        let target = scene.manager.pools[0].targets[0]
        scene.scrape("a 1\n", at: 1000, target)
        #expect(
            target.status.lastError
                == "target_limit exceeded (number of targets: 2, limit: 1)")
        scene.update(["a:1"])
        scene.scrape("a 1\n", at: 2000, target)
        #expect(target.status.lastError == "")
    }

    @Test func `series of a target that is gone are marked stale two intervals later`() throws {
        let scene = try Scene()
        scene.update(["a:1", "b:2"])
        scene.manager.apply([try configuration("job_name: j\nscrape_interval: 10s")])
        for target in scene.manager.pools[0].targets { scene.scrape("x 1\n", at: 1000, target) }
        scene.time.now.store(2000, ordering: .relaxed)
        scene.update(["b:2"])
        scene.time.now.store(21_999, ordering: .relaxed)
        scene.manager.keepHouse()
        #expect(scene.storage.samples(at: 11_000).isEmpty)
        scene.time.now.store(22_000, ordering: .relaxed)
        scene.manager.keepHouse()
        let markers = scene.storage.samples(at: 11_000)
        #expect(markers.count == 5)
        #expect(markers.allSatisfy { $0.contains("a:1") && $0.hasSuffix("stale") })
    }
}
