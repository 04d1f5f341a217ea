// SPDX-License-Identifier: Apache-2.0

internal import Model
internal import PromQLSyntax

/// One binary operation on the samples of two rows.
struct ElementOperation {
    private let node: BinaryOperation

    init(_ node: BinaryOperation) { self.node = node }

    /// The result, and the steps at which the samples went together, whether or not a comparison
    /// let them pass.
    struct Outcome {
        var row: Row
        var paired: StepSet
        /// What is to be said of the pairs of a step.
        var notes: [(step: Int, note: Annotation)] = []
    }

    /// `left` and `right` as written, at steps where both have a sample.
    func apply(_ left: Row, _ right: Row, at common: StepSet) -> Outcome {
        var outcome = Outcome(row: Row(width: left.width), paired: common)
        var floats = common
        if left.hasHistograms || right.hasHistograms {
            floats = common.intersection(left.floats).intersection(right.floats)
            applyToHistograms(left, right, common.subtracting(floats), &outcome)
        }
        if node.operation.isComparison {
            var kept = BinaryKernels.compare(node.operation, left.values, right.values)
            kept.formIntersection(floats)
            if node.returnsBool {
                floats.forEach { outcome.row.values[$0] = kept.contains($0) ? 1 : 0 }
            } else {
                outcome.row.values = left.values
                floats = kept
            }
        } else if node.operation == .trimLower || node.operation == .trimUpper {
            let note = Annotation.incompatibleTypes("float", node.operation, "float", node.source)
            floats.forEach { outcome.notes.append(($0, note)) }
            outcome.paired.subtract(floats)
            floats.removeAll()
        } else {
            BinaryKernels.compute(
                node.operation, left.values, right.values, into: &outcome.row.values)
        }
        outcome.row.floats.formUnion(floats)
        return outcome
    }

    private func applyToHistograms(
        _ left: Row, _ right: Row, _ steps: StepSet, _ outcome: inout Outcome
    ) {
        var elements = HistogramElements(node)
        steps.forEach { step in
            let first = left.hasHistograms ? left.histograms[step] : nil
            let second = right.hasHistograms ? right.histograms[step] : nil
            let result = elements.apply(
                (left.values[step], first), (right.values[step], second), dropsCollisions: true)
            if let note = elements.note { outcome.notes.append((step, note)) }
            switch result {
            case .none: outcome.paired.remove(step)
            case .number(let value): outcome.row.setFloat(value, at: step)
            case .histogram(let value): outcome.row.setHistogram(value, at: step)
            case .filtered: break
            }
        }
    }
}
