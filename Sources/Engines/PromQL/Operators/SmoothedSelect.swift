// SPDX-License-Identifier: Apache-2.0

internal import Model
internal import PromQLSyntax
internal import Storage

/// `x smoothed`: at each step the value on the line between the samples before and after it, or the
/// last one where none follows within the lookback delta.
struct SmoothedSelect: VectorOperator {
    let evaluation: Evaluation
    let selection: Selection
    let steps: Steps
    let times: ReferenceTimes
    let source: SourceRange

    var rows: [RowLabels] { selection.rows }

    func run(_ consume: RowConsumer) throws(QueryError) {
        let delta = evaluation.lookbackDelta
        var index = WindowIndex(times, reach: delta, lookahead: delta)
        var histogramIndex = index
        let columnsOf = StoredColumns(
            evaluation: evaluation, selection: selection, range: index.readRange)
        let width = steps.count
        var row = Row(width: width)
        try columnsOf.forEach { (series, columns) throws(QueryError) in
            if row.width != width { row = Row(width: width) }
            row.clear()
            index.update(columns.timestamps)
            histogramIndex.update(columns.histogramTimestamps)
            for step in 0..<width {
                let floats = index.window(step)
                let histograms = histogramIndex.window(step)
                if !floats.isEmpty, !histograms.isEmpty {
                    let metric = selection.rows[series].labels.metricName ?? ""
                    evaluation.annotations.add(
                        .mixedFloatsAndHistograms(metric: metric, source))
                } else if !floats.isEmpty {
                    let value = value(columns, floats, at: times[step])
                    if let value { row.setFloat(value, at: step) }
                } else if !histograms.isEmpty {
                    if let value = histogram(columns, histograms, series, at: times[step]) {
                        row.setHistogram(value, at: step)
                    }
                }
            }
            if row.isEmpty { return }
            try consume(series, &row)
        }
    }

    private func value(_ columns: SampleColumns, _ window: Range<Int>, at time: Timestamp)
        -> Double?
    {
        let times = columns.timestamps
        let after = window.first { times[$0] >= time }
        if let after, times[after] == time { return columns.values[after] }
        let before = (after ?? window.upperBound) - 1
        if before < window.lowerBound { return nil }
        let left = columns.values[before]
        guard let after else { return left }
        let elapsed = Double(time &- times[before])
        return left + (columns.values[after] - left) * elapsed
            / Double(times[after] &- times[before])
    }

    private func histogram(
        _ columns: SampleColumns, _ window: Range<Int>, _ series: Int, at time: Timestamp
    ) -> FloatHistogram? {
        let times = columns.histogramTimestamps
        let histograms = columns.histograms
        let after = window.first { times[$0] >= time }
        if let after, times[after] == time { return histograms[after] }
        let before = (after ?? window.upperBound) - 1
        if before < window.lowerBound { return nil }
        guard let after else {
            var carried = histograms[before]
            carried.counterResetHint = .unknown
            return carried
        }
        let metric = selection.rows[series].labels.metricName ?? ""
        let (left, right) = (histograms[before], histograms[after])
        if left.usesCustomBuckets != right.usesCustomBuckets {
            evaluation.annotations.add(.mixedExponentialAndCustomBuckets(metric: metric, source))
            return nil
        }
        let interpolation = HistogramInterpolation(
            annotations: evaluation.annotations, metric: metric, source: source)
        return interpolation.value(
            (times[before], left), (times[after], right), at: time,
            isCounter: left.counterResetHint != .gauge || right.counterResetHint != .gauge)
    }
}
