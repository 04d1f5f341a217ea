// SPDX-License-Identifier: Apache-2.0

import Instrumentation
import Model
import PromQL
import PromQLScripts
import PromQLSyntax
import Storage

/// Evaluates queries, whatever they are, over series of every kind, and compares what must be
/// equal.
package struct RandomEvaluation: Sendable {
    private static let script = """
        load 15s
          requests_total{job="api", instance="a"} 0+5x60 stale 3+7x60
          requests_total{job="api", instance="b"} _x20 1e6+130x100
          requests_total{job="web", instance="a"} 0 NaN 5 Inf -Inf 1x90
          gauge{job="api", zone="north"} 1 -1 NaN 1e300 _ _ _ stale 5-0.1x90
          gauge{job="web"} -0 5e-324 1.7976931348623157e308x3 0x90
          build_info{job="api", instance="a", version="1"} 1x60
          build_info{job="api", instance="a", version="2"} _x60 1x60
          seconds_bucket{job="api", instance="a", le="0.1"} 0+1x120
          seconds_bucket{job="api", instance="a", le="1"} 0+2x60 5x60
          seconds_bucket{job="api", instance="a", le="+Inf"} 0+3x120
          native{job="api", instance="a"} {{schema:1 count:9 sum:4 z_bucket:2 z_bucket_w:0.01 \
        buckets:[1 2 1] n_buckets:[1 2]}}+{{schema:1 count:3 sum:1 buckets:[1 0 2]}}x60 stale \
        {{schema:0 count:4 sum:9 z_bucket:1 z_bucket_w:0.7 buckets:[3]}}x50
          native{job="web", instance="b"} {{schema:-53 count:6 sum:9 custom_values:[1 5] \
        buckets:[1 2 3]}}+{{schema:-53 count:1 sum:1 custom_values:[1 5] buckets:[0 1 0]}}x50 \
        {{schema:-53 count:6 sum:9 custom_values:[1 2 5] buckets:[1 2 3]}}x50
          native{job="web", instance="c"} 1+1x30 {{count:NaN sum:NaN buckets:[1]}}x9 \
        {{counter_reset_hint:gauge count:3 sum:-Inf buckets:[3]}}x70
        """

    private let storage = MemoryStorage()
    private let engine: Engine
    /// The label sets of the series, whose samples lie in the first half hour.
    package let series: [[String: String]]

    package init() throws {
        guard case .load(let load)? = try Script.parse(Self.script).commands.first else {
            preconditionFailure("the script is a load block")
        }
        precondition(storage.load(load) == nil, "the series can be stored")
        series = load.series.map { series in
            Dictionary(uniqueKeysWithValues: series.labels.map { ($0.name, $0.value) })
        }
        var configuration = EngineConfiguration()
        configuration.parser = .all
        configuration.maxSamples = 100_000
        configuration.timeout = 5
        engine = Engine(configuration, registry: Registry())
    }

    /// Asks at one time, and around it at three: the answers for that time must be the same to the
    /// last bit. What differs, or nil.
    package func difference(_ query: String, at time: Timestamp) -> String? {
        let whole = try? engine.range(
            query, from: time - 60_000, through: time + 60_000, step: 60_000, on: storage)
        let single = try? engine.instant(query, at: time, on: storage)
        guard case .vector(let elements)? = single?.value,
            case .matrix(let series)? = whole?.value
        else { return nil }
        // These tell of the query that they stand in.
        if ["start()", "end()", "range()", "step()"].contains(where: query.contains) { return nil }
        let points = series.compactMap { Self.text($0, at: time) }.sorted()
        let wanted = elements.map { Self.text($0.labels, $0.value, $0.histogram) }.sorted()
        return points == wanted ? nil : "\(wanted) at once, \(points) in a range"
    }

    private static func text(_ series: ResultSeries, at time: Timestamp) -> String? {
        if let index = series.timestamps.firstIndex(of: time) {
            return text(series.labels, series.values[index], nil)
        }
        guard let index = series.histogramTimestamps.firstIndex(of: time) else { return nil }
        return text(series.labels, 0, series.histograms[index])
    }

    private static func text(
        _ labels: Labels, _ value: Double, _ histogram: FloatHistogram?
    ) -> String {
        if let histogram { return "\(labels) \(histogram.scriptNotation)" }
        return "\(labels) \(value.isNaN ? "NaN" : String(value.bitPattern, radix: 16)) \(value)"
    }
}
