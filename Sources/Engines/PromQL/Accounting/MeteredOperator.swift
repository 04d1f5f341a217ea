// SPDX-License-Identifier: Apache-2.0

internal import Storage

/// Counts the rows of an operator into the account of its node as they pass.
struct MeteredOperator: VectorOperator {
    let input: any VectorOperator
    let number: Int
    private let evaluation: Evaluation

    private var ledger: QueryLedger { evaluation.ledger }
    var steps: Steps { input.steps }
    var rows: [RowLabels] { input.rows }

    func grouping(_ cut: LabelCut) -> Grouping { input.grouping(cut) }

    /// A vector that is complete in memory is counted at once and needs no operator around it.
    static func over(
        _ input: any VectorOperator, _ evaluation: Evaluation, _ number: Int
    ) throws(QueryError) -> any VectorOperator {
        guard let block = input as? Block else {
            return MeteredOperator(input: input, number: number, evaluation: evaluation)
        }
        let ledger = evaluation.ledger
        for row in block.data where !row.isEmpty { try ledger.note(row, of: number) }
        try ledger.finish(number)
        return block
    }

    func run(_ consume: RowConsumer) throws(QueryError) {
        if let recorder = ledger.recorder {
            try run(recorder, consume)
        } else {
            try input.run { (index, row) throws(QueryError) in
                try note(row)
                try consume(index, &row)
            }
        }
        try ledger.finish(number)
    }

    func note(_ row: borrowing Row) throws(QueryError) {
        try evaluation.checkpoint()
        try ledger.note(row, of: number)
    }
}
