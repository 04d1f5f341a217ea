// SPDX-License-Identifier: Apache-2.0

internal import Model
internal import Storage

/// Takes the rows of an operator, one a call. The index says which of the operator's `rows` it is.
/// The row is lent: it may be changed or swapped against another of the same width.
typealias RowConsumer = (_ index: Int, _ row: inout Row) throws(QueryError) -> Void

/// Computes an instant vector for all steps at once, series by series.
///
/// The names of all rows are known before any sample is read, so that groups, signatures and
/// clashes of label sets are worked out once and not at every step.
protocol VectorOperator {
    var steps: Steps { get }
    /// One for each series that may have samples.
    var rows: [RowLabels] { get }
    /// The same in groups by what a cut leaves of their labels.
    func grouping(_ cut: LabelCut) -> Grouping
    /// Computes the rows and hands each that has a sample to `consume`, in ascending order. May be
    /// called once.
    func run(_ consume: RowConsumer) throws(QueryError)
}

extension VectorOperator {
    func grouping(_ cut: LabelCut) -> Grouping { Grouping(rows, cut) }
}

/// A vector that is complete in memory: the result of operations that need all their input at once.
final class Block: VectorOperator {
    let steps: Steps
    private(set) var rows: [RowLabels]
    private(set) var data: [Row]

    init(steps: Steps, rows: [RowLabels] = [], data: [Row] = []) {
        self.steps = steps
        self.rows = rows
        self.data = data
    }

    /// Runs an operator to its end and keeps the rows that have samples.
    init(_ input: any VectorOperator) throws(QueryError) {
        steps = input.steps
        if let block = input as? Block {
            rows = block.rows
            data = block.data
            return
        }
        var kept: [RowLabels] = []
        var data: [Row] = []
        let names = input.rows
        let width = steps.count
        try input.run { (index, row) throws(QueryError) in
            kept.append(names[index])
            data.append(Row(width: width))
            swap(&data[data.count - 1], &row)
        }
        rows = kept
        self.data = data
    }

    func append(_ labels: RowLabels, _ row: Row) {
        rows.append(labels)
        data.append(row)
    }

    func run(_ consume: RowConsumer) throws(QueryError) {
        for index in data.indices {
            var row = Row(width: 0)
            swap(&row, &data[index])
            if row.isEmpty { continue }
            try consume(index, &row)
        }
    }
}
