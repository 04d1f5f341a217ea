// SPDX-License-Identifier: Apache-2.0

import Bytes
import Discovery
import Instrumentation
import Model
import Platform
import ScrapeClient
import Scraping
import Storage
import Testing

/// One job with one target, scraped by hand.
private final class Scene {
    let storage = RecordingStorage()
    let scheduler = FakeScheduler()
    let registry = Registry()
    let manager: ScrapeManager
    private(set) var time: Timestamp = 1_000_000

    init(
        _ settings: String = "", address: String = "a:1", gathersExemplars: Bool = false,
        passesMetadata: Bool = false, gathersStarts: Bool = false
    ) throws {
        var surroundings = ScrapeSurroundings(
            storage: storage, fileSystem: LocalFileSystem(), log: .silent, registry: registry)
        surroundings.now = { 0 }
        surroundings.gathersExemplars = gathersExemplars
        surroundings.passesMetadata = passesMetadata
        surroundings.gathersStarts = gathersStarts
        manager = try ScrapeManager(
            surroundings, scheduler: scheduler, externalLabels: .empty, host: "here")
        manager.apply([try configuration("job_name: j\nscrape_interval: 10s\n\(settings)")])
        manager.update([
            "j": [
                TargetGroup(
                    source: "0", targets: [Labels(["__address__": address])], labels: .empty)
            ]
        ])
    }

    deinit { manager.close() }

    /// What the samples of the last scrape say of their start.
    var starts: [String] {
        storage.starts(at: time).map { $0.replacing(", instance=\"a:1\", job=\"j\"", with: "") }
    }

    var target: ScrapedTarget { manager.pools[0].targets[0] }

    /// Scrapes the target ten seconds later and returns what is stored for that time.
    @discardableResult
    func scrape(
        _ body: String, contentType: String = "text/plain; version=0.0.4",
        failure: ScrapeFailure? = nil, late: Milliseconds = 0
    ) -> [String] {
        time += 10_000
        let bytes = Array(body.utf8)
        target.receive(
            bytes.raw, failure: failure, contentType: contentType,
            ScrapeTiming(scheduled: time, started: time + late, nanoseconds: 5_000_000))
        return storage.samples(at: time).map {
            $0.replacing(", instance=\"a:1\", job=\"j\"", with: "")
        }
    }
}

/// The report without its duration.
private func report(up: Int, scraped: Int, kept: Int, added: Int) -> [String] {
    [
        "{__name__=\"scrape_samples_post_metric_relabeling\"} \(kept).0",
        "{__name__=\"scrape_samples_scraped\"} \(scraped).0",
        "{__name__=\"scrape_series_added\"} \(added).0", "{__name__=\"up\"} \(up).0",
    ]
}

@Suite struct ScrapedTargetTests {
    @Test func `a scrape is stored with the target's labels and its report in one batch`() throws {
        let scene = try Scene()
        let stored = scene.scrape("a 1\nb{c=\"d\"} 2.5\n")
        #expect(
            stored == [#"{__name__="a"} 1.0"#, #"{__name__="b", c="d"} 2.5"#]
                .map { $0.replacing(", c=\"d\"}", with: ", c=\"d\"}") }
                + report(up: 1, scraped: 2, kept: 2, added: 2))
        #expect(scene.storage.batchCount == 1)
        scene.scrape("a 2\nb{c=\"d\"} 3\n")
        #expect(scene.storage.batchCount == 2)
        #expect(scene.target.status.health == .up)
        #expect(scene.target.status.lastScrape == scene.time)
    }

    @Test func `exemplars come with their samples, known and new ones alike`() throws {
        let body = """
            # TYPE a counter
            a_total 1 # {id="x"} 0.5 2
            # TYPE b counter
            b_total 1 # {id="y"} 0.25
            c 1
            # EOF

            """
        let type = "application/openmetrics-text; version=1.0.0"
        let off = try Scene()
        off.scrape(body, contentType: type)
        #expect(off.storage.exemplars == [])
        let scene = try Scene(
            "metric_relabel_configs: [{source_labels: [__name__], regex: d_total, action: drop}]",
            gathersExemplars: true)
        scene.scrape(body, contentType: type)
        let first = [
            #"a_total {id="x"} 0.5 2000"#, #"b_total {id="y"} 0.25 \#(scene.time)"#,
        ]
        #expect(scene.storage.exemplars == first)
        scene.scrape(
            body.replacing("c 1", with: "# TYPE d counter\nd_total 1 # {} 1\nc 1"),
            contentType: type)
        #expect(
            scene.storage.exemplars.dropFirst(2)
                == [#"a_total {id="x"} 0.5 2000"#, #"b_total {id="y"} 0.25 \#(scene.time)"#])
    }

    @Test func `what is said about series goes to the storage when it is new`() throws {
        let body = """
            # HELP a How many.
            # TYPE a counter
            a_total{x="1"} 1
            a_total{x="2"} 1
            a_created 1
            # TYPE b_seconds histogram
            # UNIT b_seconds seconds
            b_seconds_bucket{le="1"} 1
            b_seconds_count 1
            bb 1
            # TYPE c_info gauge
            c_info 1
            # EOF

            """
        let type = "application/openmetrics-text; version=1.0.0"
        let off = try Scene()
        off.scrape(body, contentType: type)
        #expect(off.storage.metadata == [])
        let scene = try Scene(
            "metric_relabel_configs: [{source_labels: [x], regex: '2', action: drop}]",
            passesMetadata: true)
        scene.scrape(body, contentType: type)
        let all = [
            "a_total counter  How many.", "b_seconds_bucket histogram seconds ",
            "b_seconds_count histogram seconds ", "c_info gauge  ",
        ]
        #expect(scene.storage.metadata == all)
        scene.scrape(body, contentType: type)
        #expect(scene.storage.metadata == all)
        scene.scrape(body.replacing("many", with: "much"), contentType: type)
        #expect(scene.storage.metadata[4] == "a_total counter  How much.")
        scene.storage.forgetRefs()
        let count = scene.storage.metadata.count
        scene.scrape(body.replacing("many", with: "much"), contentType: type)
        #expect(scene.storage.metadata.count == count + 4)
    }

    @Test func `series that vanish are marked stale once and may come back`() throws {
        let scene = try Scene()
        scene.scrape("a 1\nb 1\nc 1\n")
        #expect(
            scene.scrape("a 1\nc 1\n") == [
                #"{__name__="a"} 1.0"#, #"{__name__="b"} stale"#, #"{__name__="c"} 1.0"#,
            ] + report(up: 1, scraped: 2, kept: 2, added: 0))
        #expect(
            scene.scrape("a 1\nc 1\n") == [#"{__name__="a"} 1.0"#, #"{__name__="c"} 1.0"#]
                + report(up: 1, scraped: 2, kept: 2, added: 0))
        #expect(
            scene.scrape("a 1\nb 1\nc 1\n") == [
                #"{__name__="a"} 1.0"#, #"{__name__="b"} 1.0"#, #"{__name__="c"} 1.0"#,
            ] + report(up: 1, scraped: 3, kept: 3, added: 1))
    }

    @Test func `a failed scrape marks everything stale and says why`() throws {
        let scene = try Scene()
        scene.scrape("a 1\nb 1\n")
        #expect(
            scene.scrape("", failure: .status("500 Internal Server Error")) == [
                #"{__name__="a"} stale"#, #"{__name__="b"} stale"#,
            ] + report(up: 0, scraped: 0, kept: 0, added: 0))
        #expect(
            scene.target.status.lastError
                == "server returned HTTP status 500 Internal Server Error")
        #expect(
            scene.scrape("a 1\nb 1\n") == [#"{__name__="a"} 1.0"#, #"{__name__="b"} 1.0"#]
                + report(up: 1, scraped: 2, kept: 2, added: 0))
    }

    @Test func `a broken body stores nothing of it`() throws {
        let scene = try Scene()
        scene.scrape("a 1\nb 1\nc 1\n")
        // Series before the fault get no marker, as upstream has it.
        #expect(
            scene.scrape("a 2\nb bad\nc 1\n") == [
                #"{__name__="b"} stale"#, #"{__name__="c"} stale"#,
            ] + report(up: 0, scraped: 1, kept: 1, added: 0))
        #expect(
            scene.target.status.lastError.hasPrefix(
                #"strconv.ParseFloat: parsing "bad": invalid syntax"#))
    }

    @Test func `an empty body is a scrape without samples`() throws {
        let scene = try Scene()
        scene.scrape("a 1\n")
        #expect(
            scene.scrape("", contentType: "") == [#"{__name__="a"} stale"#]
                + report(up: 1, scraped: 0, kept: 0, added: 0))
    }

    @Test(arguments: [
        (
            "text/html",
            "received unsupported Content-Type \"text/html\" and no "
                + "fallback_scrape_protocol specified for target"
        ),
        (
            "",
            "non-compliant scrape target sending blank Content-Type and no "
                + "fallback_scrape_protocol specified for target"
        ),
    ])
    func `an unknown content type fails the scrape`(type: String, message: String) throws {
        let scene = try Scene()
        scene.scrape("a 1\n", contentType: type)
        #expect(scene.target.status.lastError == message)
        let tolerant = try Scene("fallback_scrape_protocol: PrometheusText0.0.4")
        tolerant.scrape("a 1\n", contentType: type)
        #expect(tolerant.target.status.lastError == "")
    }

    @Test func `explicit timestamps are kept and not marked stale`() throws {
        let scene = try Scene()
        scene.scrape("a 1 5000\nb 2\n")
        #expect(scene.storage.samples(at: 5000).count == 1)
        #expect(
            scene.scrape("b 2\n") == [#"{__name__="b"} 2.0"#]
                + report(up: 1, scraped: 1, kept: 1, added: 0))
        let ignoring = try Scene("honor_timestamps: false")
        #expect(ignoring.scrape("a 1 5000\n").first == #"{__name__="a"} 1.0"#)
        let tracking = try Scene("track_timestamps_staleness: true")
        tracking.scrape("a 1 5000\nb 2\n")
        #expect(tracking.scrape("b 2\n").first == #"{__name__="a"} stale"#)
    }

    @Test func `series whose refs went out of date are found again`() throws {
        let scene = try Scene()
        scene.scrape("a 1\nb 1\n")
        scene.scrape("a 1\nb 1\n")
        scene.storage.forgetRefs()
        #expect(
            scene.scrape("a 2\nb 3\n") == [#"{__name__="a"} 2.0"#, #"{__name__="b"} 3.0"#]
                + report(up: 1, scraped: 2, kept: 2, added: 0))
        let batches = scene.storage.batchCount
        scene.scrape("a 2\nb 3\n")
        #expect(scene.storage.batchCount == batches + 1)
    }

    @Test func `without memory for new series the known ones are stored, and the target says so`()
        throws
    {
        let scene = try Scene()
        scene.scrape("a 1\n")
        scene.storage.refuseNew(true)
        let message = "memory budget used up: 2 new series were not created"
        for added in [2, 0] {
            #expect(
                scene.scrape("a 2\nb 3\nc 4\n") == [#"{__name__="a"} 2.0"#]
                    + report(up: 1, scraped: 3, kept: 3, added: added))
            #expect(scene.target.status.health == .up)
            #expect(scene.target.status.lastError == message)
        }
        scene.storage.refuseNew(false)
        #expect(
            scene.scrape("a 2\nb 3\nc 4\n") == [
                #"{__name__="a"} 2.0"#, #"{__name__="b"} 3.0"#, #"{__name__="c"} 4.0"#,
            ] + report(up: 1, scraped: 3, kept: 3, added: 0))
        #expect(scene.target.status.lastError == "")
        let fresh = try Scene()
        fresh.storage.refuseNew(true)
        #expect(fresh.scrape("a 1\n") == [])
        #expect(fresh.target.status.lastError.hasPrefix("memory budget used up"))
    }

    @Test func `relabelling drops and changes series once`() throws {
        let scene = try Scene(
            """
            metric_relabel_configs:
            - {source_labels: [__name__], regex: "drop.*", action: drop}
            - {source_labels: [x], target_label: y}
            - {regex: x, action: labeldrop}
            """)
        for round in 0..<3 {
            #expect(
                scene.scrape("a{x=\"1\"} 1\ndropped 2\nb 3\n") == [
                    #"{__name__="a", instance="a:1", job="j", y="1"} 1.0"#
                        .replacing(", instance=\"a:1\", job=\"j\"", with: ""),
                    #"{__name__="b"} 3.0"#,
                ] + report(up: 1, scraped: 3, kept: 2, added: round == 0 ? 2 : 0))
        }
    }

    @Test func `conflicting labels are exported or honoured`() throws {
        let body = "a{job=\"x\",instance=\"\",exported_job=\"y\"} 1\n"
        let scene = try Scene()
        #expect(
            scene.scrape(body).first
                == #"{__name__="a", exported_exported_job="x", exported_job="y"} 1.0"#
                || scene.scrape(body).first?.contains("exported_exported_job=\"x\"") == true)
        let honouring = try Scene("honor_labels: true")
        #expect(honouring.scrape(body).first?.contains("job=\"x\"") == true)
        #expect(honouring.scrape(body).first?.contains("instance") == false)
    }

    @Test func `limits fail the whole scrape`() throws {
        let samples = try Scene("sample_limit: 2")
        #expect(samples.scrape("a 1\nb 1\nc 1\n") == report(up: 0, scraped: 3, kept: 3, added: 2))
        #expect(samples.target.status.lastError == "sample limit exceeded")
        let labels = try Scene("label_limit: 3")
        labels.scrape("a{b=\"c\"} 1\n")
        #expect(
            labels.target.status.lastError
                == "label_limit exceeded (metric: a, number of labels: 4, limit: 3)")
        let values = try Scene("label_value_length_limit: 3")
        values.scrape("a{b=\"long one\"} 1\n")
        #expect(
            values.target.status.lastError
                == "label_value_length_limit exceeded (metric: a, label name: b, "
                + "value: \"long one\", length: 8, limit: 3)")
    }

    @Test func `a label that occurs twice fails the scrape`() throws {
        let scene = try Scene()
        scene.scrape("a{b=\"1\",b=\"2\"} 1\n")
        #expect(scene.target.status.lastError == "label name \"b\" is not unique: invalid sample")
    }

    @Test func `a series that the body repeats counts once`() throws {
        let scene = try Scene()
        for _ in 0..<2 {
            let stored = scene.scrape("a 1\na 2\nb 1\n")
            #expect(stored.prefix(2) == [#"{__name__="a"} 1.0"#, #"{__name__="b"} 1.0"#])
            #expect(stored.contains("{__name__=\"scrape_samples_scraped\"} 3.0"))
            #expect(stored.contains("{__name__=\"scrape_samples_post_metric_relabeling\"} 3.0"))
        }
    }

    @Test func `timestamps snap to the grid when the scrape is hardly late`() throws {
        let scene = try Scene()
        scene.scrape("a 1\n", late: 2)
        #expect(scene.storage.samples(at: scene.time).count == 5)
        scene.scrape("a 1\n", late: 3)
        #expect(scene.storage.samples(at: scene.time).isEmpty)
        #expect(scene.storage.samples(at: scene.time + 3).count == 5)
    }

    @Test func `a target that changes its format keeps its series`() throws {
        let scene = try Scene()
        scene.scrape("a 1\nb 1\n")
        let stored = scene.scrape(
            "a 2\n# EOF\n", contentType: "application/openmetrics-text; version=1.0.0")
        #expect(stored.prefix(2) == [#"{__name__="a"} 2.0"#, #"{__name__="b"} stale"#])
        #expect(
            scene.scrape("a 3\n# EOF\n", contentType: "application/openmetrics-text").first
                == #"{__name__="a"} 3.0"#)
    }

    @Test func `extra metrics are stored on request`() throws {
        let scene = try Scene("extra_scrape_metrics: true\nsample_limit: 7")
        let stored = scene.scrape("a 1\n")
        #expect(stored.contains("{__name__=\"scrape_timeout_seconds\"} 10.0"))
        #expect(stored.contains("{__name__=\"scrape_sample_limit\"} 7.0"))
        #expect(stored.contains("{__name__=\"scrape_body_size_bytes\"} 4.0"))
    }

    @Test func `metadata come from the last exposition`() throws {
        let scene = try Scene()
        scene.scrape("# HELP a About \\\\ a\n# TYPE a counter\na 1\n# TYPE b gauge\nb 1\n")
        let metadata = scene.target.metadata()
        #expect(metadata.map(\.family) == ["a", "b"])
        #expect(metadata[0].metadata == Metadata(type: .counter, help: "About \\ a"))
    }

    @Test func `failed scrapes are written to the job's log`() throws {
        let path = "/tmp/scrape-failures-\(randomBytes(8).map { String($0) }.joined()).json"
        let files = LocalFileSystem()
        defer { try? files.remove(path) }
        let scene = try Scene("scrape_failure_log_file: \(path)")
        scene.scrape("", failure: .status("404 Not Found"))
        scene.scrape("a 1\n")
        scene.scrape("", failure: .bodyTooLarge)
        let lines = String(decoding: try files.contents(of: path), as: UTF8.self)
            .split(separator: "\n")
        #expect(lines.count == 2)
        #expect(lines[0].contains("\"msg\":\"server returned HTTP status 404 Not Found\""))
        #expect(lines[0].contains("\"job_name\":\"j\",\"target\":\"http://a:1/metrics\""))
        #expect(lines[1].contains("\"msg\":\"body size limit exceeded\""))
    }
}

private let openMetrics = "application/openmetrics-text; version=1.0.0; charset=utf-8"

@Suite struct StartTimestampTests {
    private func body(_ value: Int, created: String, _ more: String = "") -> String {
        """
        # TYPE a counter
        a_total{l="x"} \(value)
        a_created{l="x"} \(created)
        # TYPE h histogram
        h_bucket{le="1.0"} \(value)
        h_bucket{le="+Inf"} \(value)
        h_count \(value)
        h_sum 0.5
        h_created 7
        # TYPE g gauge
        g_created 1
        \(more)# EOF

        """
    }

    private func expected(_ start: Int) -> [String] {
        [
            "{__name__=\"a_total\", l=\"x\"} \(start)", "{__name__=\"h_bucket\", le=\"+Inf\"} 7000",
            "{__name__=\"h_bucket\", le=\"1.0\"} 7000", "{__name__=\"h_count\"} 7000",
            "{__name__=\"h_sum\"} 7000",
        ].sorted()
    }

    @Test func `series that say since when others count are start timestamps and no series`() throws
    {
        let scene = try Scene(gathersStarts: true)
        for (round, created) in ["1.5", "1.5", "12.25"].enumerated() {
            let stored = scene.scrape(
                body(round, created: created), contentType: openMetrics)
            let names = stored.filter { $0.contains("created") }
            #expect(names == [#"{__name__="g_created"} 1.0"#])
            #expect(scene.starts == expected(created == "1.5" ? 1500 : 12_250))
            #expect(
                stored.suffix(4)
                    == report(up: 1, scraped: 6, kept: 6, added: round == 0 ? 6 : 0).suffix(4))
        }
    }

    @Test func `new, vanished and odd lines have the start timestamps that they should have`()
        throws
    {
        let scene = try Scene(gathersStarts: true)
        scene.scrape(body(1, created: "2"), contentType: openMetrics)
        let more = "# TYPE c counter\nc_total 1\nc_created 3\n"
        scene.scrape(body(1, created: "2", more), contentType: openMetrics)
        #expect(scene.starts == (expected(2000) + [#"{__name__="c_total"} 3000"#]).sorted())
        scene.scrape(body(1, created: "4", more), contentType: openMetrics)
        #expect(scene.starts == (expected(4000) + [#"{__name__="c_total"} 3000"#]).sorted())
        let lost = more.replacing("c_created 3\n", with: "")
        let stored = scene.scrape(body(1, created: "4", lost), contentType: openMetrics)
        #expect(scene.starts == expected(4000))
        #expect(stored.contains(#"{__name__="c_total"} 1.0"#))
        #expect(!stored.contains { $0.contains("stale") })
        scene.storage.forgetRefs()
        scene.scrape(body(1, created: "5", more), contentType: openMetrics)
        #expect(scene.starts == (expected(5000) + [#"{__name__="c_total"} 3000"#]).sorted())
        #expect(scene.scrape("", failure: .timeout("late")).contains { $0.contains("stale") })
        #expect(scene.starts == [])
    }

    @Test func `where start timestamps are not kept they are series, as in other formats`() throws {
        let scene = try Scene()
        let stored = scene.scrape(body(1, created: "2"), contentType: openMetrics)
        #expect(stored.contains(#"{__name__="h_created"} 7.0"#))
        #expect(scene.starts == [])
        let keeping = try Scene(gathersStarts: true)
        let text = "# TYPE a counter\na_total 1\na_created 2\n"
        #expect(keeping.scrape(text).contains(#"{__name__="a_created"} 2.0"#))
        #expect(keeping.starts == [])
    }
}
