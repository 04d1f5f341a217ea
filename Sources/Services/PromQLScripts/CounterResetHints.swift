// SPDX-License-Identifier: Apache-2.0

internal import Model
internal import Storage

/// The counter reset hints with which a TSDB gives histograms back. Successive histograms share a
/// chunk as long as the counter was not reset and the layout of buckets stays; within a chunk it is
/// known that there was no reset, while nothing is known of the first one, whatever was written.
struct CounterResetHints {
    private var previous: FloatHistogram?
    private var previousTime = Timestamp.min

    /// Sets the hints of histograms that go behind those of `columns`.
    static func set(in samples: inout SampleColumns, behind columns: SampleColumns) {
        var hints = CounterResetHints()
        hints.previous = columns.histograms.last
        hints.previousTime = columns.histogramTimestamps.last ?? .min
        let floats = [columns.timestamps.last].compactMap { $0 } + samples.timestamps
        for (index, time) in samples.histogramTimestamps.enumerated() {
            // A float in between ends the chunk.
            let since = hints.previousTime
            if floats.contains(where: { $0 > since && $0 < time }) { hints.previous = nil }
            let histogram = samples.histograms[index]
            samples.histograms[index].counterResetHint = hints.hint(of: histogram)
            hints.previous = samples.histograms[index]
            hints.previousTime = time
        }
    }

    private func hint(of histogram: FloatHistogram) -> CounterResetHint {
        if histogram.counterResetHint == .gauge { return .gauge }
        guard let previous, previous.counterResetHint != .gauge,
            histogram.counterResetHint != .reset
        else { return .unknown }
        if histogram.isStale { return .notReset }
        if previous.isStale || histogram.schema != previous.schema
            || histogram.zeroThreshold != previous.zeroThreshold
            || histogram.customBounds != previous.customBounds
        {
            return .unknown
        }
        var unhinted = histogram
        unhinted.counterResetHint = .unknown
        return unhinted.isReset(since: previous) ? .unknown : .notReset
    }
}
