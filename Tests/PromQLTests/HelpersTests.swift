// SPDX-License-Identifier: Apache-2.0

import Instrumentation
import Model
import Platform
import PromQL
import PromQLScripts
import Storage
import Testing

private struct Generator: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return (state ^ (state >> 31)) &* 0xBF58_476D_1CE4_E5B9
    }
}

@Suite struct HelpersTests {
    private static let seriesCount = 3000

    /// Many series, some without samples, with gaps, staleness markers or native histograms.
    private static let storage: MemoryStorage = {
        var random = Generator(state: 7)
        let storage = MemoryStorage()
        for index in 0..<seriesCount {
            var columns = SampleColumns()
            var value = Double.random(in: 0..<1e3, using: &random)
            for sample in 0..<40 where Int.random(in: 0..<9, using: &random) != 0 {
                value += Double.random(in: 0..<10, using: &random)
                if Int.random(in: 0..<40, using: &random) == 0 { value = 0.1 }
                let isStale = Int.random(in: 0..<50, using: &random) == 0
                let time = Timestamp(sample * 15_000 + index % 7)
                if index % 101 == 3, sample > 20 {
                    var histogram = FloatHistogram()
                    histogram.count = value
                    columns.histogramTimestamps.append(time)
                    columns.histograms.append(histogram)
                } else {
                    columns.timestamps.append(time)
                    columns.values.append(isStale ? StaleMarker.value : value)
                }
            }
            let labels = ["__name__": "x_total", "g": "\(index % 5)", "i": "\(index)"]
                .map { Label($0.key, $0.value) }
            storage.append(Labels(labels), columns)
        }
        return storage
    }()

    private func answer(_ query: String, _ helpers: Helpers?, maxSamples: Int? = nil) -> String {
        var configuration = EngineConfiguration()
        configuration.parser = .all
        configuration.helpers = helpers
        if let maxSamples { configuration.maxSamples = maxSamples }
        let engine = Engine(configuration, registry: Registry())
        do throws(QueryError) {
            let result = try engine.range(
                query, from: 60_000, through: 580_000, step: 5000, on: Self.storage)
            let instant = try engine.instant(query, at: 500_000, on: Self.storage)
            let notes = [result.warnings, result.infos, instant.warnings, instant.infos]
            let counts = [result.statistics, instant.statistics].map {
                [$0.totalSamples, $0.peakSamples, $0.samplesRead]
            }
            return "\(result.value) \(instant.value) \(notes) \(counts)"
        } catch {
            return error.message
        }
    }

    @Test(
        "Queries have the same answers, notes and counts with and without helpers",
        arguments: [
            "sum by (g) (rate(x_total[2m]))", "avg(x_total)", "x_total{g=\"2\"} > 900",
            "quantile_over_time(0.7, x_total[3m])", "quantile_over_time(1.5, x_total[3m])",
            "max_over_time(x_total[1m])", "count(x_total offset 30s)", "timestamp(x_total)",
            "topk(3, increase(x_total[5m]))", "rate(x_total{i=~\"1.*\"}[1m]) + x_total",
            "double_exponential_smoothing(x_total[2m], 2, 0.5)", "histogram_count(x_total)",
            "sum(rate({__name__=~\"x_.*\"}[2m] anchored))", "stddev(x_total)",
        ])
    func answers(_ query: String) throws {
        let helpers = try Helpers("helper", threads: 3)
        let alone = answer(query, nil)
        #expect(answer(query, helpers) == alone)
        #expect(answer(query, helpers, maxSamples: 2000) == answer(query, nil, maxSamples: 2000))
        helpers.close()
    }

    @Test("Quantiles of moving windows are those of each window sorted")
    func quantiles() throws {
        var random = Generator(state: 11)
        let storage = MemoryStorage()
        var columns = SampleColumns()
        for sample in 0..<600 where Int.random(in: 0..<6, using: &random) != 0 {
            columns.timestamps.append(Timestamp(sample * 1000))
            let value = Double(Int.random(in: -20..<20, using: &random))
            columns.values.append(value == 0 ? 0 : value / 3)
        }
        storage.append(Labels(["__name__": "x"]), columns)
        let engine = Engine(EngineConfiguration(), registry: Registry())
        for (range, step) in [(60, 1000), (60, 7000), (10, 30_000), (300, 2000)] {
            let result = try engine.range(
                "quantile_over_time(0.3, x[\(range)s])", from: 0, through: 700_000,
                step: Milliseconds(step), on: storage)
            guard case .matrix(let series) = result.value, let one = series.first else { continue }
            for (time, value) in zip(one.timestamps, one.values) {
                let window = columns.timestamps.indices.filter {
                    columns.timestamps[$0] > time - Timestamp(range) * 1000
                        && columns.timestamps[$0] <= time
                }
                let sorted = window.map { columns.values[$0] }.sorted()
                let rank = 0.3 * Double(sorted.count - 1)
                let lower = Int(rank)
                let upper = min(lower + 1, sorted.count - 1)
                let weight = rank - Double(lower)
                #expect(value == sorted[lower] * (1 - weight) + sorted[upper] * weight)
            }
            #expect(one.timestamps.count > 20)
        }
    }
}
