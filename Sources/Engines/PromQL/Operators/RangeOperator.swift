// SPDX-License-Identifier: Apache-2.0

internal import Model
internal import PromQLSyntax
internal import Storage

/// A function over a range vector: each series is decoded once for the whole query, then its
/// windows of all steps are evaluated in one pass.
struct RangeOperator: VectorOperator {
    let evaluation: Evaluation
    let call: RangeCall
    let source: any ColumnSource
    let rows: [RowLabels]
    private let account: Int

    var steps: Steps { call.steps }

    init(_ evaluation: Evaluation, _ call: RangeCall, _ source: any ColumnSource) {
        self.evaluation = evaluation
        self.call = call
        self.source = source
        account = evaluation.ledger.current ?? 0
        if call.function.keepsName {
            rows = source.rows.map {
                $0.dropsName && !evaluation.delaysNameRemoval
                    ? RowLabels($0.labels.withoutMetadata) : $0
            }
        } else {
            rows = source.rows.map { evaluation.droppingName($0) }
        }
    }

    func run(_ consume: RowConsumer) throws(QueryError) {
        let reach = SelectorReach(call.rangeExtension, range: call.range, evaluation.lookbackDelta)
        let empty = WindowIndex(call.times, reach: reach.back, lookahead: reach.ahead)
        var windows = WindowCache(empty)
        var histogramIndex = empty
        var evaluator = RangeEvaluator(call, evaluation)
        var row = Row(width: steps.count)
        let width = steps.count
        var clashes = ClashDetector(rows, isNeeded: !evaluation.delaysNameRemoval)
        let names = source.rows
        try source.forEach { (series, columns) throws(QueryError) in
            if row.width != width { row = Row(width: width) }
            row.histograms.removeAll()
            let index = windows.windows(over: columns.timestamps)
            let hasHistograms = !columns.histograms.isEmpty
            if hasHistograms { histogramIndex.update(columns.histogramTimestamps) }
            if call.function == .doubleExponentialSmoothing {
                try evaluator.checkSmoothingFactors(index, hasHistograms ? histogramIndex : nil)
            }
            evaluator.fillFloats(columns, index, &row, names[series].labels)
            if hasHistograms {
                try evaluator.fillHistograms(
                    columns, index, histogramIndex, &row, names[series].labels)
            }
            try evaluation.ledger.noteWindows(
                WindowCounts(index, histogramIndex, columns), row, isStored: source.isStored,
                of: account)
            if row.isEmpty { return }
            noteUnlikelyCounter(row, names[series].labels)
            try clashes.add(series)
            try consume(series, &row)
        }
        evaluation.ledger.recorder?.note(windows: windows.counts, of: account)
    }

    /// rate() of something that does not look like a counter is worth a note.
    private func noteUnlikelyCounter(_ row: Row, _ labels: Labels) {
        guard call.function.isOfCounters, !row.floats.isEmpty,
            let metric = labels.metricName, !metric.isEmpty
        else { return }
        if evaluation.configuration.typeAndUnitLabels {
            let type = labels[LabelName.type] ?? ""
            if type == "counter" || type == "histogram" { return }
            evaluation.annotations.add(.possiblyNoCounter(metric: metric, type: type, call.source))
        } else {
            for suffix in ["_total", "_sum", "_count", "_bucket"] where metric.hasSuffix(suffix) {
                return
            }
            evaluation.annotations.add(.possiblyNoCounter(metric: metric, call.source))
        }
    }
}

/// Finds series with samples whose labels have become equal, where that is an error even if they
/// have no step in common.
struct ClashDetector {
    private let slots: [Int]?
    private var seen: [Bool] = []

    init(_ rows: [RowLabels], isNeeded: Bool) {
        slots = isNeeded ? MergeRows.slots(of: rows) : nil
        if let slots { seen = [Bool](repeating: false, count: slots.count) }
    }

    mutating func add(_ index: Int) throws(QueryError) {
        guard let slots else { return }
        if seen[slots[index]] { throw .sameLabelset }
        seen[slots[index]] = true
    }
}
