// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import Model
internal import PromQLSyntax

/// `count_values`: how often each value occurs in each group; the value becomes a label.
enum CountValues {
    private struct Key: Hashable {
        let group: Int
        let value: String
    }

    static func evaluate(
        _ evaluation: Evaluation, _ node: Aggregation, label: String, _ input: any VectorOperator
    ) throws(QueryError) -> Block {
        // The label of the value replaces one of the same name before rows are grouped.
        let names = node.isWithout ? node.grouping + [label] : node.grouping.filter { $0 != label }
        let grouping = Grouping(input.rows, by: names, without: node.isWithout)
        let keepsValue =
            !node.isWithout
            || !(node.grouping.contains { isEqualBytewise($0, label) } || label == LabelName.metric)
        var slots: [Key: Int] = [:]
        let block = Block(steps: input.steps)
        var counted: [Row] = []
        var labels: [RowLabels] = []
        func count(_ group: Int, _ value: String, _ step: Int) throws(QueryError) {
            let key = Key(group: group, value: keepsValue ? value : "")
            var slot = slots[key]
            if slot == nil {
                try evaluation.checkpoint()
                slot = counted.count
                slots[key] = slot
                counted.append(Row(width: input.steps.count))
                let base = grouping.groups[group].labels
                labels.append(RowLabels(keepsValue ? base.setting(label, value) : base))
            }
            let known = counted[slot!].floats.contains(step) ? counted[slot!].values[step] : 0
            counted[slot!].setFloat(known + 1, at: step)
        }
        try input.run { (index, row) throws(QueryError) in
            let group = grouping.groupOf[index]
            var last: (bits: UInt64, text: String)?
            try row.floats.forEach { (step) throws(QueryError) in
                let value = row.values[step]
                if last?.bits != value.bitPattern {
                    last = (value.bitPattern, formatFloat(value, style: .plain))
                }
                try count(group, last!.text, step)
            }
            for (step, histogram) in row.histograms.enumerated() {
                if let histogram { try count(group, histogram.description, step) }
            }
        }
        for (row, labels) in zip(counted, labels) {
            block.append(labels, row)
        }
        return block
    }
}
