// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import Model
internal import PromQL
internal import PromQLSyntax

extension Evaluation {
    /// A result in the notation of scripts: what one would write to expect it, a line for each
    /// annotation and series.
    func scriptLines(of result: QueryResult) -> [String] {
        result.warnings.map { "expect warn msg: \($0)" }
            + result.infos.map { "expect info msg: \($0)" } + lines(of: result.value)
    }

    private func lines(of value: QueryValue) -> [String] {
        switch value {
        case .scalar(let sample): [scriptText(sample.value)]
        case .string(let text, _): ["expect string \(quoted(text))"]
        case .vector(let elements):
            elements.map {
                "\($0.labels) \($0.histogram?.scriptNotation ?? scriptText($0.value))"
            }
        case .matrix(let series): lines(of: series)
        }
    }

    /// Points of a range query stand at its steps; those of a range vector that an instant query
    /// returns anywhere, so they are shown with their times.
    private func lines(of series: [ResultSeries]) -> [String] {
        let points = expected.points ?? .init(start: start, end: end, step: step)
        return series.map { one in
            var texts: [Timestamp: String] = [:]
            for (time, value) in zip(one.timestamps, one.values) { texts[time] = scriptText(value) }
            for (time, histogram) in zip(one.histogramTimestamps, one.histograms) {
                texts[time] = histogram.scriptNotation
            }
            let times = texts.keys.sorted()
            guard points.step > 0, let last = times.last,
                times.allSatisfy({ $0 >= points.start && ($0 - points.start) % points.step == 0 })
            else {
                let pairs = times.map { "\(texts[$0] ?? "_") @[\($0)]" }
                return "\(one.labels) \(pairs.joined(separator: " "))"
            }
            let values = stride(from: points.start, through: last, by: Int(points.step)).map {
                texts[$0] ?? "_"
            }
            return "\(one.labels) \(values.joined(separator: " "))"
        }
    }
}

/// A float as scripts write it.
func scriptText(_ value: Double) -> String {
    StaleMarker.isStale(value) ? "stale" : formatFloat(value, style: .general)
}
