// SPDX-License-Identifier: Apache-2.0

import Model
import PromQL
import PrometheusAPI
import Synchronization
import Testing

/// A query log in memory.
private final class Records: QueryLog {
    private let state = Mutex<[QueryRecord]>([])
    let isWorking: Bool

    init(isWorking: Bool = true) { self.isWorking = isWorking }

    var all: [QueryRecord] { state.withLock { $0 } }

    func write(_ record: QueryRecord) -> Bool {
        state.withLock { $0.append(record) }
        return isWorking
    }
}

@Suite struct QueryLogTests {
    @Test("A line of the query log has upstream's keys and shapes")
    func line() {
        var record = QueryRecord(
            query: "a < \"ü\\n\"", start: 1_700_000_000_500, end: 1_700_000_030_000, step: 1500,
            statistics: QueryStatistics(),
            origin: .request(clientAddress: "::1", method: "POST", path: "/p/api/v1/query_range"))
        record.failure = "query timed out in expression evaluation"
        record.statistics.totalSamples = 12
        record.statistics.samplesRead = 4
        record.statistics.peakSamples = 7
        record.statistics.timings.sorting = 0.25
        let text = String(decoding: QueryLogFile.line(record, at: 1_709_210_096_789), as: UTF8.self)
        #expect(
            text == #"{"time":"2024-02-29T12:34:56.789Z","level":"INFO","#
                + #""source":"QueryLogFile.swift","msg":"promql query logged","#
                + #""params":{"end":"2023-11-14T22:13:50.000Z","query":"a < \"ü\\n\"","#
                + #""start":"2023-11-14T22:13:20.500Z","step":1},"#
                + #""error":"query timed out in expression evaluation","stats":{"timings":{"#
                + #""evalTotalTime":0,"resultSortTime":0.25,"queryPreparationTime":0,"#
                + #""innerEvalTime":0,"execQueueTime":0,"execTotalTime":0},"samples":{"#
                + #""totalQueryableSamples":12,"samplesRead":4,"peakSamples":7}},"#
                + #""httpRequest":{"clientIP":"::1","method":"POST","#
                + "\"path\":\"/p/api/v1/query_range\"}}\n")
    }

    @Test("Queries are logged with their outcome, those that do not parse are not")
    func outcomes() {
        let bench = Bench()
        let records = Records()
        bench.engine.setQueryLog(records)
        _ = bench.get("/api/v1/query?query=up&time=120")
        _ = bench.get("/api/v1/query?query=up(")
        _ = bench.get("/api/v1/query_range?query=up%2Bon()up&start=0&end=60&step=30")
        let all = records.all
        #expect(all.map(\.query) == ["up", "up+on()up"])
        #expect(all.map(\.step) == [0, 30_000])
        #expect(all[0].failure == nil)
        #expect(all[0].statistics.totalSamples == 2)
        #expect(all[1].failure?.hasPrefix("found duplicate series") == true)
        bench.engine.setQueryLog(nil)
        _ = bench.get("/api/v1/query?query=up&time=120")
        #expect(records.all.count == 2)
    }

    @Test("Metrics tell whether there is a log, and how many records were lost")
    func metrics() {
        let bench = Bench()
        #expect(bench.metric("prometheus_engine_query_log_enabled") == "0")
        bench.engine.setQueryLog(Records(isWorking: false))
        _ = bench.get("/api/v1/query?query=up&time=120")
        #expect(bench.metric("prometheus_engine_query_log_enabled") == "1")
        #expect(bench.metric("prometheus_engine_query_log_failures_total") == "1")
        #expect(bench.metric("prometheus_engine_query_samples_total") == "2")
        #expect(bench.metric("prometheus_engine_queries") == "0")
        let slice = "{slice=\"inner_eval\"}"
        #expect(bench.metric("prometheus_engine_query_duration_seconds_count" + slice) == "1")
    }

    @Test("Statistics per step need both the parameter and the feature")
    func perStep() {
        var bench = Bench()
        let target = "/api/v1/query_range?query=up&start=0&end=60&step=60&stats="
        let key = "\"totalQueryableSamplesPerStep\":[[0,2],[60,2]],"
        #expect(!bench.get(target + "all").contains("PerStep"))
        bench.hasStatisticsPerStep = true
        #expect(bench.get(target + "all").contains(key))
        #expect(bench.get(target + "all").contains("\"samplesReadPerStep\":[[0,2],[60,2]],"))
        #expect(!bench.get(target + "true").contains("PerStep"))
    }
}
