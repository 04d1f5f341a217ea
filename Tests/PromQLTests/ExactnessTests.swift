// SPDX-License-Identifier: Apache-2.0

import Glibc
import Instrumentation
import Model
import PromQL
import PromQLScripts
import Storage
import Testing

/// A plain evaluator of a few queries, step by step and sample by sample in upstream's order. The
/// engine works the other way round and must give the same bits.
private enum StepByStep {
    static func window(_ columns: SampleColumns, _ time: Timestamp, _ range: Milliseconds) -> [Int]
    {
        columns.timestamps.indices.filter {
            columns.timestamps[$0] > time - range && columns.timestamps[$0] <= time
                && !StaleMarker.isStale(columns.values[$0])
        }
    }

    static func rate(_ columns: SampleColumns, _ time: Timestamp, _ range: Milliseconds) -> Double?
    {
        let indices = window(columns, time, range)
        guard indices.count >= 2 else { return nil }
        let values = indices.map { columns.values[$0] }
        let first = columns.timestamps[indices[0]]
        let last = columns.timestamps[indices[indices.count - 1]]
        var result = values[values.count - 1] - values[0]
        for (before, now) in zip(values, values.dropFirst()) where now < before { result += before }
        var toStart = Double(first - (time - range)) / 1000
        var toEnd = Double(time - last) / 1000
        let sampled = Double(last - first) / 1000
        let mean = sampled / Double(values.count - 1)
        if toStart >= mean * 1.1 { toStart = mean / 2 }
        if result > 0, values[0] >= 0 {
            let toZero = sampled * (values[0] / result)
            if toZero < toStart { toStart = toZero }
        }
        if toEnd >= mean * 1.1 { toEnd = mean / 2 }
        var factor = (sampled + toStart + toEnd) / sampled
        factor /= Double(range) / 1000
        return result * factor
    }

    /// The mean by way of the sum, which stays finite.
    static func average(_ values: [Double]) -> Double? {
        guard let (sum, lost) = parts(values) else { return nil }
        let count = Double(values.count)
        return sum / count + lost / count
    }

    static func sum(_ values: [Double]) -> Double? {
        guard let (sum, lost) = parts(values) else { return nil }
        return sum.isInfinite ? sum : sum + lost
    }

    private static func parts(_ values: [Double]) -> (sum: Double, lost: Double)? {
        guard var sum = values.first else { return nil }
        var lost = 0.0
        for value in values.dropFirst() {
            let total = sum + value
            if total.isInfinite {
                lost = 0
            } else if abs(sum) >= abs(value) {
                lost += (sum - total) + value
            } else {
                lost += (value - total) + sum
            }
            sum = total
        }
        return (sum, lost)
    }
}

private struct Generator: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return (state ^ (state >> 31)) &* 0xBF58_476D_1CE4_E5B9
    }
}

@Suite struct ExactnessTests {
    private func series(_ random: inout Generator, _ count: Int) -> [(Labels, SampleColumns)] {
        (0..<count).map { index in
            var columns = SampleColumns()
            var time = Timestamp.random(in: 0..<15_000, using: &random)
            var value = Double.random(in: 0..<1e3, using: &random)
            for _ in 0..<200 {
                time +=
                    15_000 + (Bool.random(using: &random) ? 0 : .random(in: 0..<40, using: &random))
                if Int.random(in: 0..<12, using: &random) == 0 { continue }
                value += Double.random(in: 0..<10, using: &random)
                if Int.random(in: 0..<25, using: &random) == 0 { value = 0.1 }
                var stored = value
                if Int.random(in: 0..<60, using: &random) == 0 { stored = StaleMarker.value }
                columns.timestamps.append(time)
                columns.values.append(stored)
            }
            return (Labels(["__name__": "x_total", "i": "\(index)", "g": "\(index % 3)"]), columns)
        }
    }

    @Test("Rates and sums have the bits of an evaluation step by step", arguments: 1...20)
    func rates(_ seed: Int) throws {
        var random = Generator(state: UInt64(seed))
        let all = series(&random, 7)
        let storage = MemoryStorage()
        for (labels, columns) in all { storage.append(labels, columns) }
        let engine = Engine(EngineConfiguration(), registry: Registry())
        let step = Milliseconds.random(in: 1000..<200_000, using: &random)
        let range = Milliseconds.random(in: 20...600, using: &random) * 1000
        let text = DurationText.format(range)
        func run(_ query: String) throws -> [ResultSeries] {
            let result = try engine.range(
                query, from: 30_000, through: 3_200_000, step: step, on: storage)
            guard case .matrix(let series) = result.value else { return [] }
            return series
        }
        let rates = try run("rate(x_total[\(text)])")
        let sums = try run("sum by (g) (rate(x_total[\(text)]))")
        var time: Timestamp = 30_000
        while time <= 3_200_000 {
            var byGroup: [String: [Double]] = [:]
            for (labels, columns) in all {
                let expected = StepByStep.rate(columns, time, range)
                let found = value(of: rates, labels.removing("__name__"), at: time)
                #expect(found?.bitPattern == expected?.bitPattern, "seed \(seed), \(time)")
                if let expected { byGroup[labels["g"]!, default: []].append(expected) }
            }
            for group in ["0", "1", "2"] {
                let expected = StepByStep.sum(byGroup[group] ?? [])
                let found = value(of: sums, Labels(["g": group]), at: time)
                #expect(found?.bitPattern == expected?.bitPattern, "seed \(seed), \(time)")
            }
            time += step
        }
    }

    private func value(of series: [ResultSeries], _ labels: Labels, at time: Timestamp) -> Double? {
        guard let one = series.first(where: { $0.labels == labels }),
            let index = one.timestamps.firstIndex(of: time)
        else { return nil }
        return one.values[index]
    }

    @Test("Sums and means over time have the bits of upstream's additions", arguments: 1...20)
    func totals(_ seed: Int) throws {
        var random = Generator(state: UInt64(seed) &* 977)
        var columns = SampleColumns()
        // Of all sizes, so that much is lost; some so large that sums overflow.
        for index in 0..<300 {
            columns.timestamps.append(Timestamp(index) * 1000)
            let exponent = Int.random(in: -40...40, using: &random)
            var value = Double.random(in: -1..<1, using: &random) * pow(10, Double(exponent))
            switch Int.random(in: 0..<300, using: &random) {
            case 0 where seed % 4 == 0: value = .greatestFiniteMagnitude
            case 1 where seed % 4 == 0: value = -.greatestFiniteMagnitude
            case 2 where seed % 5 == 0: value = .infinity
            case 3: value = -0.0
            default: break
            }
            columns.values.append(value)
        }
        let storage = MemoryStorage()
        storage.append(Labels(["__name__": "x"]), columns)
        let engine = Engine(EngineConfiguration(), registry: Registry())
        for (function, isMean) in [("sum_over_time", false), ("avg_over_time", true)] {
            let result = try engine.range(
                "\(function)(x[53s])", from: 0, through: 340_000, step: 7000, on: storage)
            guard case .matrix(let series) = result.value, let found = series.first else { return }
            for (time, value) in zip(found.timestamps, found.values) {
                let values = StepByStep.window(columns, time, 53_000).map { columns.values[$0] }
                // A mean whose sum overflows goes another way.
                if isMean, StepByStep.sum(values)?.isFinite != true { continue }
                let expected = isMean ? StepByStep.average(values) : StepByStep.sum(values)
                #expect(value.isNaN == expected?.isNaN)
                if !value.isNaN { #expect(value.bitPattern == expected?.bitPattern) }
            }
        }
    }

    /// Versions before 3.14 multiplied first, which gives other last digits for most of these.
    @Test("Of a bucket counts its count times a fraction", arguments: [3.0, 5, 9, 11, 13])
    func fractions(_ count: Double) throws {
        var histogram = FloatHistogram()
        histogram.schema = FloatHistogram.customBucketsSchema
        histogram.customBounds = [1, 2.5, 10]
        histogram.positiveSpans = [BucketSpan(offset: 1, length: 1)]
        histogram.positiveBuckets = [count]
        histogram.count = count
        var columns = SampleColumns()
        columns.histogramTimestamps = [1000]
        columns.histograms = [histogram]
        let storage = MemoryStorage()
        storage.append(Labels(["__name__": "h"]), columns)
        let engine = Engine(EngineConfiguration(), registry: Registry())
        for upper in [1.1, 1.2, 1.3, 1.7, 2.1] {
            let result = try engine.instant(
                "histogram_fraction(1, \(upper), h)", at: 1000, on: storage)
            guard case .vector(let elements) = result.value else { return }
            let expected = count * ((upper - 1) / (2.5 - 1)) / count
            #expect(elements.map(\.value.bitPattern) == [expected.bitPattern], "\(upper)")
        }
    }

    @Test("An instant query gives what a range query gives at that step")
    func instant() throws {
        var random = Generator(state: 99)
        let storage = MemoryStorage()
        for (labels, columns) in series(&random, 9) { storage.append(labels, columns) }
        let engine = Engine(EngineConfiguration(), registry: Registry())
        let queries = [
            "x_total", "sum(x_total)", "avg by (g) (x_total)", "stddev(x_total)",
            "quantile(0.3, x_total)", "x_total - on (i) group_left x_total offset 1m",
            "max_over_time(x_total[3m])", "deriv(x_total[3m])", "x_total > 500",
            "sum by (g) (increase(x_total[4m])) / count by (g) (x_total)",
            "avg_over_time(rate(x_total[1m])[5m:30s])", "absent(x_total{i=\"0\"})",
        ]
        for query in queries {
            guard
                case .matrix(let series) = try engine.range(
                    query, from: 600_000, through: 1_800_000, step: 37_000, on: storage
                ).value
            else { continue }
            for time in stride(from: Timestamp(600_000), through: 1_800_000, by: 37_000) {
                let result = try engine.instant(query, at: time, on: storage)
                guard case .vector(let elements) = result.value else { continue }
                let expected = series.filter { $0.timestamps.contains(time) }
                #expect(Set(elements.map(\.labels)) == Set(expected.map(\.labels)), "\(query)")
                for element in elements {
                    let found = value(of: series, element.labels, at: time)
                    #expect(found?.bitPattern == element.value.bitPattern, "\(query) at \(time)")
                }
            }
        }
    }
}
