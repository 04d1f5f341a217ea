// SPDX-License-Identifier: Apache-2.0

internal import Model
internal import PromQLSyntax
internal import Storage

extension MemoryStorage {
    /// Stores the series of a load block; what went wrong, or nil.
    package func load(_ load: Load) -> String? {
        var samples: [(labels: Labels, columns: SampleColumns)] = load.series.map {
            ($0.labels, $0.columns(step: load.step))
        }
        if load.convertsClassicHistograms {
            switch ClassicHistograms(samples).converted() {
            case .success(let converted): samples += converted
            case .failure(let error): return error.message
            }
        }
        for (labels, columns) in samples where !append(labels, columns) {
            return "out of order sample in \(labels)"
        }
        return nil
    }
}

extension Load.Series {
    func columns(step: Milliseconds) -> SampleColumns {
        var columns = SampleColumns()
        let hasStarts = starts.contains { $0 != nil }
        for (index, value) in values.enumerated() {
            let time = Int64(index) * step
            let start = hasStarts ? starts[index].map { time + $0 } ?? 0 : 0
            switch value {
            case .omitted: continue
            case .float(let number):
                columns.timestamps.append(time)
                columns.values.append(number)
                if hasStarts { columns.startTimestamps.append(start) }
            case .histogram(let histogram, _):
                columns.histogramTimestamps.append(time)
                columns.histograms.append(histogram)
                if hasStarts { columns.histogramStartTimestamps.append(start) }
            }
        }
        return columns
    }
}
