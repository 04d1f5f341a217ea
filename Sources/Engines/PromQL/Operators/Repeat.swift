// SPDX-License-Identifier: Apache-2.0

/// Repeats the single step of its input at every step: the value of an expression whose selectors
/// carry `@` modifiers.
struct Repeat: VectorOperator {
    let input: any VectorOperator
    let steps: Steps

    var rows: [RowLabels] { input.rows }

    func run(_ consume: RowConsumer) throws(QueryError) {
        var wide = Row(width: steps.count)
        try input.run { (index, row) throws(QueryError) in
            wide.clear()
            if row.floats.contains(0) {
                wide.floats.insertAll()
                for step in wide.values.indices { wide.values[step] = row.values[0] }
            } else if let histogram = row.histograms[0] {
                wide.histograms = [_](repeating: histogram, count: steps.count)
            }
            try consume(index, &wide)
            if wide.width != steps.count { wide = Row(width: steps.count) }
        }
    }
}
