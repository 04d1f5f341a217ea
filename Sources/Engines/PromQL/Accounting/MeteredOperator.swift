// SPDX-License-Identifier: Apache-2.0

/// Counts the rows of an operator into the account of its node as they pass.
struct MeteredOperator: VectorOperator {
    private let input: any VectorOperator
    private let ledger: QueryLedger
    private let number: Int

    var steps: Steps { input.steps }
    var rows: [RowLabels] { input.rows }

    /// A vector that is complete in memory is counted at once and needs no operator around it.
    static func over(
        _ input: any VectorOperator, _ ledger: QueryLedger, _ number: Int
    ) throws(QueryError) -> any VectorOperator {
        guard let block = input as? Block else {
            return MeteredOperator(input: input, ledger: ledger, number: number)
        }
        for row in block.data where !row.isEmpty { try ledger.note(row, of: number) }
        try ledger.finish(number)
        return block
    }

    func run(_ consume: RowConsumer) throws(QueryError) {
        try input.run { (index, row) throws(QueryError) in
            try ledger.note(row, of: number)
            try consume(index, &row)
        }
        try ledger.finish(number)
    }
}
