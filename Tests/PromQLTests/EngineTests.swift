// SPDX-License-Identifier: Apache-2.0

import Foundation
import Instrumentation
import Model
import PromQL
import PromQLScripts
import PromQLSyntax
import Storage
import Testing

/// A storage with `load`, and an engine over it.
struct Bench: Sendable {
    let storage = MemoryStorage()
    var configuration: EngineConfiguration = {
        var configuration = EngineConfiguration()
        configuration.parser = .all
        return configuration
    }()

    init(_ load: String) throws {
        guard case .load(let load)? = try Script.parse(load).commands.first else { return }
        #expect(storage.load(load) == nil)
    }

    var engine: Engine { Engine(configuration, registry: Registry()) }

    func instant(_ query: String, at time: Timestamp, _ options: QueryOptions = QueryOptions())
        throws(QueryError) -> QueryResult
    {
        try engine.instant(query, at: time, on: storage, options)
    }

    /// The message with which a query fails, or nil.
    func failure(_ query: String, _ options: QueryOptions = QueryOptions()) -> String? {
        do throws(QueryError) {
            _ = try instant(query, at: 600_000, options)
            return nil
        } catch {
            return error.message
        }
    }
}

@Suite struct EngineTests {
    let load = """
        load 1m
          requests_total{job="a", path="/"} 0+10x10
          requests_total{job="a", path="/x"} 5+7x10
          requests_total{job="b", path="/"} 0+1x4 0+1x5
          limit{job="a"} 100x10
          limit{job="b", kind="soft"} 1x10
          limit{job="b", kind="hard"} 2x10
        """

    @Test(
        "Queries that cannot be evaluated fail with upstream's words",
        arguments: [
            (
                "requests_total + limit",
                nil
            ),
            (
                "requests_total / on (job) group_left limit",
                "found duplicate series for the match group {job=\"b\"} on the right hand-side of "
                    + "the operation: [{__name__=\"limit\", job=\"b\", kind=\"hard\"}, "
                    + "{__name__=\"limit\", job=\"b\", kind=\"soft\"}];many-to-many matching not "
                    + "allowed: matching labels must be unique on one side"
            ),
            (
                "requests_total * on (job) limit{job=\"a\"}",
                "multiple matches for labels: many-to-one matching must be explicit "
                    + "(group_left/group_right)"
            ),
            (
                "rate({job=\"b\", __name__=~\"requests_total|limit\", kind=\"\"}[5m]) "
                    + "or label_replace(limit, \"path\", \"/\", \"\", \"\")", nil
            ),
            (
                "limit and label_replace(limit, \"job\", \"$1\", \"kind\", \"(\")",
                "invalid regular expression in label_replace(): ("
            ),
            (
                "double_exponential_smoothing(limit[5m], 2, 0.5)",
                "invalid smoothing factor. Expected: 0 < sf < 1, got: 2.000000"
            ),
            ("topk(NaN, limit)", "Parameter value is NaN"),
            (
                "max_over_time(limit[5m] anchored)",
                "anchored modifier can only be used with: changes, delta, increase, rate, resets "
                    + "- not with max_over_time"
            ),
        ] as [(String, String?)])
    func failures(_ query: String, _ message: String?) throws {
        #expect(try Bench(load).failure(query) == message)
    }

    @Test(
        "Where several operands fail, the error is that of the first",
        arguments: [
            "broken ^ scalar(x + on () x)", "broken > (scalar(x + on () x) + 1)",
            "round(broken, scalar(x + on () x))", "clamp(broken, scalar(x + on () x), 1)",
            "broken + (x + on () x)",
        ])
    func firstError(_ query: String) throws {
        let bench = try Bench("load 1m\n  x{l=\"a\"} 1x9\n  x{l=\"b\"} 1x9")
        let broken = "double_exponential_smoothing(x[5m], 0.5, 1)"
        let failure = bench.failure(query.replacing("broken", with: broken))
        #expect(failure == "invalid trend factor. Expected: 0 < tf < 1, got: 1.000000")
    }

    @Test(
        "Of the rules of matching that are broken at several steps, the earliest step's is told",
        arguments: [
            // Two on the left from the first minute on, two on the right from the third on.
            ("x + on (l) y", 0, "multiple matches for labels: many-to-one matching must be"),
            ("x + on (l) y", 180, "found duplicate series for the match group {l=\"a\"} on the r"),
            ("y + on (l) x", 0, "found duplicate series for the match group {l=\"a\"} on the r"),
            (
                "x + on (l) group_left () y", 0,
                "found duplicate series for the match group {l=\"a\"} on the right"
            ),
            (
                "y + on (l) group_right () x", 0,
                "found duplicate series for the match group {l=\"a\"} on the left"
            ),
            (
                "{l=\"a\", i!=\"2\"} + on (__name__) {l=\"a\", i!=\"2\"}", 0,
                "vector cannot contain metrics with the same labelset"
            ),
        ])
    func earliestConflict(_ query: String, _ start: Timestamp, _ message: String) throws {
        let bench = try Bench(
            """
            load 1m
              x{l="a", i="1"} _ 1x9
              x{l="a", i="2"} _ 1x9
              y{l="a", i="1"} 1x9
              y{l="a", i="2"} _ _ _ 1x6
              z{l="a"} 1x9
            """)
        let error = #expect(throws: QueryError.self) {
            try bench.engine.range(
                query, from: start * 1000, through: 300_000, step: 60_000, on: bench.storage)
        }
        #expect(error?.message.hasPrefix(message) == true, "\(error?.message ?? "")")
    }

    @Test("Names dropped from several metrics clash at once or at the end")
    func nameRemoval() throws {
        let clash = "vector cannot contain metrics with the same labelset"
        var bench = try Bench("load 1m\n  a_total 1+1x10\n  b_total 1+1x10")
        let queries = [
            "rate({__name__=~\"._total\"}[5m])", "-{__name__=~\"._total\"}",
            "abs({__name__=~\"._total\"})",
        ]
        for query in queries { #expect(bench.failure(query) == clash, "\(query)") }
        bench.configuration.delayedNameRemoval = true
        for query in queries { #expect(bench.failure(query) == clash, "\(query)") }
        let renamed =
            "label_replace(rate({__name__=~\"._total\"}[5m]), "
            + "\"n\", \"$1\", \"__name__\", \"(.*)\")"
        #expect(bench.failure(renamed) == nil)
    }

    @Test("A query over its limit of samples, cancelled or too late is stopped")
    func limits() throws {
        var bench = try Bench(load)
        bench.configuration.maxSamples = 5
        #expect(
            bench.failure("requests_total or limit")
                == "query processing would load too many samples into memory in query execution")
        #expect(bench.failure("limit{job=\"a\"}") == nil)
        bench.configuration.maxSamples = 1000
        var options = QueryOptions()
        options.cancellation = Cancellation()
        options.cancellation?.cancel()
        #expect(
            bench.failure("limit", options) == "query was canceled in expression evaluation")
        bench.configuration.timeout = 0
        #expect(bench.failure("limit") == "query timed out in expression evaluation")
    }

    @Test("Strings, scalars and range vectors come as they are")
    func values() throws {
        let bench = try Bench(load)
        if case .string(let text, let time) = try bench.instant("\"x\"", at: 7).value {
            #expect(text == "x" && time == 7)
        } else {
            Issue.record("no string")
        }
        if case .scalar(let sample) = try bench.instant("time() - 1", at: 7000).value {
            #expect(sample == Sample(timestamp: 7000, value: 6))
        } else {
            Issue.record("no scalar")
        }
        if case .matrix(let series) = try bench.instant("limit{job=\"a\"}[2m]", at: 600_000).value {
            #expect(series.map(\.timestamps) == [[540_000, 600_000]])
        } else {
            Issue.record("no matrix")
        }
        #expect {
            _ = try bench.engine.range(
                "limit[5m]", from: 0, through: 1, step: 1, on: bench.storage)
        } throws: {
            ($0 as? QueryError)?.message
                == "invalid expression type \"range vector\" for range query, "
                + "must be Scalar or instant Vector"
        }
    }

    @Test("Annotations carry their place in the query, each text once")
    func annotations() throws {
        let bench = try Bench(load)
        let query = "quantile(2, limit) +\n  rate(limit[5m])"
        let result = try bench.instant(query, at: 600_000)
        #expect(
            result.warnings == [
                "PromQL warning: quantile value should be between 0 and 1, got 2 (1:10)"
            ])
        #expect(
            result.infos == [
                "PromQL info: metric might not be a counter, name does not end in "
                    + "_total/_sum/_count/_bucket: \"limit\" (2:8)"
            ])
    }

    @Test("topk and sort order the elements of an instant vector")
    func order() throws {
        let bench = try Bench(load)
        func values(_ query: String) throws -> [Double] {
            guard case .vector(let elements) = try bench.instant(query, at: 600_000).value else {
                return []
            }
            return elements.map(\.value)
        }
        #expect(try values("topk(2, requests_total)") == [100, 75])
        #expect(try values("bottomk(2, requests_total)") == [5, 75])
        #expect(try values("sort_desc(limit)") == [100, 2, 1])
        #expect(try values("sort(limit)") == [1, 2, 100])
    }

    @Test("topk of nothing still evaluates what it is asked to rank")
    func rankingNothing() throws {
        let bench = try Bench(load)
        let result = try bench.instant("topk(0, quantile_over_time(2, limit[5m]))", at: 600_000)
        #expect(result.warnings.count == 1)
        let clash = "limitk(0, label_replace(limit, \"kind\", \"\", \"\", \"\"))"
        #expect(bench.failure(clash) == "vector cannot contain metrics with the same labelset")
    }

    @Test("limitk and limit_ratio answer in the order of a heap by value")
    func limitedOrder() throws {
        let bench = try Bench(
            "load 1m\n  x{n=\"a\"} 5\n  x{n=\"b\"} 3\n  x{n=\"c\"} 4\n  x{n=\"d\"} 1")
        for query in ["limitk(4, x)", "limit_ratio(1, x)"] {
            guard case .vector(let elements) = try bench.instant(query, at: 0).value else {
                Issue.record("no vector")
                continue
            }
            #expect(elements.map(\.value) == [1, 3, 4, 5], "\(query)")
        }
    }

    @Test("Of two equal warnings the outer one gives the position")
    func warningPosition() throws {
        let result = try Bench(load).instant("quantile(2, quantile(2, limit))", at: 600_000)
        let text = "PromQL warning: quantile value should be between 0 and 1, got 2"
        #expect(result.warnings == [text + " (1:10)"])
    }

    @Test("A smoothing factor of NaN gives NaN, one outside of 0 to 1 is refused")
    func smoothingFactors() throws {
        let bench = try Bench(load)
        for parameters in ["NaN, 0.5", "0.5, NaN"] {
            let query = "double_exponential_smoothing(limit{job=\"a\"}[5m], \(parameters))"
            #expect(bench.failure(query) == nil)
        }
        let query = "double_exponential_smoothing(limit[5m], 1, NaN)"
        let message = "invalid smoothing factor. Expected: 0 < sf < 1, got: 1.000000"
        #expect(bench.failure(query) == message)
    }

    @Test("Smoothing factors are checked where there are histograms only")
    func smoothedHistograms() throws {
        let bench = try Bench("load 1m\n  h {{count:3 sum:2 buckets:[1 2]}}x10")
        let message = "invalid trend factor. Expected: 0 < tf < 1, got: 1.500000"
        #expect(bench.failure("double_exponential_smoothing(h[5m], 0.5, 1.5)") == message)
        #expect(bench.failure("double_exponential_smoothing(h[5m], 0.5, 0.5)") == nil)
        #expect(bench.failure("double_exponential_smoothing(nothing[5m], 0.5, 1.5)") == nil)
    }

    @Test("Of what is to be said of the pairs of a step, the last is said")
    func lastAnnotation() throws {
        let bench = try Bench(
            """
            load 1m
              x{l="a"} {{count:3 sum:2 buckets:[1 2]}}x10
              x{l="b"} {{count:3 sum:2 buckets:[1 2]}}x10
              y{l="a"} {{count:3 sum:2 buckets:[1 2]}}x10
              y{l="b"} _ _ _ _ _ _ 1x4
            """)
        func texts(_ start: Timestamp) throws -> [String] {
            try bench.engine.range(
                "x < y", from: start, through: 600_000, step: 60_000, on: bench.storage
            ).infos
        }
        let pair = "PromQL info: incompatible sample types encountered for binary operator \"<\":"
        #expect(try texts(360_000) == ["\(pair) histogram < float (1:1)"])
        #expect(
            try texts(300_000) == [
                "\(pair) histogram < histogram (1:1)", "\(pair) histogram < float (1:1)",
            ])
    }

    @Test("A zero bucket that ends inside a populated bucket is no reset by itself")
    func wideZeroBucket() throws {
        let bench = try Bench(
            "load 1m\n  h {{count:3 sum:2 z_bucket_w:0.7 z_bucket:1 buckets:[2]}}x10")
        let result = try bench.instant("resets(h[5m])", at: 600_000)
        guard case .vector(let elements) = result.value else {
            Issue.record("no vector")
            return
        }
        #expect(elements.map(\.value) == [0])
    }

    @Test("Numbers that are no time have the date parts of upstream's overflow")
    func datesOfNoTime() throws {
        let bench = try Bench(load)
        func value(_ query: String) throws -> Double? {
            guard case .vector(let elements) = try bench.instant(query, at: 0).value else {
                return nil
            }
            return elements.first?.value
        }
        for number in ["NaN", "-Inf", "1e300"] {
            #expect(try value("year(vector(\(number)))") == 292_277_026_596)
            #expect(try value("month(vector(\(number)))") == 12)
            #expect(try value("day_of_month(vector(\(number)))") == 4)
            #expect(try value("day_of_year(vector(\(number)))") == 339)
            #expect(try value("day_of_week(vector(\(number)))") == 0)
            #expect(try value("hour(vector(\(number)))") == 15)
            #expect(try value("minute(vector(\(number)))") == 30)
        }
        #expect(try value("year(vector(-62167219201))") == -1)
        #expect(try value("day_of_week(vector(-86400))") == 3)
        #expect(try value("days_in_month(vector(951782400))") == 29)
    }

    @Test("A subquery of more steps than samples are allowed is refused, not attempted")
    func manySteps() throws {
        let bench = try Bench(load)
        #expect(
            bench.failure("max_over_time(vector(1)[100y:1ms])")
                == "query processing would load too many samples into memory in query execution")
    }

    @Test(
        "The deepest trees are evaluated on a stack of 2 MiB, even unoptimised",
        arguments: [("abs(", ")"), ("1 + (", ")"), ("sum(", ")"), ("-", "")])
    func depth(_ before: String, _ after: String) async throws {
        let bench = try Bench(load)
        let levels = 110
        let query =
            String(repeating: before, count: levels) + "limit"
            + String(repeating: after, count: levels)
        let failure: String? = await withCheckedContinuation { continuation in
            let thread = Thread { continuation.resume(returning: bench.failure(query)) }
            thread.stackSize = 2 << 20
            thread.start()
        }
        #expect(failure == nil)
    }
}
