// SPDX-License-Identifier: Apache-2.0
//
// Arithmetic and comparisons between two vectors.
//
// Sides are turned so that the right one is the "one" side: of its series with one signature at
// most one may have a sample at a step. Pairs of rows with equal signatures are combined column by
// column; all rules about who may match whom are intersections of bitmaps:
//
//   - two right rows of one signature share a step                 → duplicate on the "one" side
//   - a second left row of a signature pairs up at a taken step    → matching must be explicit
//   - with group_left, at a step taken by equal result labels      → labels must be unique
//   - two signatures give equal labels at one step                 → same labelset
//
// Upstream goes from step to step and ends at the first that breaks a rule. So the rows are all
// combined, and of the conflicts among them the one of the earliest step is told.

internal import Bytes
internal import Model
internal import PromQLSyntax

struct VectorMatch {
    let evaluation: Evaluation
    let node: BinaryOperation
    let matching: VectorMatching
    /// The "many" side and the "one" side.
    let left: Block
    let right: Block
    private let isSwapped: Bool
    private let signatures: Signatures
    private let builder: ResultLabels
    private let width: Int
    /// One-to-one: by signature; else by signature and result labels.
    private var taken: [StepSet?]
    private var takenByLabels: [TakenKey: StepSet] = [:]
    private var table = LabelSetTable()
    private var conflict: MatchConflict?
    /// Upstream keeps what there is to say of one pair for each step: the last.
    private var notes: [Int: Annotation] = [:]
    private var results: [Row] = []
    private var names: [RowLabels] = []

    private struct TakenKey: Hashable {
        let signature: Int
        let slot: Int
    }

    init(
        _ evaluation: Evaluation, _ node: BinaryOperation, _ matching: VectorMatching,
        _ first: Block, _ second: Block
    ) {
        self.evaluation = evaluation
        self.node = node
        self.matching = matching
        isSwapped = matching.cardinality == .oneToMany
        left = isSwapped ? second : first
        right = isSwapped ? first : second
        signatures = Signatures(matching, left: left.rows, right: right.rows)
        builder = ResultLabels(
            node, matching,
            dropsName: node.returnsBool && !evaluation.delaysNameRemoval)
        width = left.steps.count
        taken = [StepSet?](repeating: nil, count: signatures.count)
    }

    mutating func evaluate() throws(QueryError) -> Block {
        let result = Block(steps: left.steps)
        // At a step without any sample on a side nothing happens, unless there are fill values.
        var active = left.anyPresent
        if matching.fillLeft == nil, matching.fillRight == nil {
            active.formIntersection(right.anyPresent)
        } else {
            active.formUnion(right.anyPresent)
        }
        if active.isEmpty { return result }

        var candidates = [[Int]](repeating: [], count: signatures.count)
        for (row, signature) in signatures.right.enumerated() {
            candidates[signature].append(row)
        }
        findDuplicates(candidates, active)
        for index in left.rows.indices {
            try evaluation.checkpoint()
            try matchLeft(index, candidates[signatures.left[index]])
        }
        if let fill = matching.fillLeft { fillLeft(fill) }
        if let conflict { throw conflict.error }
        for (_, note) in notes.sorted(by: { $0.key < $1.key }) { evaluation.annotations.add(note) }
        for (slot, row) in results.enumerated() where !row.isEmpty {
            result.append(names[slot], row)
        }
        return result
    }

    private mutating func matchLeft(_ index: Int, _ candidates: [Int]) throws(QueryError) {
        let signature = signatures.left[index]
        let row = left.data[index]
        var unmatched = row.present
        for candidate in candidates {
            let other = right.data[candidate]
            let common = row.present.intersection(other.present)
            if common.isEmpty { continue }
            try evaluation.checkpoint()
            unmatched.subtract(common)
            pair(
                (left.rows[index].labels, row), (right.rows[candidate].labels, other), common,
                signature)
        }
        guard let fill = matching.fillRight, !unmatched.isEmpty else { return }
        let labels = matching.matchLabels(of: left.rows[index].labels)
        pair(
            (left.rows[index].labels, row), (labels, constant(fill)), unmatched, signature)
    }

    /// The right rows at steps where nothing matched them.
    private mutating func fillLeft(_ fill: Double) {
        for (index, signature) in signatures.right.enumerated() {
            let row = right.data[index]
            var unmatched = row.present
            if let taken = taken[signature] { unmatched.subtract(taken) }
            if unmatched.isEmpty { continue }
            let labels = matching.matchLabels(of: right.rows[index].labels)
            pair(
                (labels, constant(fill)), (right.rows[index].labels, row), unmatched, signature)
        }
    }

    private func constant(_ value: Double) -> Row {
        var row = Row(width: width)
        for step in 0..<width { row.values[step] = value }
        row.floats.insertAll()
        return row
    }

    private mutating func pair(
        _ left: (labels: Labels, row: Row), _ right: (labels: Labels, row: Row),
        _ common: StepSet, _ signature: Int
    ) {
        let (first, second) =
            isSwapped ? (right.row, left.row) : (left.row, right.row)
        let outcome = ElementOperation(node).apply(first, second, at: common)
        for (step, note) in outcome.notes { notes[step] = note }
        let labels = builder.make(left.labels, right.labels)
        let (slot, isNew) = table.insert(labels)
        if isNew {
            results.append(Row(width: width))
            names.append(RowLabels(labels, dropsName: node.returnsBool))
        }
        take(signature, slot, outcome.paired)
        if results[slot].present.intersects(outcome.row.present) {
            let steps = results[slot].present.intersection(outcome.row.present)
            note(.sameLabelset, steps, .equalResults)
        }
        results[slot].merge(outcome.row)
    }

    private mutating func take(_ signature: Int, _ slot: Int, _ steps: StepSet) {
        if matching.cardinality == .oneToOne {
            if let before = taken[signature], before.intersects(steps) {
                note(.implicitManyToOne, before.intersection(steps), .severalMatches)
            }
        } else {
            let key = TakenKey(signature: signature, slot: slot)
            let before = takenByLabels[key]
            if let before, before.intersects(steps) {
                note(.ambiguousGrouping, before.intersection(steps), .severalMatches)
            }
            takenByLabels[key] = before?.union(steps) ?? steps
        }
        taken[signature] = taken[signature]?.union(steps) ?? steps
    }

    private mutating func note(
        _ error: @autoclosure () -> QueryError, _ steps: StepSet, _ rule: MatchConflict.Rule
    ) {
        guard let step = steps.first else { return }
        if let conflict, (conflict.step, conflict.rule.rawValue) <= (step, rule.rawValue) { return }
        conflict = MatchConflict(step: step, rule: rule, error: error())
    }

    /// Two samples of the "one" side with one signature at one step are an error even if nothing
    /// matches them. Of several at the earliest step, the first series is told.
    private mutating func findDuplicates(_ candidates: [[Int]], _ active: StepSet) {
        var found: (step: Int, first: Int, second: Int)?
        for rows in candidates where rows.count > 1 {
            var seen = StepSet(capacity: width)
            for row in rows {
                let present = right.data[row].present.intersection(active)
                let common = present.intersection(seen)
                if let step = common.first,
                    found == nil || (step, row) < (found!.step, found!.second)
                {
                    let first = rows.first { right.data[$0].present.contains(step) }
                    found = (step, first!, row)
                }
                seen.formUnion(present)
            }
        }
        guard let found else { return }
        let first = right.rows[found.first].labels
        let second = right.rows[found.second].labels
        conflict = MatchConflict(
            step: found.step, rule: .duplicates,
            error: .duplicateSeries(first, second, matching, isOnLeft: isSwapped))
    }
}

extension Block {
    /// The steps at which any row has a sample.
    var anyPresent: StepSet {
        var steps = StepSet(capacity: self.steps.count)
        for row in data { steps.formUnion(row.present) }
        return steps
    }
}

/// The labels of the result of two matched series.
struct ResultLabels {
    private let reserved: LabelNameSet?
    private let matched: LabelNameSet?
    private let isOn: Bool
    private let include: [String]

    init(_ node: BinaryOperation, _ matching: VectorMatching, dropsName: Bool) {
        let names = [LabelName.metric, LabelName.type, LabelName.unit]
        reserved = node.operation.changesMetric || dropsName ? LabelNameSet(names) : nil
        matched = matching.cardinality == .oneToOne ? LabelNameSet(matching.labels) : nil
        isOn = matching.isOn
        include = matching.include
    }

    func make(_ left: Labels, _ right: Labels) -> Labels {
        var result = left
        if let reserved {
            var packed: [UInt8] = []
            reserved.appendOthers(of: result, to: &packed)
            result = Labels(packed: packed)
        }
        if let matched {
            var packed: [UInt8] = []
            if isOn {
                matched.appendMembers(of: result, to: &packed)
            } else {
                matched.appendOthers(of: result, to: &packed)
            }
            result = Labels(packed: packed)
        }
        for name in include { result = result.setting(name, right[name] ?? "") }
        return result
    }
}
