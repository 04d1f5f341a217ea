// SPDX-License-Identifier: Apache-2.0

internal import Model
internal import Storage

/// The newest sample of each series at each step, no older than the lookback delta. A staleness
/// marker ends a series until its next sample; an ordinary NaN is a value.
struct InstantSelect: VectorOperator {
    /// What a row shows of the sample that was found.
    enum Output {
        case sample
        /// Its time in seconds, for `timestamp()`.
        case time
        /// Its start time in seconds, for `start_timestamp()`.
        case startTime
        /// Its time in milliseconds, for `info()`.
        case milliseconds
    }

    let evaluation: Evaluation
    let selection: Selection
    let steps: Steps
    let times: ReferenceTimes
    var output = Output.sample
    var stripsBuckets = false
    /// Info metrics must be floats.
    var refusesHistograms = false
    /// The account of the node that selects.
    var account = 0

    var rows: [RowLabels] { selection.rows }

    func run(_ consume: RowConsumer) throws(QueryError) {
        let empty = WindowIndex(times, reach: evaluation.lookbackDelta)
        var windows = WindowCache(empty)
        var histogramIndex = empty
        let range = empty.readRange
        var columns = SampleColumns()
        var row = Row(width: steps.count)
        for series in selection.rows.indices {
            try evaluation.checkpoint()
            try selection.read(series, range, into: &columns)
            if columns.isEmpty { continue }
            if refusesHistograms, !columns.histograms.isEmpty {
                throw .execution(
                    "this should be an info metric, with float samples: "
                        + selection.rows[series].labels.description)
            }
            if stripsBuckets { columns.stripBuckets() }
            if row.width != steps.count { row = Row(width: steps.count) }
            if columns.histograms.isEmpty, output == .sample {
                if steps.isSingle {
                    takeLast(columns, &row)
                } else {
                    takeNewest(columns, windows.windows(over: columns.timestamps), &row)
                }
            } else {
                let index = windows.windows(over: columns.timestamps)
                histogramIndex.update(columns.histogramTimestamps)
                takeNewestOfBoth(columns, index, histogramIndex, &row)
            }
            if row.isEmpty { continue }
            try consume(series, &row)
        }
        evaluation.ledger.recorder?.note(windows: windows.counts, of: account)
    }

    /// One step: the columns hold exactly what it may see, so the last sample is the newest.
    private func takeLast(_ columns: SampleColumns, _ row: inout Row) {
        row.clear()
        let value = columns.values[columns.values.count - 1]
        if StaleMarker.isStale(value) { return }
        row.values[0] = value
        row.floats.insert(0)
    }

    private func takeNewest(_ columns: SampleColumns, _ index: WindowIndex, _ row: inout Row) {
        row.histograms.removeAll()
        let values = columns.values.span
        let starts = index.starts.span
        let ends = index.ends.span
        let marker = StaleMarker.bits
        row.fill { step in
            let end = Int(unsafe ends[unchecked: step])
            guard end > Int(unsafe starts[unchecked: step]) else { return nil }
            let value = unsafe values[unchecked: end - 1]
            return value.bitPattern == marker ? nil : value
        }
    }

    private func takeNewestOfBoth(
        _ columns: SampleColumns, _ floats: WindowIndex, _ histograms: WindowIndex,
        _ row: inout Row
    ) {
        row.clear()
        for step in 0..<steps.count {
            let float = floats.newest(at: step)
            let histogram = histograms.newest(at: step)
            let floatTime = float.map { columns.timestamps[$0] } ?? .min
            let histogramTime = histogram.map { columns.histogramTimestamps[$0] } ?? .min
            if let float, histogram == nil || floatTime > histogramTime {
                let value = columns.values[float]
                if StaleMarker.isStale(value) { continue }
                let start = columns.startTimestamps.isEmpty ? 0 : columns.startTimestamps[float]
                row.setFloat(shown(value, floatTime, start), at: step)
            } else if let histogram {
                let value = columns.histograms[histogram]
                if value.isStale { continue }
                let starts = columns.histogramStartTimestamps
                if output == .sample {
                    row.setHistogram(value, at: step)
                } else {
                    let start = starts.isEmpty ? 0 : starts[histogram]
                    row.setFloat(shown(0, histogramTime, start), at: step)
                }
            }
        }
    }

    private func shown(_ value: Double, _ time: Timestamp, _ start: Timestamp) -> Double {
        switch output {
        case .sample: value
        case .time: Double(time) / 1000
        case .startTime: Double(start) / 1000
        case .milliseconds: Double(time)
        }
    }
}

extension WindowIndex {
    /// The newest sample that a step sees.
    func newest(at step: Int) -> Int? {
        ends[step] > starts[step] ? Int(ends[step]) - 1 : nil
    }
}
