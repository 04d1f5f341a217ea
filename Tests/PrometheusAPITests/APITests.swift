// SPDX-License-Identifier: Apache-2.0

import Bytes
import Compression
import HTTP
import Instrumentation
import JSON
import Model
import PromQL
import PrometheusAPI
import Storage
import Synchronization
import Testing

@Suite("HTTP API")
struct APITests {
    @Test(
        "answers as the real server, to the byte",
        arguments: [
            (
                "query?query=up&time=60",
                #"{"status":"success","data":{"resultType":"vector","result":["#
                    + #"{"metric":{"__name__":"up","instance":"a:1"},"value":[60,"2"]},"#
                    + #"{"metric":{"__name__":"up","instance":"b:1"},"value":[60,"3.5"]}]}}"#
            ),
            (
                "query?query=up&time=60&limit=1",
                #"{"status":"success","data":{"resultType":"vector","result":["#
                    + #"{"metric":{"__name__":"up","instance":"a:1"},"value":[60,"2"]}]},"#
                    + #""warnings":["results truncated due to limit"]}"#
            ),
            (
                "query?query=1e-7&time=1.1",
                #"{"status":"success","data":{"resultType":"scalar","result":[1.1,"0.0000001"]}}"#
            ),
            (
                "query?query=vector(1e-7)&time=1.1",
                #"{"status":"success","data":{"resultType":"vector","result":["#
                    + #"{"metric":{},"value":[1.100,"1e-07"]}]}}"#
            ),
            (
                "query?query=%22%3C%22&time=1970-01-01T00:00:01Z",
                #"{"status":"success","data":{"resultType":"string","result":[1,"\u003c"]}}"#
            ),
            (
                "query_range?query=sum(up)&start=0&end=120&step=1m",
                #"{"status":"success","data":{"resultType":"matrix","result":["#
                    + #"{"metric":{},"values":[[0,"3.5"],[60,"5.5"],[120,"7.5"]]}]}}"#
            ),
            ("labels", #"{"status":"success","data":["__name__","instance","service.name"]}"#),
            (
                "labels?match[]=up&limit=1",
                #"{"status":"success","data":["__name__"],"#
                    + #""warnings":["results truncated due to limit"]}"#
            ),
            (
                "label/service.name/values",
                #"{"status":"success","data":["\u003cünï\u003e"]}"#
            ),
            (
                "label/U__service_2e_name/values",
                #"{"status":"success","data":["\u003cünï\u003e"]}"#
            ),
            (
                "series?match[]=up&match[]={instance=\"a:1\"}",
                #"{"status":"success","data":[{"__name__":"up","instance":"a:1"},"#
                    + #"{"__name__":"up","instance":"b:1"}]}"#
            ),
            (
                "series?match[]={\"utf8.name\"}",
                #"{"status":"success","data":[{"__name__":"utf8.name","service.name":"<ünï>"}]}"#
            ),
            ("format_query?query=a%2Bb", #"{"status":"success","data":"a + b"}"#),
            ("status/config", #"{"status":"success","data":{"yaml":"global: {}\n"}}"#),
            ("status/flags", #"{"status":"success","data":{"web.a":"1","web.b":"2"}}"#),
            (
                "status/walreplay",
                #"{"status":"success","data":{"min":0,"max":0,"current":0}}"#
            ),
            ("scrape_pools", #"{"status":"success","data":{"scrapePools":[]}}"#),
            (
                "query_exemplars?query=up&start=1&end=2",
                #"{"status":"success","data":[{"seriesLabels":{"__name__":"up","instance":"a:1"},"#
                    + #""exemplars":[{"labels":{"id":"1"},"value":"0.5","timestamp":1.500}]}]}"#
            ),
            ("query_exemplars?query=up&start=3", #"{"status":"success","data":[]}"#),
            ("query_exemplars?query=1", #"{"status":"success"}"#),
            ("metadata", #"{"status":"success","data":{}}"#),
            (
                "targets?state=active",
                #"{"status":"success","data":{"activeTargets":[],"droppedTargets":[],"#
                    + #""droppedTargetCounts":null}}"#
            ),
        ])
    func successes(_ target: String, _ expected: String) {
        #expect(Bench().get("/api/v1/" + target) == expected)
    }

    @Test(
        "refuses as the real server",
        arguments: [
            (
                "query?query=up%7B", 400, "bad_data",
                #"invalid parameter \"query\": 1:4: parse error: unexpected end of input inside braces"#
            ),
            (
                "query?query=1&time=abc", 400, "bad_data",
                #"invalid parameter \"time\": invalid time value for 'time': cannot parse \"abc\" to a valid timestamp"#
            ),
            (
                "query?query=1&limit=x", 400, "bad_data",
                #"invalid parameter \"limit\": strconv.Atoi: parsing \"x\": invalid syntax"#
            ),
            (
                "query?query=1&limit=-1", 400, "bad_data",
                #"invalid parameter \"limit\": limit must be non-negative"#
            ),
            (
                "query?query=1&timeout=-1s", 400, "bad_data",
                #"invalid parameter \"timeout\": cannot parse \"-1s\" to a valid duration"#
            ),
            (
                "query?query=1&lookback_delta=x", 400, "bad_data",
                #"error parsing lookback delta duration: cannot parse \"x\" to a valid duration"#
            ),
            (
                "query_exemplars?query=up%7B", 400, "bad_data",
                "1:4: parse error: unexpected end of input inside braces"
            ),
            (
                "query_exemplars?query=up&start=2&end=1", 400, "bad_data",
                "end timestamp must not be before start timestamp"
            ),
            (
                "query_range?query=1&start=0&end=1&step=0", 400, "bad_data",
                #"invalid parameter \"step\": zero or negative query resolution step widths are not accepted. Try a positive integer"#
            ),
            (
                "query_range?query=1&start=0&end=11001&step=1", 400, "bad_data",
                "exceeded maximum resolution of 11,000 points per timeseries. Try decreasing the query resolution (?step=XX)"
            ),
            (
                "query_range?query=1&start=2&end=1&step=1", 400, "bad_data",
                #"invalid parameter \"end\": end timestamp must not be before start time"#
            ),
            (
                "query_range?query=1&start=2&step=1", 400, "bad_data",
                #"invalid parameter \"end\": cannot parse \"\" to a valid timestamp"#
            ),
            (
                "query_range?query=up[1m]&start=0&end=1&step=1", 400, "bad_data",
                #"invalid parameter \"query\": invalid expression type \"range vector\" for range query, must be Scalar or instant Vector"#
            ),
            (
                "labels?match[]=%7B%7D", 400, "bad_data",
                "match[] must contain at least one non-empty matcher"
            ),
            ("series", 400, "bad_data", "no match[] parameter provided"),
            (
                "label/a%FFb/values?limit=x", 400, "bad_data",
                #"invalid label name: \"a\\xffb\""#
            ),
            (
                "series?match[]=foo%7B", 400, "bad_data",
                #"invalid parameter \"match[]\": 1:5: parse error: unexpected end of input inside braces"#
            ),
            ("status/tsdb?limit=x", 400, "bad_data", "limit must be a positive number"),
            ("status/tsdb?limit=10001", 400, "bad_data", "limit must not exceed 10000"),
        ])
    func failures(_ target: String, _ status: Int, _ kind: String, _ message: String) {
        let answer = Bench().send("GET", "/api/v1/" + target)
        #expect(answer.status == status)
        #expect(
            answer.text
                == #"{"status":"error","errorType":"\#(kind)","error":"\#(message)"}"#)
    }

    @Test(
        "reads times as Go does",
        arguments: [
            ("1_000.5", 1_000_500), ("0x1p4", 16_000), ("2023-11-14T2:30:00Z", 1_699_929_000_000),
            ("NaN", -9_223_372_036_855), ("Inf", -9_223_372_036_855), ("1e300", 0), ("-1e300", 0),
            ("-0.5", -500), ("1.0006", 1001),
        ] as [(String, Int64)])
    func times(_ text: String, _ expected: Int64) {
        #expect(Parameters.time(text) == expected)
    }

    @Test(
        "refuses what Go does not read as a time",
        arguments: [
            "_1", "1_", "1__0", "1_.5", "0x_", "2023-1-14T02:30:00Z", "2023-11-14T2:3:00Z", "",
        ])
    func noTimes(_ text: String) { #expect(Parameters.time(text) == nil) }

    @Test(
        "takes ends in the wrong order as they are",
        arguments: [
            ("series?match[]=up&start=240&end=0", 2), ("series?match[]=up&start=241&end=0", 0),
            ("labels?start=300&end=-1", 0), ("label/instance/values?start=300&end=-1", 0),
        ])
    func reversedTimes(_ target: String, _ count: Int) {
        let text = Bench().get("/api/v1/" + target)
        #expect(text.ranges(of: "instance").count == count, "\(text)")
    }

    @Test("takes steps and lookback deltas below a millisecond")
    func shortDurations() {
        let steps = Bench().send("GET", "/api/v1/query_range?query=1&start=60&end=60&step=0.0001")
        #expect(steps.text.contains(#"[[60,"1"]]"#))
        let many = Bench().send("GET", "/api/v1/query_range?query=1&start=0&end=60&step=0.0001")
        #expect(many.text.contains("exceeded maximum resolution of 11,000 points"))
        let short = Bench().send("GET", "/api/v1/query?query=up&time=60.5&lookback_delta=1e-9")
        #expect(short.text.contains(#""result":[]"#))
    }

    @Test("takes parameters from a form")
    func form() {
        let answer = Bench().send(
            "POST", "/api/v1/query?time=0",
            headers: ["Content-Type": "application/x-www-form-urlencoded"],
            body: Array("query=vector(1)&time=60".utf8))
        #expect(answer.text.contains(#"[60,"1"]"#))
    }

    @Test("paths, methods and origins")
    func paths() {
        var bench = Bench()
        #expect(bench.send("GET", "/api/v1/nope").status == 404)
        #expect(bench.send("HEAD", "/api/v1/query").status == 405)
        #expect(bench.send("OPTIONS", "/api/v1/anything").status == 204)
        #expect(bench.send("HEAD", "/-/healthy").status == 200)
        #expect(bench.send("GET", "/-/reload").text == "Only POST or PUT requests allowed")
        #expect(bench.send("POST", "/-/reload").text == "Lifecycle API is not enabled.")
        #expect(bench.send("PUT", "/-/quit").status == 403)
        #expect(bench.send("GET", "/").headers["Location"] == "/query")
        #expect(bench.send("GET", "/graph?g0.expr=up").headers["Location"] == "/query?g0.expr=up")
        #expect(bench.send("GET", "/api/v1?a=b").headers["Location"] == "/api/v1/?a=b")
        #expect(bench.send("GET", "/api/v1/").status == 404)
        #expect(bench.send("OPTIONS", "/api/v1/").status == 204)
        #expect(bench.send("GET", "/api/v1/labels/").headers["Location"] == "/api/v1/labels")
        let answer = bench.send("GET", "/api/v1/labels", headers: ["Origin": "http://a.b"])
        #expect(answer.headers["Access-Control-Allow-Origin"] == "http://a.b")
        #expect(answer.headers.all("Vary") == ["Accept-Encoding", "Origin"])
        bench.prefix = "/prom"
        #expect(bench.send("GET", "/prom/-/ready").status == 200)
        #expect(bench.send("GET", "/-/ready").status == 404)
        #expect(bench.send("GET", "/").headers["Location"] == "/prom")
        #expect(bench.send("GET", "/prom/api/v1/labels").status == 200)
    }

    @Test("is unavailable until ready, but for the state of the replay")
    func readiness() {
        var bench = Bench()
        bench.readiness = .notReady
        for path in ["/api/v1/query?query=1", "/-/ready", "/api/v1/labels"] {
            let answer = bench.send("GET", path)
            #expect(answer.status == 503 && answer.text == "Service Unavailable")
            #expect(answer.headers["X-Prometheus-Stopping"] == "false")
        }
        #expect(bench.send("GET", "/-/healthy").status == 200)
        #expect(bench.send("GET", "/api/v1/status/walreplay").status == 200)
        bench.readiness = .stopping
        #expect(bench.send("GET", "/-/ready").headers["X-Prometheus-Stopping"] == "true")
    }

    @Test(
        "a storage that fails is no fault of the query's text",
        arguments: [
            (.damaged, "execution", 422), (.inputOutput, "execution", 422),
            (.unavailable, "unavailable", 500), (.cancelled, "canceled", 499),
        ] as [(StorageError.Code, String, Int)])
    func failingStorage(_ code: StorageError.Code, _ type: String, _ status: Int) {
        let bench = Bench()
        bench.storage.fail(code, "x/index: damaged series at offset 5")
        for path in ["query?query=up", "query_range?query=up&start=0&end=1&step=1"] {
            let answer = bench.send("GET", "/api/v1/\(path)")
            #expect(answer.status == status)
            #expect(answer.text.contains(#""errorType":"\#(type)","error":""#))
            #expect(answer.text.contains("x/index: damaged series at offset 5"))
        }
    }

    @Test("the admin API is off unless asked for")
    func administration() {
        var bench = Bench()
        let off = bench.send("POST", "/api/v1/admin/tsdb/snapshot")
        #expect(off.status == 500)
        #expect(
            off.text
                == #"{"status":"error","errorType":"unavailable","error":"admin APIs disabled"}"#)
        bench.administration = Administration(deleting: { _, _ in })
        #expect(
            bench.send("PUT", "/api/v1/admin/tsdb/snapshot?skip_head=1").text
                == #"{"status":"success","data":{"name":"x-false"}}"#)
        #expect(bench.send("PUT", "/api/v1/admin/tsdb/snapshot?skip_head=x").status == 400)
    }

    @Test("reload tells what went wrong")
    func reload() {
        var bench = Bench()
        bench.reload = { "no such file" }
        #expect(
            bench.send("POST", "/-/reload").text == "failed to reload config: no such file\n")
        bench.reload = { nil }
        #expect(bench.send("PUT", "/-/reload").status == 200)
    }
}

@Suite("Targets")
struct TargetTests {
    private struct Two: TargetsView {
        var scrapePools: [String] { ["b", "a"] }
        var activeTargets: [ActiveTarget] {
            var target = ActiveTarget(
                discoveredLabels: Labels(["__address__": "localhost:9090"]),
                labels: Labels(["job": "a"]), scrapePool: "a",
                scrapeURL: "http://localhost:9090/metrics")
            target.lastScrape = 1_767_225_600_120
            target.lastScrapeDuration = 0.25
            target.health = .up
            target.scrapeInterval = "15s"
            target.scrapeTimeout = "10s"
            var other = target
            other.scrapePool = "b"
            other.scrapeURL = "http://127.0.0.1:9100/metrics"
            other.lastScrape = nil
            return [target, other]
        }
        var droppedTargets: [DroppedTarget] {
            [DroppedTarget(discoveredLabels: Labels(["x": "y"]), scrapePool: "b")]
        }
        var droppedTargetCounts: [(scrapePool: String, count: Int)] { [("a", 0), ("b", 1)] }
        func forEachMetadata(
            _ metric: String?, _ body: (Labels, String, Metadata) -> Void
        ) {
            for family in ["up", "a_total"] where metric == nil || metric == family {
                body(Labels(["job": "a"]), family, Metadata(type: .counter, help: "H"))
                body(Labels(["job": "b"]), family, Metadata(type: .counter, help: "H2"))
            }
        }
    }

    @Test("targets with the addresses that users reach")
    func targets() {
        var bench = Bench()
        bench.targets = Two()
        let text = bench.get("/api/v1/targets")
        #expect(
            text.contains(
                #""scrapePool":"a","scrapeUrl":"http://localhost:9090/metrics","#
                    + #""globalUrl":"https://example.org:8443/metrics","lastError":"","#
                    + #""lastScrape":"2026-01-01T00:00:00.12Z","lastScrapeDuration":0.25,"#
                    + #""health":"up","scrapeInterval":"15s","scrapeTimeout":"10s"}"#))
        #expect(text.contains(#""globalUrl":"http://example.org:9100/metrics""#))
        #expect(text.contains(#""lastScrape":"0001-01-01T00:00:00Z""#))
        #expect(text.contains(#""droppedTargetCounts":{"a":0,"b":1}"#))
        let one = bench.get("/api/v1/targets?state=dropped&scrapePool=a")
        #expect(one.contains(#""activeTargets":[],"droppedTargets":[]"#))
        #expect(bench.get("/api/v1/scrape_pools").contains(#"["a","b"]"#))
    }

    @Test("metadata by family and by target")
    func metadata() {
        var bench = Bench()
        bench.targets = Two()
        #expect(
            bench.get("/api/v1/metadata?metric=up&limit_per_metric=1")
                == #"{"status":"success","data":{"up":[{"type":"counter","help":"H","unit":""}]}}"#)
        #expect(bench.get("/api/v1/metadata?limit=1").contains("a_total"))
        #expect(!bench.get("/api/v1/metadata?limit=1").contains("up"))
        #expect(bench.send("GET", "/api/v1/metadata?limit=x").status == 400)
        #expect(
            bench.get("/api/v1/targets/metadata?match_target={job=\"b\"}&metric=up")
                == #"{"status":"success","data":[{"target":{"job":"b"},"type":"counter","#
                + #""help":"H2","unit":""}]}"#)
    }
}

@Suite("Remote write")
struct RemoteWriteTests {
    /// A request with one series `name{i="…"}` per entry.
    private func body(_ entries: [(name: String, timestamp: Int64, value: Double)]) -> [UInt8] {
        var request = ByteWriter()
        func field(_ number: UInt64, _ bytes: [UInt8], in writer: inout ByteWriter) {
            writer.uvarint(number << 3 | 2)
            writer.uvarint(UInt64(bytes.count))
            writer.append(bytes)
        }
        for entry in entries {
            var series = ByteWriter()
            for (name, value) in [("i", "1"), ("__name__", entry.name)] where !value.isEmpty {
                var label = ByteWriter()
                field(1, Array(name.utf8), in: &label)
                field(2, Array(value.utf8), in: &label)
                field(1, label.bytes, in: &series)
            }
            var sample = ByteWriter()
            sample.uint8(1 << 3 | 1)
            sample.uint64LE(entry.value.bitPattern)
            sample.uint8(2 << 3)
            sample.uvarint(UInt64(bitPattern: entry.timestamp))
            field(2, sample.bytes, in: &series)
            field(1, series.bytes, in: &request)
        }
        return Snappy.encode(request.bytes.raw)
    }

    @Test("stores what it is sent, and refuses the whole request for one bad sample")
    func storing() {
        let bench = Bench()
        func write(_ entries: [(name: String, timestamp: Int64, value: Double)]) -> Int {
            bench.send("POST", "/api/v1/write", body: body(entries)).status
        }
        #expect(write([("w", 1000, 1), ("v", 1000, 2)]) == 204)
        #expect(write([("w", 2000, 3)]) == 204)
        #expect(write([("v", 3000, 4), ("w", 1500, 4)]) == 400)
        #expect(write([("", 3000, 4)]) == 204)
        #expect(write([("w", 1 << 50, 4)]) == 400)
        #expect(
            bench.get("/api/v1/query?query={i=\"1\"}[1h]&time=10").contains(
                #"{"metric":{"__name__":"v","i":"1"},"values":[[1,"2"]]},"#
                    + #"{"metric":{"__name__":"w","i":"1"},"values":[[1,"1"],[2,"3"]]}"#))
        let answer = bench.send("POST", "/api/v1/write", body: body([("w", 2000, 9)]))
        #expect(
            answer.text.hasPrefix(
                "duplicate sample for timestamp 2000; overrides not allowed: existing "))
    }

    @Test("stores the samples of known series where there is no memory for new ones")
    func refusedSeries() {
        let bench = Bench()
        func write(
            _ entries: [(name: String, timestamp: Int64, value: Double)]
        ) -> (status: Int, text: String, headers: Headers) {
            bench.send("POST", "/api/v1/write", body: body(entries))
        }
        #expect(write([("w", 1000, 1)]).status == 204)
        bench.storage.refuseNew(true)
        for time in [2000, 3000] as [Int64] {
            let answer = write([("x", time, 1), ("w", time, 2), ("y", time, 3)])
            #expect(answer.status == 429)
            #expect(
                answer.text == "memory budget used up: 2 new series were not created; samples of "
                    + "other series were stored\n")
            let stored = bench.get("/api/v1/query?query={i=\"1\"}[1h]&time=10")
            #expect(stored.contains(#"[\#(time / 1000),"2"]]"#))
            #expect(!stored.contains(#""x""#))
        }
        #expect(write([("z", 2000, 1)]).status == 429)
        bench.storage.refuseNew(false)
        #expect(write([("x", 2000, 1)]).status == 204)
    }

    @Test("refuses what is no request")
    func refusals() {
        var bench = Bench()
        let garbage = bench.send("POST", "/api/v1/write", body: Array("garbage".utf8))
        #expect(garbage.status == 400 && garbage.text == "snappy: corrupt input\n")
        let type = bench.send(
            "POST", "/api/v1/write", headers: ["Content-Type": "text/plain"], body: body([]))
        #expect(type.status == 415)
        let second = bench.send(
            "POST", "/api/v1/write",
            headers: [
                "Content-Type": "application/x-protobuf;proto=io.prometheus.write.v2.Request"
            ], body: body([]))
        #expect(second.status == 415)
        bench.takesWrites = false
        #expect(bench.send("POST", "/api/v1/write").status == 404)
    }
}

@Suite("Own metrics")
struct RequestMetricsTests {
    @Test("requests are counted by path and status")
    func counting() {
        let registry = Registry()
        let metrics = RequestMetrics(registry)
        metrics.answered(pattern: "/api/v1/query", status: 200, seconds: 0.3, bytes: 500)
        metrics.answered(pattern: "/api/v1/query", status: 400, seconds: 0.01, bytes: 50)
        metrics.answered(pattern: nil, status: 404, seconds: 0, bytes: 0)
        var writer = ByteWriter()
        registry.expose(into: &writer)
        let text = String(decoding: writer.bytes, as: UTF8.self)
        for line in [
            #"prometheus_http_requests_total{code="400",handler="/api/v1/query"} 1"#,
            #"prometheus_http_request_duration_seconds_bucket{handler="/api/v1/query",le="0.4"} 2"#,
            #"prometheus_http_response_size_bytes_bucket{handler="/api/v1/query",le="1e+06"} 2"#,
        ] { #expect(text.contains(line), "\(line) in \(text)") }
    }
}
