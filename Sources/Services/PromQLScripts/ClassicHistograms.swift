// SPDX-License-Identifier: Apache-2.0

internal import Model
internal import Storage

/// Classic histograms of a load block on their way to native ones with custom buckets.
struct ClassicHistograms {
    struct Failure: Error {
        var message: String
    }

    /// What is known of one histogram at one time.
    private struct Point {
        /// Cumulative counts by upper bound.
        var buckets: [Double: Double] = [:]
        var count: Double?
        var sum = 0.0
    }

    private var points: [Labels: [Timestamp: Point]] = [:]

    init(_ samples: [(labels: Labels, columns: SampleColumns)]) {
        for (labels, columns) in samples { collect(labels, columns) }
    }

    private mutating func collect(_ labels: Labels, _ columns: SampleColumns) {
        let name = labels.metricName ?? ""
        for suffix in ["_bucket", "_count", "_sum"] where name.hasSuffix(suffix) {
            let bound = labels[LabelName.bucket].flatMap { parseBound($0) }
            if suffix == "_bucket", bound == nil { return }
            let base = labels.removing(LabelName.bucket).setting(
                LabelName.metric, String(name.dropLast(suffix.count)))
            for (time, value) in zip(columns.timestamps, columns.values) {
                var point = points[base]?[time] ?? Point()
                switch suffix {
                case "_bucket": if let bound { point.buckets[bound] = value }
                case "_count": point.count = value
                default: point.sum = value
                }
                points[base, default: [:]][time] = point
            }
        }
    }

    private func parseBound(_ text: String) -> Double? {
        switch text.lowercased() {
        case "+inf", "inf": return .infinity
        case "-inf": return -.infinity
        default: return Double(text).flatMap { $0.isNaN ? nil : $0 }
        }
    }

    func converted() -> Result<[(labels: Labels, columns: SampleColumns)], Failure> {
        var result: [(labels: Labels, columns: SampleColumns)] = []
        for (labels, byTime) in points {
            var columns = SampleColumns()
            for (time, point) in byTime.sorted(by: { $0.key < $1.key }) {
                switch Self.native(point) {
                case .success(let histogram):
                    columns.histogramTimestamps.append(time)
                    columns.histograms.append(histogram)
                case .failure(let failure): return .failure(failure)
                }
            }
            result.append((labels, columns))
        }
        return .success(result)
    }

    private static func native(_ point: Point) -> Result<FloatHistogram, Failure> {
        var buckets = point.buckets.sorted { $0.key < $1.key }
        let count = point.count ?? buckets.last?.value ?? 0
        if buckets.last?.key != .infinity { buckets.append((.infinity, count)) }
        if buckets.last?.value != count { return .failure(Failure(message: "count mismatch")) }
        var histogram = FloatHistogram()
        histogram.schema = FloatHistogram.customBucketsSchema
        histogram.count = count
        histogram.sum = point.sum
        histogram.customBounds = buckets.dropLast().map(\.key)
        var before = 0.0
        for (_, cumulative) in buckets {
            if cumulative < before {
                return .failure(Failure(message: "count is not cumulative"))
            }
            histogram.positiveBuckets.append(cumulative - before)
            before = cumulative
        }
        histogram.positiveSpans = [BucketSpan(offset: 0, length: UInt32(buckets.count))]
        return .success(histogram.compacted())
    }
}
