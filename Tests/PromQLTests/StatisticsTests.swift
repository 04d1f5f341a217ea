// SPDX-License-Identifier: Apache-2.0

import Model
import PromQL
import Testing

/// What queries looked at and held, in the numbers that Prometheus gives for the same data.
@Suite struct StatisticsTests {
    let load = """
        load 10s
          metric{foo="bar", run="1"} 1+1x200
          metric{foo="bar", run="2"} 1+2x200
          metric{foo="baz", run="3"} _x51 1+3x50
        """

    struct Case: Sendable, CustomTestStringConvertible {
        var query: String
        /// In seconds; equal with a step of 0 for an instant query.
        var times: (start: Int64, end: Int64, step: Int64)
        var total: Int
        /// nil where upstream's release that gave the other numbers does not tell.
        var read: Int?
        var peak: Int

        init(
            _ query: String, _ times: (Int64, Int64, Int64), _ total: Int, _ read: Int?,
            _ peak: Int
        ) {
            self.query = query
            self.times = times
            self.total = total
            self.read = read
            self.peak = peak
        }

        var testDescription: String { "\(query) \(times)" }
    }

    static let cases = [
        Case("vector(1)", (0, 0, 0), 0, 0, 3),
        Case("vector(1)", (0, 60, 30), 0, 0, 3),
        Case("time()", (0, 60, 30), 0, 0, 3),
        Case("1 + 2 * time()", (0, 60, 30), 0, 0, 14),
        Case("metric", (600, 600, 0), 3, 3, 3),
        Case("metric", (400, 600, 100), 7, 7, 7),
        Case("metric > 100", (400, 600, 100), 7, 7, 16),
        Case("-metric", (600, 600, 0), 3, 3, 3),
        Case("metric @ 600", (400, 600, 100), 9, 3, 9),
        Case("metric + 1", (600, 600, 0), 3, 3, 11),
        Case("metric + 1", (400, 600, 100), 7, 7, 21),
        Case("timestamp(metric)", (600, 600, 0), 3, 3, 6),
        Case("timestamp(metric)", (400, 600, 100), 7, 7, 10),
        Case("abs(metric)", (400, 600, 100), 7, 7, 17),
        Case("label_replace(metric, \"a\", \"b\", \"\", \"\")", (400, 600, 100), 7, 7, 7),
        Case("sum(metric)", (600, 600, 0), 3, 3, 3),
        Case("sum by (foo) (metric)", (400, 600, 100), 7, 7, 7),
        Case("topk(1, metric)", (600, 600, 0), 3, 3, 4),
        Case("quantile(0.5, metric)", (400, 600, 100), 7, 7, 10),
        Case("count_values(\"x\", metric)", (600, 600, 0), 3, 3, 9),
        Case("sum(metric) + sum(metric)", (600, 600, 0), 6, 6, 5),
        Case("metric and metric", (600, 600, 0), 6, 6, 15),
        Case("metric or metric", (400, 600, 100), 14, 14, 27),
        Case("rate(metric[1m])", (600, 600, 0), 18, 18, 9),
        Case("rate(metric[1m])", (400, 600, 100), 42, 42, 13),
        Case("rate(metric[1m])", (550, 600, 10), 107, 32, 24),
        Case("rate(metric[1m] @ 600)", (400, 600, 100), 54, 18, 9),
        Case("predict_linear(metric[1m], 60)", (400, 600, 100), 42, 42, 16),
        Case("quantile_over_time(0.5, metric[1m])", (400, 600, 100), 42, 42, 16),
        Case("metric[1m]", (600, 600, 0), 18, 18, 18),
        Case("metric[1m:20s]", (600, 600, 0), 9, 9, 9),
        Case("max_over_time(metric[1m:20s])", (600, 600, 0), 9, 9, 15),
        Case("max_over_time(metric[1m:20s])", (400, 600, 100), 21, 21, 41),
        Case("max_over_time(rate(metric[1m])[1m:20s])", (560, 600, 20), 27, nil, 27),
        Case("max_over_time(max_over_time(metric[1m:10s])[1m:20s])", (560, 600, 20), 27, nil, 59),
        Case("max_over_time(metric[1m:20s] @ 600)", (400, 600, 100), 27, 9, 15),
        Case("absent_over_time(metric[1m])", (400, 600, 100), 42, 42, 13),
        Case("absent(metric)", (400, 600, 100), 7, 7, 10),
        Case("scalar(metric{run=\"1\"}) + 1", (400, 600, 100), 3, 3, 11),
        Case(
            "sum(rate(metric[1m])) / on () group_left count(metric)", (400, 600, 100), 49, nil, 13),
    ]

    @Test("Samples looked at, read and held are counted as upstream counts", arguments: cases)
    func counts(_ one: Case) throws {
        let bench = try Bench(load)
        var options = QueryOptions()
        options.collectsStatistics = true
        options.collectsStatisticsPerStep = true
        let (start, end, step) = one.times
        let result =
            step == 0
            ? try bench.engine.instant(one.query, at: start * 1000, on: bench.storage, options)
            : try bench.engine.range(
                one.query, from: start * 1000, through: end * 1000, step: step * 1000,
                on: bench.storage, options)
        let statistics = result.statistics
        #expect(statistics.totalSamples == one.total)
        if let read = one.read { #expect(statistics.samplesRead == read) }
        #expect(statistics.peakSamples == one.peak)
        #expect(statistics.totalSamplesPerStep?.reduce(0, +) == one.total)
        #expect(statistics.samplesReadPerStep?.reduce(0, +) == statistics.samplesRead)
        let steps = step == 0 ? 1 : Int((end - start) / step) + 1
        #expect(statistics.totalSamplesPerStep?.count == steps)
    }
}
