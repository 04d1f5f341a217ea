// SPDX-License-Identifier: Apache-2.0

package import Bytes
package import Model
internal import Synchronization

/// The metrics of this program, by family. Components create their instruments through it once, at
/// start, and keep them; `expose` writes them all in text format 0.0.4.
package final class Registry: Sendable {
    private enum Reading: Sendable {
        case counter(Counter)
        case gauge(Gauge)
        case computed(@Sendable () -> Double)
        case distribution(Distribution)
        case summary(Summary)
    }

    private struct Family: Sendable {
        var help: String
        var type: MetricType
        var series: [(labels: Labels, reading: Reading)] = []
    }

    private let families = Mutex<[String: Family]>([:])

    package init() {}

    private func add(
        _ name: String, _ help: String, _ type: MetricType, _ labels: Labels, _ reading: Reading
    ) {
        families.withLock { families in
            families[name, default: Family(help: help, type: type)].series.append((labels, reading))
        }
    }

    package func counter(_ name: String, _ help: String, _ labels: Labels = .empty) -> Counter {
        let counter = Counter()
        add(name, help, .counter, labels, .counter(counter))
        return counter
    }

    package func gauge(_ name: String, _ help: String, _ labels: Labels = .empty) -> Gauge {
        let gauge = Gauge()
        add(name, help, .gauge, labels, .gauge(gauge))
        return gauge
    }

    /// A value that is computed when it is asked for.
    package func computed(
        _ name: String, _ help: String, type: MetricType = .gauge, _ labels: Labels = .empty,
        _ value: @escaping @Sendable () -> Double
    ) {
        add(name, help, type, labels, .computed(value))
    }

    package func distribution(
        _ name: String, _ help: String, bounds: [Double], _ labels: Labels = .empty
    ) -> Distribution {
        let distribution = Distribution(bounds: bounds)
        add(name, help, .histogram, labels, .distribution(distribution))
        return distribution
    }

    /// Quantiles over the last ten minutes.
    package func summary(
        _ name: String, _ help: String, quantiles: [Double], _ labels: Labels = .empty
    ) -> Summary {
        let summary = Summary(quantiles: quantiles)
        add(name, help, .summary, labels, .summary(summary))
        return summary
    }

    /// Takes the series with these labels out of a family, for things that come and go.
    package func remove(_ name: String, _ labels: Labels) {
        families.withLock { $0[name]?.series.removeAll { $0.labels == labels } }
    }

    /// Writes all families, sorted by name, in text format 0.0.4.
    package func expose(into writer: inout ByteWriter) {
        let snapshot = families.withLock { $0 }
        for name in snapshot.keys.sorted() {
            guard let family = snapshot[name], !family.series.isEmpty else { continue }
            let help = family.help.replacing("\\", with: "\\\\").replacing("\n", with: "\\n")
            writer.append("# HELP \(name) \(help)\n# TYPE \(name) \(family.type.rawValue)\n")
            for (labels, reading) in family.series.sorted(by: { $0.labels < $1.labels }) {
                switch reading {
                case .counter(let counter): line(name, labels, counter.value, &writer)
                case .gauge(let gauge): line(name, labels, gauge.value, &writer)
                case .computed(let value): line(name, labels, value(), &writer)
                case .distribution(let distribution): lines(name, labels, distribution, &writer)
                case .summary(let summary): lines(name, labels, summary, &writer)
                }
            }
        }
    }

    private func line(_ name: String, _ labels: Labels, _ value: Double, _ writer: inout ByteWriter)
    {
        writer.append(name)
        if !labels.isEmpty {
            var separator = "{"
            for label in labels {
                let value = label.value.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"")
                    .replacing("\n", with: "\\n")
                writer.append("\(separator)\(label.name)=\"\(value)\"")
                separator = ","
            }
            writer.append("}")
        }
        writer.append(" ")
        writer.float(value, style: .general)
        writer.append("\n")
    }

    private func lines(
        _ name: String, _ labels: Labels, _ summary: Summary, _ writer: inout ByteWriter
    ) {
        let state = summary.snapshot()
        for (quantile, value) in zip(summary.quantiles, state.values) {
            let text = formatFloat(quantile, style: .general)
            line(name, labels.setting(LabelName.quantile, text), value, &writer)
        }
        line("\(name)_sum", labels, state.sum, &writer)
        line("\(name)_count", labels, Double(state.count), &writer)
    }

    private func lines(
        _ name: String, _ labels: Labels, _ distribution: Distribution, _ writer: inout ByteWriter
    ) {
        let state = distribution.snapshot()
        var running: UInt64 = 0
        for (index, count) in state.counts.enumerated() {
            running += count
            let bound = index < distribution.bounds.count ? distribution.bounds[index] : .infinity
            let le = formatFloat(bound, style: .general)
            line("\(name)_bucket", labels.setting(LabelName.bucket, le), Double(running), &writer)
        }
        line("\(name)_sum", labels, state.sum, &writer)
        line("\(name)_count", labels, Double(running), &writer)
    }
}
