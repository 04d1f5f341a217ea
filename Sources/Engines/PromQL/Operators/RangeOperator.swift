// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import Model
internal import Platform
internal import PromQLSyntax
internal import Storage

/// A function over a range vector: each series is decoded once for the whole query, then its
/// windows of all steps are evaluated in one pass.
struct RangeOperator: VectorOperator {
    let evaluation: Evaluation
    let call: RangeCall
    let source: any ColumnSource
    fileprivate let account: Int
    private let names: RangeNames

    var steps: Steps { call.steps }
    var rows: [RowLabels] { names.rows }

    func grouping(_ cut: LabelCut) -> Grouping { names.grouping(cut) }

    init(_ evaluation: Evaluation, _ call: RangeCall, _ source: any ColumnSource) {
        self.evaluation = evaluation
        self.call = call
        self.source = source
        account = evaluation.ledger.current ?? 0
        names = RangeNames(evaluation, call, source)
    }

    private var reach: SelectorReach {
        SelectorReach(call.rangeExtension, range: call.range, evaluation.lookbackDelta)
    }

    func run(_ consume: RowConsumer) throws(QueryError) {
        let empty = WindowIndex(call.times, reach: reach.back, lookahead: reach.ahead)
        var run = RangeRun(self, names, empty)
        guard let stored = source as? StoredColumns, run.evaluator.isPure else {
            try source.forEach { (series, columns) throws(QueryError) in
                try run.evaluate(series, &columns, consume)
            }
            evaluation.ledger.recorder?.note(windows: run.windows.counts, of: account)
            return
        }
        let runs = SeriesRuns(
            stored.count, steps, stored.range, evaluation,
            window: (call.range, call.function.costOfSample))
        var columns = SampleColumns()
        var windows = WindowCache.Counts()
        try ahead(stored, run.evaluator.floats, empty, runs).run(
            count: runs.count, helpers: runs.helpers
        ) { (piece, batch) throws(QueryError) in
            windows.add(batch.windows)
            evaluation.memory.adopt(batch.allocated)
            for (place, series) in runs[piece].enumerated() {
                try evaluation.checkpoint()
                switch batch.outcomes[place] {
                case .empty: break
                case .row(let counts):
                    try batch.withRow(place) { (row) throws(QueryError) in
                        try run.emit(series, counts, &row, consume)
                    }
                case .left:
                    if try stored.read(series, into: &columns) {
                        try run.evaluate(series, &columns, consume)
                    }
                case .stopped: throw evaluation.interruption.error
                }
            }
        }
        windows.add(run.windows.counts)
        evaluation.ledger.recorder?.note(windows: windows, of: account)
    }

    /// How runs of series are evaluated by any thread.
    private func ahead(
        _ stored: StoredColumns, _ floats: FloatRanges, _ empty: WindowIndex, _ runs: SeriesRuns
    ) -> OrderedWork<RangeWorker, RowBatch> {
        let width = steps.count
        let (series, range) = (stored.selection.series, stored.range)
        let configuration = evaluation.configuration
        let interruption = evaluation.interruption
        return OrderedWork(
            makeWorker: { isHelper in
                RangeWorker(
                    memory: HelperMemory(configuration, isHelper: isHelper),
                    series: series, range: range, interruption: interruption, floats: floats,
                    empty: empty, windows: WindowCache(empty))
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
}

/// What a thread needs to evaluate the floats of stored series.
private struct RangeWorker {
    let memory: HelperMemory
    let series: any SeriesSet
    let range: TimeRange
    let interruption: Interruption
    var floats: FloatRanges
    let empty: WindowIndex
    var windows: WindowCache
    var columns = SampleColumns()

    mutating func evaluate(_ index: Int, _ row: inout Row) -> RowBatch.Outcome {
        columns.removeAll()
        do {
            try series.read(index, range, into: &columns)
            columns.dropStaleMarkers()
            if columns.isEmpty { return .empty }
            guard columns.histograms.isEmpty else { return .left }
            let index = windows.windows(over: columns.timestamps)
            if floats.call.function == .doubleExponentialSmoothing {
                try floats.checkSmoothingFactors(index, nil)
            }
            if index.isLong {
                row.interruption = interruption
                floats.fill(columns, index, &row)
                row.interruption = nil
                if interruption.isDue { return .stopped }
            } else {
                floats.fill(columns, index, &row)
            }
            return .row(WindowCounts(index, empty, columns))
        } catch {
            return .left
        }
    }
}

/// One run over all series, as far as it happens on the query's own thread.
private struct RangeRun {
    let call: RangeCall
    let evaluation: Evaluation
    private(set) var evaluator: RangeEvaluator
    private(set) var windows: WindowCache
    private var histogramIndex: WindowIndex
    private let account: Int
    private let isStored: Bool
    /// What the series say of their metrics, and which of these are known to look like counters, or
    /// were noted.
    private let metrics: Grouping
    private var isJudged: [Bool]
    private var clashes: ClashDetector
    private var row: Row

    init(_ node: RangeOperator, _ names: RangeNames, _ empty: WindowIndex) {
        call = node.call
        evaluation = node.evaluation
        metrics = names.metrics
        isJudged = [Bool](
            repeating: !call.function.isOfCounters, count: metrics.groups.count)
        evaluator = RangeEvaluator(call, evaluation)
        windows = WindowCache(empty)
        histogramIndex = empty
        account = node.account
        isStored = node.source.isStored
        clashes = ClashDetector(names)
        row = Row(width: call.steps.count)
    }

    mutating func evaluate(
        _ series: Int, _ columns: inout SampleColumns, _ consume: RowConsumer
    ) throws(QueryError) {
        var row = Row(width: 0)
        swap(&row, &self.row)
        defer { swap(&row, &self.row) }
        if row.width != call.steps.count { row = Row(width: call.steps.count) }
        row.histograms.removeAll()
        let index = windows.windows(over: columns.timestamps)
        let hasHistograms = !columns.histograms.isEmpty
        if hasHistograms { histogramIndex.update(columns.histogramTimestamps) }
        if call.function == .doubleExponentialSmoothing {
            try evaluator.floats.checkSmoothingFactors(index, hasHistograms ? histogramIndex : nil)
        }
        if index.isLong { row.interruption = evaluation.interruption }
        let metric = metrics.groups[metrics[series]].labels
        evaluator.fillFloats(columns, index, &row, metric)
        row.interruption = nil
        if index.isLong, evaluation.interruption.isDue { throw evaluation.interruption.error }
        if hasHistograms {
            try evaluator.fillHistograms(columns, index, histogramIndex, &row, metric)
        }
        try emit(series, WindowCounts(index, histogramIndex, columns), &row, consume)
    }

    /// Hands on a row that is complete.
    mutating func emit(
        _ series: Int, _ counts: WindowCounts?, _ row: inout Row, _ consume: RowConsumer
    ) throws(QueryError) {
        if let counts {
            try evaluation.ledger.noteWindows(counts, row, isStored: isStored, of: account)
        }
        if row.isEmpty { return }
        noteUnlikelyCounter(row, metrics[series])
        try clashes.add(series)
        try consume(series, &row)
    }

    /// rate() of something that does not look like a counter is worth a note.
    private mutating func noteUnlikelyCounter(_ row: borrowing Row, _ group: Int) {
        guard !isJudged[group], !row.floats.isEmpty else { return }
        isJudged[group] = true
        let labels = metrics.groups[group].labels
        if evaluation.configuration.typeAndUnitLabels {
            guard let metric = labels.metricName, !metric.isEmpty else { return }
            let type = labels[LabelName.type] ?? ""
            if type == "counter" || type == "histogram" { return }
            evaluation.annotations.add(.possiblyNoCounter(metric: metric, type: type, call.source))
        } else {
            if labels.withValue(LabelName.metric, { $0.isEmpty || Self.isNameOfCounter($0) }) {
                return
            }
            let metric = labels.metricName ?? ""
            evaluation.annotations.add(.possiblyNoCounter(metric: metric, call.source))
        }
    }

    private static let suffixesOfCounters = ["_total", "_sum", "_count", "_bucket"].map {
        Array($0.utf8)
    }

    private static func isNameOfCounter(_ metric: RawSpan) -> Bool {
        for suffix in suffixesOfCounters where suffix.count <= metric.byteCount {
            let end = metric.extracting(last: suffix.count)
            if compareBytes(end, suffix.raw) == 0 { return true }
        }
        return false
    }
}
