// SPDX-License-Identifier: Apache-2.0

internal import Model
internal import PromQLSyntax
internal import Storage

extension Planner {
    func times(_ selector: VectorSelector, _ steps: Steps) throws(QueryError) -> ReferenceTimes {
        ReferenceTimes(
            steps, at: evaluation.bounds.resolve(selector.at),
            offset: try durations.offset(selector.offset))
    }

    func select(
        _ selector: VectorSelector, _ steps: Steps, _ output: InstantSelect.Output = .sample
    ) throws(QueryError) -> any VectorOperator {
        let times = try times(selector, steps)
        let reach = SelectorReach(selector.rangeExtension, range: nil, evaluation.lookbackDelta)
        let isSmoothed = selector.rangeExtension == .smoothed
        let index = WindowIndex(
            times, reach: isSmoothed ? reach.back + 1 : reach.back, lookahead: reach.ahead)
        let selection = try selection(selector.matchers, over: index.readRange)
        if isSmoothed, output == .sample || output == .presence {
            return SmoothedSelect(
                evaluation: evaluation, selection: selection, steps: steps, times: times,
                source: selector.source)
        }
        return InstantSelect(
            evaluation: evaluation, selection: selection, steps: steps, times: times,
            output: output, stripsBuckets: histogramDetail.isSummary,
            account: evaluation.ledger.current ?? 0)
    }

    /// The samples that a range vector covers at all steps together, and how to find those of a
    /// step.
    struct Ranges {
        let source: any ColumnSource
        let times: ReferenceTimes
        let range: Milliseconds
        let rangeExtension: RangeExtension
        /// Where annotations point to; subqueries lose their place, as upstream.
        let place: SourceRange
    }

    func ranges(_ expression: Expression, _ steps: Steps) throws(QueryError) -> Ranges {
        switch expression.unwrapped {
        case .matrixSelector(let matrix): return try ranges(matrix, steps)
        case .subquery(let subquery): return try ranges(subquery, steps)
        default:
            throw QueryError(.invalid, "unexpected expression of type \(expression.type.rawValue)")
        }
    }

    private func ranges(_ matrix: MatrixSelector, _ steps: Steps) throws(QueryError) -> Ranges {
        let times = try times(matrix.selector, steps)
        let range = try durations.positive(matrix.range)
        let reach = SelectorReach(
            matrix.selector.rangeExtension, range: range, evaluation.lookbackDelta)
        let index = WindowIndex(times, reach: reach.back, lookahead: reach.ahead)
        let read = index.readRange
        let selection = try selection(matrix.selector.matchers, over: read)
        return Ranges(
            source: StoredColumns(
                evaluation: evaluation, selection: selection, range: read,
                stripsBuckets: histogramDetail.isSummary),
            times: times, range: range, rangeExtension: matrix.selector.rangeExtension,
            place: matrix.source)
    }

    private func ranges(_ subquery: Subquery, _ steps: Steps) throws(QueryError) -> Ranges {
        let inner = try SubqueryTimes(
            subquery, steps, evaluation.bounds, durations, evaluation.configuration)
        let outer = histogramDetail
        histogramDetail.needsBuckets = true
        defer { histogramDetail = outer }
        let ledger = evaluation.ledger
        let account = ledger.open(
            .subquery(range: inner.range, offset: inner.offset), inner.steps, subquery.source)
        let begin = ledger.recorder?.mark()
        let input = try vector(subquery.expression, inner.steps)
        ledger.leave(account)
        if let begin { ledger.recorder?.add(since: begin, to: account) }
        return Ranges(
            source: SubqueryColumns(input: input),
            times: inner.times, range: inner.range, rangeExtension: .none,
            place: SourceRange(0, 0))
    }

    /// A range vector as the result of an instant query.
    func matrix(_ expression: Expression, _ steps: Steps) throws(QueryError) -> [ResultSeries] {
        let ledger = evaluation.ledger
        let account = ledger.open(.inPlace, steps, expression.unwrapped.source)
        let begin = ledger.recorder?.mark()
        defer { ledger.leave(account) }
        let ranges = try ranges(expression, steps)
        let reach = SelectorReach(
            ranges.rangeExtension, range: ranges.range, evaluation.lookbackDelta)
        var results: [ResultSeries] = []
        var times = SharedTimes()
        let rows = ranges.source.rows
        let window = (start: ranges.times.first &- ranges.range, end: ranges.times.first)
        var index = WindowIndex(ranges.times, reach: reach.back, lookahead: reach.ahead)
        try ranges.source.forEach { (series, columns) throws(QueryError) in
            var row = rows[series]
            if row.dropsName { row.labels = row.labels.withoutMetadata }
            // The memory of the columns is used again, and larger than they are.
            var result = ResultSeries(
                labels: row.labels, timestamps: times.share(columns.timestamps),
                values: columns.values.exactCopy)
            result.histogramTimestamps = columns.histogramTimestamps
            result.histograms = columns.histograms
            if ranges.rangeExtension != .none {
                if !columns.histograms.isEmpty {
                    let name = ranges.rangeExtension == .anchored ? "anchored" : "smoothed"
                    throw .execution("\(name) modifier is not supported with histograms")
                }
                index.update(columns.timestamps)
                let isSmoothed = ranges.rangeExtension == .smoothed
                let times = columns.timestamps.span
                let values = columns.values.span
                result.timestamps = []
                result.values = []
                guard
                    let extended = ExtendedWindow(
                        times, values, 0..<times.count, range: window, isSmoothed: isSmoothed)
                else { return }
                let inner = extended.inner
                result.timestamps =
                    [window.start] + columns.timestamps[inner] + [window.end]
                result.values =
                    [extended.left(isCounter: false)] + columns.values[inner]
                    + [extended.right(isCounter: false, windowStart: 0)]
            }
            if ranges.source.isStored {
                let size = result.histograms.reduce(result.values.count) { $0 + $1.sampleCount }
                try ledger.noteSelected(size, of: account)
            }
            results.append(result)
        }
        try ledger.finish(account)
        if let begin { ledger.recorder?.add(since: begin, to: account) }
        evaluation.timeSorting { results.sortByLabels() }
        return results
    }
}
