// SPDX-License-Identifier: Apache-2.0

internal import Model
internal import PromQLSyntax

/// Runs the operators of a query and gives its result the form in which callers know it.
struct ResultBuilder {
    private let evaluation: Evaluation
    private let planner: Planner

    init(_ evaluation: Evaluation) {
        self.evaluation = evaluation
        planner = Planner(evaluation)
    }

    func value(of expression: Expression) throws(QueryError) -> QueryValue {
        let bounds = evaluation.bounds
        let isInstant = bounds.step == 0
        switch expression.type {
        case .string: return .string(expression.unwrapped.text, bounds.start)
        case .matrix: return .matrix(try planner.matrix(expression, bounds.steps))
        case .scalar:
            let values = try planner.scalar(expression, bounds.steps)
            if isInstant {
                return .scalar(Sample(timestamp: bounds.start, value: values[0]))
            }
            return .matrix([
                ResultSeries(
                    labels: .empty, timestamps: bounds.steps.timestamps, values: values)
            ])
        case .vector:
            let result = try finished(try planner.vector(expression, bounds.steps))
            return isInstant
                ? .vector(try elements(result)) : .matrix(try series(result))
        }
    }

    /// Drops the metric names that were kept until now.
    private func finished(_ result: any VectorOperator) throws(QueryError) -> any VectorOperator {
        guard evaluation.delaysNameRemoval else { return result }
        let rows = result.rows.map {
            $0.dropsName ? RowLabels($0.labels.withoutMetadata) : $0
        }
        return MapRows.over(result, named: rows) { _ in }
    }

    private func elements(_ result: any VectorOperator) throws(QueryError) -> [VectorElement] {
        let time = evaluation.bounds.start
        let rows = result.rows
        var elements: [VectorElement] = []
        try result.run { (index, row) throws(QueryError) in
            elements.append(
                VectorElement(
                    labels: rows[index].labels, timestamp: time, value: row.values[0],
                    histogram: row.hasHistograms ? row.histograms[0] : nil))
        }
        return elements
    }

    private func series(_ result: any VectorOperator) throws(QueryError) -> [ResultSeries] {
        let times = result.steps.timestamps
        let rows = result.rows
        var all: [ResultSeries] = []
        try result.run { (index, row) throws(QueryError) in
            // Full rows share the list of times.
            var series = ResultSeries(labels: rows[index].labels, timestamps: times, values: [])
            if row.floats.isFull {
                swap(&series.values, &row.values)
                row = Row(width: times.count)
            } else {
                series.timestamps = []
                row.floats.forEach {
                    series.timestamps.append(times[$0])
                    series.values.append(row.values[$0])
                }
            }
            for (step, histogram) in row.histograms.enumerated() {
                guard let histogram else { continue }
                series.histogramTimestamps.append(times[step])
                series.histograms.append(histogram)
            }
            all.append(series)
        }
        evaluation.timeSorting { all.sortByLabels() }
        return all
    }
}

extension [ResultSeries] {
    /// Most results are in order already.
    mutating func sortByLabels() {
        for index in indices.dropFirst() where self[index].labels < self[index - 1].labels {
            sort { $0.labels < $1.labels }
            return
        }
    }
}
