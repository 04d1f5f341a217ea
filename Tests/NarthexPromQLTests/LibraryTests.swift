// SPDX-License-Identifier: Apache-2.0

import NarthexPromQL
import Testing

/// A source that hands out what it is given, in that order.
private struct ListedSeries: SeriesSource, SelectedSeries {
    var all: [(labels: LabelSet, samples: SampleHistory)]
    var failure: (any Error)?

    func series(
        matching matchers: [LabelMatcher], from start: Int64, through end: Int64
    ) throws -> any SelectedSeries {
        if let failure { throw failure }
        var selected = self
        selected.all = all.filter { entry in
            matchers.allSatisfy { $0.isFulfilled(by: entry.labels) }
        }
        return selected
    }

    var count: Int { all.count }
    func labels(at index: Int) -> LabelSet { all[index].labels }

    func samples(at index: Int, from start: Int64, through end: Int64) throws -> SampleHistory {
        all[index].samples
    }
}

@Suite struct LibraryTests {
    private func history(_ values: Double?...) -> SampleHistory {
        var samples = SampleHistory()
        for (index, value) in values.enumerated() {
            if let value { samples.append(value, at: Int64(index) * 60_000) }
        }
        return samples
    }

    private var histogram: NativeHistogram {
        var histogram = NativeHistogram()
        histogram.count = 6
        histogram.sum = 12
        histogram.positiveSpans = [.init(offset: 0, length: 2)]
        histogram.positiveCounts = [2, 4]
        return histogram
    }

    private func elements(_ answer: QueryAnswer) -> [String] {
        guard case .vector(let elements) = answer.value else { return ["no vector"] }
        return elements.map { "\($0.labels) \($0.value)" }
    }

    @Test("Series in memory and series of a foreign source give the same answers")
    func sources() throws {
        let series: [(labels: LabelSet, samples: SampleHistory)] = [
            (["__name__": "x", "l": "b"], history(4, nil, 6)),
            (["__name__": "x", "l": "a"], history(1, 2, 3)),
            (["__name__": "y"], history(0, 0, SampleHistory.staleMarker)),
        ]
        let store = SeriesStore()
        for (labels, samples) in series { try store.append(samples, to: labels) }
        let source = ListedSeries(all: series)
        let engine = QueryEngine()
        for (query, expected) in [
            ("x", [#"{__name__="x", l="a"} 3.0"#, #"{__name__="x", l="b"} 6.0"#]),
            ("sum(x) + scalar(count_over_time(x{l=\"b\"}[90s]))", ["{} 10.0"]),
            ("y", []),
            ("x{l!~\"b|c\"}", [#"{__name__="x", l="a"} 3.0"#]),
        ] {
            let one = try engine.instant(query, at: 120_000, in: store)
            let other = try engine.instant(query, at: 120_000, in: source)
            #expect(elements(one) == expected, "\(query)")
            #expect(elements(other).sorted() == expected, "\(query)")
        }
        let answer = try engine.range("x", from: 0, through: 120_000, step: 60_000, in: source)
        guard case .matrix(let found) = answer.value else {
            Issue.record("no matrix")
            return
        }
        #expect(found.map(\.samples.values) == [[1, 2, 3], [4, 4, 6]])
    }

    @Test("Native histograms go in and come out")
    func histograms() throws {
        let store = SeriesStore()
        var samples = SampleHistory()
        samples.append(histogram, at: 0)
        try store.append(samples, to: ["__name__": "h"])
        let engine = QueryEngine()
        #expect(
            elements(try engine.instant("histogram_avg(h)", at: 0, in: store)) == ["{} 2.0"])
        let answer = try engine.instant("h * 2", at: 0, in: store)
        guard case .vector(let found) = answer.value else {
            Issue.record("no vector")
            return
        }
        #expect(found.first?.histogram?.positiveCounts == [4, 8])
        #expect(found.first?.histogram?.sum == 24)
    }

    @Test("Samples that do not fit are refused, and nothing of them is kept")
    func refusals() throws {
        let store = SeriesStore()
        let labels: LabelSet = ["__name__": "x"]
        try store.append(1, at: 5, to: labels)
        #expect(throws: SeriesStoreError.self) { try store.append(1, at: 5, to: labels) }
        var broken = histogram
        broken.positiveCounts = [1]
        var samples = SampleHistory()
        samples.append(broken, at: 10)
        let error = #expect(throws: SeriesStoreError.self) {
            try store.append(samples, to: labels)
        }
        #expect(
            error?.description
                == "invalid histogram: spans name 2 buckets and 1 have counts in {__name__=\"x\"}")
        #expect(
            elements(try QueryEngine().instant("x", at: 20, in: store))
                == [#"{__name__="x"} 1.0"#])
    }

    @Test("Failures say whose fault they are")
    func failures() throws {
        func reason(
            _ query: String, _ source: ListedSeries, _ options: EngineOptions = EngineOptions()
        ) -> QueryFailure.Reason? {
            do throws(QueryFailure) {
                _ = try QueryEngine(options).instant(query, at: 0, in: source)
                return nil
            } catch {
                return error.reason
            }
        }
        struct Broken: Error {}
        let twice = ListedSeries(all: [(["a": "b"], history(1)), (["a": "b"], history(1))])
        let pair = ListedSeries(all: [
            (["__name__": "x", "a": "b"], history(1)), (["__name__": "y", "a": "b"], history(1)),
        ])
        #expect(reason("x +", pair) == .query)
        #expect(reason("max_of(1, 2)", pair) == .query)
        #expect(reason("-{a=\"b\"}", pair) == .evaluation)
        #expect(reason("{a=\"b\"}", twice) == .source)
        #expect(reason("x", ListedSeries(all: [], failure: Broken())) == .source)
        var options = EngineOptions()
        options.maximumSamples = 1
        #expect(reason("x or y", pair, options) == .limit)
        options.features = .all
        options.maximumSamples = 5
        #expect(reason("max_of(1, 2)", pair, options) == nil)
    }

    @Test("A query that would hold more memory than it may is refused")
    func memory() throws {
        let store = SeriesStore()
        for number in 0..<100 {
            try store.append(1, at: 0, to: ["__name__": "x", "number": "\(number)"])
        }
        func reason(_ change: (inout EngineOptions) -> Void) -> QueryFailure.Reason? {
            var options = EngineOptions()
            change(&options)
            do throws(QueryFailure) {
                _ = try QueryEngine(options).range(
                    "x + x", from: 0, through: 200_000, step: 20, in: store)
                return nil
            } catch {
                return error.reason
            }
        }
        #expect(reason { $0.maximumMemory = 1 << 20 } == .limit)
        #expect(reason { $0.maximumMemoryInAll = 1 << 20 } == .limit)
        #expect(reason { $0.maximumMemory = 1 << 30 } == nil)
    }

    @Test("Queries are read, named by type and printed, mistakes told with their place")
    func queries() throws {
        let query = try Query("sum by(job)(rate(x[5m]))")
        #expect(query.description == "sum by (job) (rate(x[5m]))")
        #expect(query.type == .vector)
        #expect(try Query("x[5m]").type == .matrix)
        #expect(
            try Query("sum(aaa) + sum(bbb)").formatted(width: 10)
                == "  sum(aaa)\n+\n  sum(bbb)")
        let error = #expect(throws: QuerySyntaxError.self) { try Query("sum(x") }
        #expect(error?.position == "1:6")
        #expect(error?.range.lowerBound == 5)
    }

    @Test("Labels are sorted, and those without a value are none")
    func labels() {
        let labels: LabelSet = ["b": "2", "a": "1", "c": ""]
        #expect(labels.description == #"{a="1", b="2"}"#)
        #expect(labels["c"] == nil)
        #expect(labels.pairs.map(\.name) == ["a", "b"])
        // One letter and two: equal to Swift's strings, not to ours.
        let composed: LabelSet = ["a": "\u{e9}"]
        let decomposed: LabelSet = ["a": "e\u{301}"]
        #expect(composed != decomposed)
    }
}
