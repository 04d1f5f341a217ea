// SPDX-License-Identifier: Apache-2.0

internal import Model
internal import PromQLSyntax
internal import Storage

/// Aggregations that need only a running result of each group: the input streams through and is
/// never kept.
struct FoldOperator: VectorOperator {
    let evaluation: Evaluation
    let node: Aggregation
    let input: any VectorOperator
    private let grouping: Grouping

    var steps: Steps { input.steps }
    var rows: [RowLabels] { grouping.groups }

    init(_ evaluation: Evaluation, _ node: Aggregation, _ input: any VectorOperator) {
        self.evaluation = evaluation
        self.node = node
        self.input = input
        grouping = input.grouping(.of(node.grouping, without: node.isWithout))
    }

    func run(_ consume: RowConsumer) throws(QueryError) {
        let width = steps.count
        switch node.operation {
        case .sum: try fold(consume, histograms: .sum) { SumAccumulator(width: width) }
        case .avg: try fold(consume, histograms: .average) { AverageAccumulator(width: width) }
        case .min:
            try fold(consume) { ExtremeAccumulator(width: width, isMaximum: false) }
        case .max: try fold(consume) { ExtremeAccumulator(width: width, isMaximum: true) }
        case .group: try fold(consume) { CountAccumulator(width: width, isGroup: true) }
        case .stddev: try fold(consume) { VarianceAccumulator(width: width, takesRoot: true) }
        case .stdvar: try fold(consume) { VarianceAccumulator(width: width, takesRoot: false) }
        case .count, .topk, .bottomk, .quantile, .countValues, .limitk, .limitRatio:
            try fold(consume) { CountAccumulator(width: width, isGroup: false) }
        }
    }

    private func fold<Accumulator: FloatAccumulator>(
        _ consume: RowConsumer, histograms kind: HistogramFold.Kind? = nil,
        _ make: () -> Accumulator
    ) throws(QueryError) {
        var accumulators = [Accumulator?](repeating: nil, count: grouping.groups.count)
        var histograms: HistogramFold?
        try input.run { (index, row) throws(QueryError) in
            let group = grouping[index]
            if row.hasHistograms {
                if let kind {
                    if histograms == nil {
                        histograms = HistogramFold(
                            kind, evaluation, node.expression.source,
                            groups: grouping.groups.count, width: row.width)
                    }
                    histograms!.add(row, to: group, metric: input.rows[index].labels)
                } else {
                    noteIgnoredHistograms()
                }
            }
            if row.floats.isEmpty, !countsHistograms { return }
            if accumulators[group] == nil { accumulators[group] = make() }
            accumulators[group]!.add(row)
        }
        var result = Row(width: steps.count)
        for group in grouping.groups.indices {
            if result.width != steps.count { result = Row(width: steps.count) }
            result.clear()
            if let accumulator = accumulators[group] {
                accumulator.finish(into: &result.values)
                result.floats = accumulator.steps
                accumulators[group] = nil
            }
            histograms?.finish(group, into: &result)
            if result.isEmpty { continue }
            try consume(group, &result)
        }
    }

    private var countsHistograms: Bool { node.operation == .count || node.operation == .group }

    private func noteIgnoredHistograms() {
        if countsHistograms { return }
        evaluation.annotations.add(
            .ignoredHistogram(in: node.operation.rawValue, node.expression.source))
    }
}
