// SPDX-License-Identifier: Apache-2.0

internal import Model
internal import Platform
internal import Storage

/// The newest sample of each series at each step, no older than the lookback delta. A staleness
/// marker ends a series until its next sample; an ordinary NaN is a value.
struct InstantSelect: VectorOperator {
    /// What a row shows of the sample that was found.
    enum Output {
        case sample
        /// That there is one; of a float, the value is undefined.
        case presence
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

    func grouping(_ cut: LabelCut) -> Grouping { selection.grouping(cut) }

    func run(_ consume: RowConsumer) throws(QueryError) {
        let empty = WindowIndex(times, reach: evaluation.lookbackDelta)
        var serial = SerialRun(node: self, empty: empty)
        let runs = SeriesRuns(selection.count, steps, empty.readRange, evaluation)
        var windows = WindowCache.Counts()
        try ahead(empty, runs).run(
            count: runs.count, helpers: runs.helpers
        ) { (piece, batch) throws(QueryError) in
            windows.add(batch.windows)
            evaluation.memory.adopt(batch.allocated)
            for (place, series) in runs[piece].enumerated() {
                try evaluation.checkpoint()
                switch batch.outcomes[place] {
                case .empty: break
                case .row:
                    try batch.withRow(place) { (row) throws(QueryError) in
                        if !row.isEmpty { try consume(series, &row) }
                    }
                case .left: try serial.evaluate(series, consume)
                case .stopped: throw evaluation.interruption.error
                }
            }
        }
        windows.computed += serial.windowsComputed
        evaluation.ledger.recorder?.note(windows: windows, of: account)
    }

    /// How runs of series are evaluated by any thread.
    private func ahead(
        _ empty: WindowIndex, _ runs: SeriesRuns
    ) -> OrderedWork<InstantWorker, RowBatch> {
        let width = steps.count
        let series = selection.series
        let isPlain = output == .sample || output == .presence
        let needsValues = output != .presence
        let configuration = evaluation.configuration
        return OrderedWork(
            makeWorker: { isHelper in
                InstantWorker(
                    memory: HelperMemory(configuration, isHelper: isHelper),
                    series: series, range: empty.readRange, isPlain: isPlain,
                    needsValues: needsValues,
                    windows: WindowCache(empty))
            },
            makeResult: { RowBatch() },
            work: { worker, piece, batch in
                let before = worker.windows.counts
                let memory = worker.memory
                batch.allocated = memory.allocated {
                    batch.fill(runs[piece], width: width) { worker.evaluate($0, &$1) }
                }
                batch.windows = worker.windows.counts - before
            })
    }

    fileprivate func takeNewestOfBoth(
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
                if output == .sample || output == .presence {
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
        case .sample, .presence: value
        case .time: Double(time) / 1000
        case .startTime: Double(start) / 1000
        case .milliseconds: Double(time)
        }
    }
}

/// What a thread needs to look up the floats of stored series.
private struct InstantWorker {
    let memory: HelperMemory
    let series: any SeriesSet
    let range: TimeRange
    /// Whether the rows show the samples themselves.
    let isPlain: Bool
    let needsValues: Bool
    var windows: WindowCache
    var columns = SampleColumns()

    mutating func evaluate(_ index: Int, _ row: inout Row) -> RowBatch.Outcome {
        if !needsValues, windows.reach >= steadyGap, let run = series.steadyRun(index),
            windows.take(run, into: &row)
        {
            return .row(nil)
        }
        columns.removeAll()
        do {
            if row.width == 1, isPlain {
                try series.readNewest(index, range, into: &columns)
            } else {
                try series.read(index, range, into: &columns)
            }
        } catch {
            return .left
        }
        if columns.isEmpty { return .empty }
        guard isPlain, columns.histograms.isEmpty else { return .left }
        if row.width == 1 {
            takeLast(&row)
        } else {
            takeNewest(windows.windows(over: columns.timestamps), &row)
        }
        return .row(nil)
    }

    /// One step: the columns hold exactly what it may see, so the last sample is the newest.
    private func takeLast(_ row: inout Row) {
        row.clear()
        let value = columns.values[columns.values.count - 1]
        if StaleMarker.isStale(value) { return }
        row.values[0] = value
        row.floats.insert(0)
    }

    private func takeNewest(_ index: WindowIndex, _ row: inout Row) {
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
}

/// Series with histograms, and those of which more than the value is shown.
private struct SerialRun {
    let node: InstantSelect
    private var floatIndex: WindowIndex
    private var histogramIndex: WindowIndex
    private(set) var windowsComputed = 0
    private var columns = SampleColumns()
    private var row: Row

    init(node: InstantSelect, empty: WindowIndex) {
        self.node = node
        floatIndex = empty
        histogramIndex = empty
        row = Row(width: node.steps.count)
    }

    mutating func evaluate(_ series: Int, _ consume: RowConsumer) throws(QueryError) {
        try node.selection.read(series, floatIndex.readRange, into: &columns)
        if columns.isEmpty { return }
        if node.refusesHistograms, !columns.histograms.isEmpty {
            throw .execution(
                "this should be an info metric, with float samples: "
                    + node.selection.rows[series].labels.description)
        }
        if node.stripsBuckets { columns.stripBuckets() }
        if row.width != node.steps.count { row = Row(width: node.steps.count) }
        windowsComputed += 1
        floatIndex.update(columns.timestamps)
        histogramIndex.update(columns.histogramTimestamps)
        node.takeNewestOfBoth(columns, floatIndex, histogramIndex, &row)
        if !row.isEmpty { try consume(series, &row) }
    }
}

extension WindowIndex {
    /// The newest sample that a step sees.
    func newest(at step: Int) -> Int? {
        ends[step] > starts[step] ? Int(ends[step]) - 1 : nil
    }
}
