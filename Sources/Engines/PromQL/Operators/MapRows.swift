// SPDX-License-Identifier: Apache-2.0

/// Changes the rows of its input one by one: functions of single values, operations with a scalar,
/// negation, renaming. No row is kept.
struct MapRows: VectorOperator {
    let input: any VectorOperator
    let rows: [RowLabels]
    let change: (inout Row) -> Void

    var steps: Steps { input.steps }

    func run(_ consume: RowConsumer) throws(QueryError) {
        try input.run { (index, row) throws(QueryError) in
            change(&row)
            if !row.isEmpty { try consume(index, &row) }
        }
    }

    /// The input with changed rows and names. Where the new names clash, the rows of equal names
    /// become one, as long as they have no step in common.
    static func over(
        _ input: any VectorOperator, named rows: [RowLabels],
        _ change: @escaping (inout Row) -> Void
    ) -> any VectorOperator {
        let mapped = MapRows(input: input, rows: rows, change: change)
        guard let slots = MergeRows.slots(of: rows) else { return mapped }
        return MergeRows(input: mapped, slots: slots)
    }
}

/// Makes one row of those with equal labels. Two samples at the same step are an error.
struct MergeRows: VectorOperator {
    let input: any VectorOperator
    let rows: [RowLabels]
    private let slots: [Int]

    /// Which of the distinct label sets each row has; nil where all are distinct.
    static func slots(of rows: [RowLabels]) -> [Int]? {
        guard rows.count > 1 else { return nil }
        var table = LabelSetTable(expecting: rows.count)
        var slots: [Int] = []
        slots.reserveCapacity(rows.count)
        for row in rows { slots.append(table.insert(row.labels).number) }
        return table.count == rows.count ? nil : slots
    }

    init(input: any VectorOperator, slots: [Int]) {
        self.input = input
        self.slots = slots
        var rows: [RowLabels] = []
        for (index, slot) in slots.enumerated() where slot == rows.count {
            rows.append(input.rows[index])
        }
        self.rows = rows
    }

    var steps: Steps { input.steps }

    func run(_ consume: RowConsumer) throws(QueryError) {
        var merged = [Row?](repeating: nil, count: rows.count)
        let width = steps.count
        try input.run { (index, row) throws(QueryError) in
            let slot = slots[index]
            if merged[slot] == nil {
                var empty = Row(width: width)
                swap(&empty, &row)
                merged[slot] = empty
            } else {
                if merged[slot]!.present.intersects(row.present) { throw .sameLabelset }
                merged[slot]!.merge(row)
            }
        }
        for index in merged.indices {
            guard var row = merged[index] else { continue }
            merged[index] = nil
            try consume(index, &row)
        }
    }
}
