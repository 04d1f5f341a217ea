// SPDX-License-Identifier: Apache-2.0

internal import Model
internal import PromQLSyntax

/// One binary operation on the samples of two rows.
struct ElementOperation {
    private let node: BinaryOperation
    private let evaluation: Evaluation

    init(_ node: BinaryOperation, _ evaluation: Evaluation) {
        self.node = node
        self.evaluation = evaluation
    }

    /// The result, and the steps at which the samples went together, whether or not a comparison
    /// let them pass.
    struct Outcome {
        var row: Row
        var paired: StepSet
    }

    /// `left` and `right` as written, at steps where both have a sample.
    func apply(_ left: Row, _ right: Row, at common: StepSet) -> Outcome {
        var row = Row(width: left.width)
        var paired = common
        var floats = common
        if left.hasHistograms || right.hasHistograms {
            floats = common.intersection(left.floats).intersection(right.floats)
            applyToHistograms(left, right, common.subtracting(floats), &row, &paired)
        }
        if node.operation.isComparison {
            var kept = BinaryKernels.compare(node.operation, left.values, right.values)
            kept.formIntersection(floats)
            if node.returnsBool {
                floats.forEach { row.values[$0] = kept.contains($0) ? 1 : 0 }
            } else {
                row.values = left.values
                floats = kept
            }
        } else if node.operation == .trimLower || node.operation == .trimUpper {
            if !floats.isEmpty {
                evaluation.annotations.add(
                    .incompatibleTypes("float", node.operation, "float", node.source))
            }
            paired.subtract(floats)
            floats.removeAll()
        } else {
            BinaryKernels.compute(node.operation, left.values, right.values, into: &row.values)
        }
        row.floats.formUnion(floats)
        return Outcome(row: row, paired: paired)
    }

    private func applyToHistograms(
        _ left: Row, _ right: Row, _ steps: StepSet, _ row: inout Row, _ paired: inout StepSet
    ) {
        let elements = HistogramElements(node, evaluation)
        steps.forEach { step in
            let first = left.hasHistograms ? left.histograms[step] : nil
            let second = right.hasHistograms ? right.histograms[step] : nil
            let outcome = elements.apply(
                (left.values[step], first), (right.values[step], second), dropsCollisions: true)
            switch outcome {
            case .none: paired.remove(step)
            case .number(let value): row.setFloat(value, at: step)
            case .histogram(let value): row.setHistogram(value, at: step)
            case .filtered: break
            }
        }
    }
}
