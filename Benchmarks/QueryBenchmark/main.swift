// SPDX-License-Identifier: Apache-2.0
//
// How long the engine takes for typical queries, without storage: series live in memory as columns,
// and reading one is a copy. Prints for each query the best of several runs, in all and for each
// pair of series and step.
//
//      NARTHEX_ONLY=QueryBenchmark swift run -c release QueryBenchmark [WORD]
//
// With --count each query is run once for callgrind to count (`instructions.py`).

import Foundation
import Instrumentation
import Model
import PromQL
import Storage

/// A small generator, so that every run has the same data.
struct Random: RandomNumberGenerator {
    private var state: UInt64 = 1

    mutating func next() -> UInt64 {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return (state ^ (state >> 29)) &* 0x9E37_79B9_7F4A_7C15
    }
}

/// Targets of 128 counters each, six hours at 15 s; counters grow, a few are reset.
final class BenchmarkStorage: Queryable {
    static let interval: Milliseconds = 15_000
    static let sampleCount = 1440

    struct Series: Sendable {
        let labels: Labels
        let timestamps: [Timestamp]
        let values: [Double]
    }

    let families: [String: [Series]]
    let end: Timestamp

    init(targets: Int) {
        var random = Random()
        var families: [String: [Series]] = [:]
        let start: Timestamp = 1_700_000_000_000
        for instance in 0..<targets {
            // The series of one target are scraped together.
            let offset = Int64(instance) * 577 % 15_000
            let times = (0..<Self.sampleCount).map { start + offset + Int64($0) * Self.interval }
            func add(_ name: String, _ labels: KeyValuePairs<String, String>) {
                var builder = LabelsBuilder()
                builder.set("__name__", name)
                builder.set("instance", "host-\(instance):9100")
                builder.set("job", "bench")
                for (name, value) in labels { builder.set(name, value) }
                var value = Double(UInt32.random(in: 0..<1_000_000, using: &random))
                var values: [Double] = []
                for _ in 0..<Self.sampleCount {
                    value += Double(UInt32.random(in: 0..<1000, using: &random)) / 10
                    if UInt32.random(in: 0..<20_000, using: &random) == 0 { value = 0 }
                    values.append(value)
                }
                families[name, default: []].append(
                    Series(labels: builder.labels(), timestamps: times, values: values))
            }
            for cpu in 0..<16 {
                for mode in ["idle", "iowait", "irq", "nice", "softirq", "steal", "system", "user"]
                {
                    add("cpu_seconds_total", ["cpu": "\(cpu)", "mode": mode])
                }
            }
            for device in 0..<10 {
                add("avail_bytes", ["device": "sd\(device)"])
                add("size_bytes", ["device": "sd\(device)"])
            }
            for handler in 0..<8 {
                for bound in ["0.005", "0.01", "0.05", "0.1", "0.5", "1", "5", "+Inf"] {
                    add("duration_seconds_bucket", ["handler": "/\(handler)", "le": bound])
                }
            }
        }
        let end = start + Int64(Self.sampleCount) * Self.interval
        self.end = end
        let many = (0..<50_000).map { index in
            Series(
                labels: Labels([
                    "__name__": "metric_\(index % 800)", "instance": "host-\(index / 800):9100",
                    "job": "many", "part": "\(index)",
                ]), timestamps: [end - 5_000], values: [1])
        }
        families["many"] = many.sorted { $0.labels < $1.labels }
        self.families = families.mapValues { $0.sorted { $0.labels < $1.labels } }
    }

    func querier(over range: TimeRange) throws(StorageError) -> any Querier {
        BenchmarkQuerier(storage: self)
    }
}

struct BenchmarkQuerier: Querier {
    let storage: BenchmarkStorage

    func select(
        _ matchers: [Matcher], hints: SelectHints
    ) throws(StorageError) -> any SeriesSet {
        let name = matchers.first { $0.name == "__name__" || $0.name == "job" }?.value ?? ""
        let rest = matchers.filter { $0.name != "__name__" && $0.name != "job" }
        let family = storage.families[name] ?? []
        return BenchmarkSeries(
            series: rest.isEmpty
                ? family : family.filter { one in rest.allSatisfy { $0.matches(one.labels) } })
    }

    func labelNames(_ matchers: [Matcher]) throws(StorageError) -> [String] { [] }

    func labelValues(_ name: String, _ matchers: [Matcher]) throws(StorageError) -> [String] { [] }
}

struct BenchmarkSeries: SeriesSet {
    let series: [BenchmarkStorage.Series]

    var count: Int { series.count }
    func labels(at index: Int) -> Labels { series[index].labels }

    func read(
        _ index: Int, _ range: TimeRange, into columns: inout SampleColumns
    ) throws(StorageError) {
        let one = series[index]
        guard let first = one.timestamps.first else { return }
        let interval = BenchmarkStorage.interval
        let start = max(0, (range.start - first + interval - 1) / interval)
        let end = min(Int64(one.timestamps.count), (range.end - first) / interval + 1)
        guard start < end else { return }
        columns.timestamps.append(contentsOf: one.timestamps[Int(start)..<Int(end)])
        columns.values.append(contentsOf: one.values[Int(start)..<Int(end)])
    }
}

struct BenchmarkCase {
    let query: String
    /// Hours and step in seconds; 0 for an instant query.
    let hours: Double
    let step: Int64
    let series: Int
}

let cases = [
    BenchmarkCase(query: "avail_bytes", hours: 5.5, step: 60, series: 250),
    BenchmarkCase(query: "rate(cpu_seconds_total[5m])", hours: 1, step: 15, series: 3200),
    BenchmarkCase(
        query: "sum by (instance) (rate(cpu_seconds_total[5m]))", hours: 5.5, step: 60,
        series: 3200),
    BenchmarkCase(
        query: "100 - avg by (instance) (rate(cpu_seconds_total{mode=\"idle\"}[5m])) * 100",
        hours: 5.5, step: 60, series: 400),
    BenchmarkCase(
        query: "topk(5, sum by (instance) (rate(cpu_seconds_total[5m])))", hours: 1, step: 60,
        series: 3200),
    BenchmarkCase(
        query: "histogram_quantile(0.99, sum by (le, handler) "
            + "(rate(duration_seconds_bucket[5m])))", hours: 5.5, step: 60, series: 1600),
    BenchmarkCase(
        query: "histogram_quantile(0.9, sum by (le, instance) "
            + "(rate(duration_seconds_bucket[5m])))", hours: 1, step: 30, series: 1600),
    BenchmarkCase(query: "1 - avail_bytes / size_bytes", hours: 5.5, step: 60, series: 250),
    BenchmarkCase(
        query: "avail_bytes < 5e5 and size_bytes > 0", hours: 1, step: 60, series: 250),
    BenchmarkCase(query: "avg_over_time(avail_bytes[1h])", hours: 4.5, step: 300, series: 250),
    BenchmarkCase(query: "max_over_time(avail_bytes[1h])", hours: 4.5, step: 300, series: 250),
    BenchmarkCase(
        query: "quantile_over_time(0.95, avail_bytes[30m])", hours: 3, step: 60, series: 250),
    BenchmarkCase(
        query: "max_over_time(rate(avail_bytes[5m])[1h:1m])", hours: 0, step: 0, series: 250),
    BenchmarkCase(
        query: "sum by (mode) (rate(cpu_seconds_total[5m]))", hours: 0, step: 0, series: 3200),
    BenchmarkCase(
        query: "count by (__name__) ({job=\"many\"})", hours: 0, step: 0, series: 50_000),
    BenchmarkCase(query: "cpu_seconds_total", hours: 0, step: 0, series: 3200),
]

func run() throws {
    let engine = Engine(EngineConfiguration(), registry: Registry())
    if CommandLine.arguments.contains("--count") {
        let storage = BenchmarkStorage(targets: 4)
        for one in cases { try one.count(engine, storage) }
        return
    }
    let storage = BenchmarkStorage(targets: 25)
    let wanted = CommandLine.arguments.dropFirst().first
    for one in cases where wanted.map({ one.query.contains($0) }) ?? true {
        var best = Double.infinity
        for _ in 0..<(wanted == nil ? 7 : 60) {
            let began = DispatchTime.now().uptimeNanoseconds
            try one.run(engine, storage)
            best = min(best, Double(DispatchTime.now().uptimeNanoseconds - began))
        }
        let steps = one.step == 0 ? 1 : one.hours * 3600 / Double(one.step) + 1
        let each = best / (steps * Double(one.series))
        let figures = String(format: "%9.3f ms %8.2f ns each  ", best / 1e6, each)
        print(figures + one.query)
    }
}

try run()
