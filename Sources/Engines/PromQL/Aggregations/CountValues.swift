// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import Model
internal import PromQLSyntax
internal import Storage

/// `count_values`: how often each value occurs in each group; the value becomes a label.
enum CountValues {
    private struct Key: Hashable {
        let group: Int
        let value: String
    }

    static func evaluate(
        _ evaluation: Evaluation, _ node: Aggregation, label: String, _ input: any VectorOperator
    ) throws(QueryError) -> any VectorOperator {
        // The label of the value replaces one of the same name before rows are grouped.
        let names = node.isWithout ? node.grouping + [label] : node.grouping.filter { $0 != label }
        let grouping = input.grouping(.of(names, without: node.isWithout))
        let keepsValue =
            !node.isWithout
            || !(node.grouping.contains { isEqualBytewise($0, label) } || label == LabelName.metric)
        var slots: [Key: Int] = [:]
        let counted = CountedValues(steps: input.steps)
        func count(_ group: Int, _ value: String, _ step: Int) throws(QueryError) {
            let key = Key(group: group, value: keepsValue ? value : "")
            var slot = slots[key]
            if slot == nil {
                try evaluation.checkpoint()
                let base = grouping.groups[group].labels
                slot = counted.add(RowLabels(keepsValue ? base.setting(label, value) : base))
                slots[key] = slot
            }
            counted.count(slot!, step)
        }
        try input.run { (index, row) throws(QueryError) in
            let group = grouping[index]
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
        return counted
    }
}

/// How often each value occurs at each step. Most values of a query over many steps occur at few of
/// them, so a row is a list of steps until it is worth a column.
private final class CountedValues: VectorOperator {
    private struct Counts {
        /// Ascending.
        var steps: [Int32] = []
        var counts: [UInt32] = []
        /// A place in `columns`, from where the lists are empty.
        var column: Int?
    }

    let steps: Steps
    private(set) var rows: [RowLabels] = []
    private var counts: [Counts] = []
    private var columns: [Row] = []

    init(steps: Steps) { self.steps = steps }

    /// The number of a new value.
    func add(_ labels: RowLabels) -> Int {
        rows.append(labels)
        counts.append(Counts())
        return counts.count - 1
    }

    func count(_ number: Int, _ step: Int) {
        if let column = counts[number].column {
            let known = columns[column].floats.contains(step) ? columns[column].values[step] : 0
            return columns[column].setFloat(known + 1, at: step)
        }
        let place = place(of: Int32(step), in: counts[number].steps)
        if place < counts[number].steps.count, counts[number].steps[place] == step {
            counts[number].counts[place] += 1
            return
        }
        counts[number].steps.insert(Int32(step), at: place)
        counts[number].counts.insert(1, at: place)
        // A column takes eight bytes a step and some, a list as much for each of its own.
        guard counts[number].steps.count > steps.count / 4 else { return }
        var row = Row(width: steps.count)
        fill(&row, counts[number])
        columns.append(row)
        counts[number] = Counts(column: columns.count - 1)
    }

    /// Where a step is in a list or would be; it mostly comes last.
    private func place(of step: Int32, in steps: [Int32]) -> Int {
        guard let last = steps.last, last >= step else { return steps.count }
        var low = 0
        var high = steps.count
        while low < high {
            let middle = (low + high) / 2
            if steps[middle] < step { low = middle + 1 } else { high = middle }
        }
        return low
    }

    private func fill(_ row: inout Row, _ counts: Counts) {
        for (step, count) in zip(counts.steps, counts.counts) {
            row.setFloat(Double(count), at: Int(step))
        }
    }

    func run(_ consume: RowConsumer) throws(QueryError) {
        var scratch = Row(width: steps.count)
        for number in counts.indices {
            if let column = counts[number].column {
                var row = Row(width: 0)
                swap(&row, &columns[column])
                try consume(number, &row)
                continue
            }
            if scratch.width != steps.count { scratch = Row(width: steps.count) }
            scratch.clear()
            fill(&scratch, counts[number])
            try consume(number, &scratch)
        }
    }
}
