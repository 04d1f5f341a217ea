// SPDX-License-Identifier: Apache-2.0

internal import PromQLSyntax
internal import Storage

/// `quantile`: needs all values of a group and step at once.
struct QuantileOperator: VectorOperator {
    let evaluation: Evaluation
    let node: Aggregation
    let input: any VectorOperator
    let quantiles: [Double]
    private let grouping: Grouping

    var steps: Steps { input.steps }
    var rows: [RowLabels] { grouping.groups }

    init(
        _ evaluation: Evaluation, _ node: Aggregation, _ input: any VectorOperator,
        _ quantiles: [Double]
    ) {
        self.evaluation = evaluation
        self.node = node
        self.input = input
        self.quantiles = quantiles
        grouping = input.grouping(.of(node.grouping, without: node.isWithout))
    }

    func run(_ consume: RowConsumer) throws(QueryError) {
        var members = [[Row]](repeating: [], count: grouping.groups.count)
        let width = steps.count
        try input.run { (index, row) throws(QueryError) in
            if row.hasHistograms {
                evaluation.annotations.add(
                    .ignoredHistogram(in: "quantile", node.expression.source))
            }
            if row.floats.isEmpty { return }
            var kept = Row(width: width)
            swap(&kept, &row)
            members[grouping[index]].append(kept)
        }
        // Behind what the input notes: of equal texts, the last one gives the position.
        noteInvalidQuantiles()
        var result = Row(width: width)
        var values: [Double] = []
        for group in members.indices where !members[group].isEmpty {
            if result.width != width { result = Row(width: width) }
            result.clear()
            for step in 0..<width {
                try evaluation.checkpoint()
                values.removeAll(keepingCapacity: true)
                for row in members[group] where row.floats.contains(step) {
                    values.append(row.values[step])
                }
                if values.isEmpty { continue }
                result.setFloat(Quantile.of(&values, quantiles[step]), at: step)
            }
            members[group] = []
            try consume(group, &result)
        }
    }

    private func noteInvalidQuantiles() {
        guard let source = node.parameter?.source else { return }
        if quantiles.contains(where: \.isNaN) {
            return evaluation.annotations.add(.invalidQuantile(.nan, source))
        }
        if let greatest = quantiles.max(), greatest > 1 {
            evaluation.annotations.add(.invalidQuantile(greatest, source))
        }
        if let least = quantiles.min(), least < 0 {
            evaluation.annotations.add(.invalidQuantile(least, source))
        }
    }
}
