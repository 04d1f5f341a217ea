// SPDX-License-Identifier: Apache-2.0

internal import PromQLSyntax

/// `and`, `or`, `unless`: decide by presence alone, 64 steps at a time.
enum SetOperation {
    static func evaluate(
        _ operation: BinaryOperator, _ matching: VectorMatching, _ left: Block, _ right: Block
    ) -> any VectorOperator {
        let signatures = Signatures(matching, left: left.rows, right: right.rows)
        let none = StepSet(capacity: left.steps.count)
        var present = [StepSet](repeating: none, count: signatures.count)
        let isOr = operation == .or
        let (deciding, numbers) =
            isOr ? (left, signatures.left) : (right, signatures.right)
        for (row, signature) in numbers.enumerated() {
            present[signature].formUnion(deciding.data[row].present)
        }
        let result = Block(steps: left.steps)
        if isOr {
            for (labels, row) in zip(left.rows, left.data) { result.append(labels, row) }
            for (index, labels) in right.rows.enumerated() {
                var row = right.data[index]
                row.keepOnly(row.present.subtracting(present[signatures.right[index]]))
                if !row.isEmpty { result.append(labels, row) }
            }
            guard let slots = MergeRows.slots(of: result.rows) else { return result }
            return MergeRows(input: result, slots: slots)
        }
        for (index, labels) in left.rows.enumerated() {
            var row = left.data[index]
            let other = present[signatures.left[index]]
            let own = row.present
            row.keepOnly(
                operation == .and ? own.intersection(other) : own.subtracting(other))
            if !row.isEmpty { result.append(labels, row) }
        }
        return result
    }
}
