// SPDX-License-Identifier: Apache-2.0

internal import Model
internal import PromQLSyntax

/// A binary operation between a vector and a scalar: changes rows in place.
struct ScalarOperation {
    let evaluation: Evaluation
    let node: BinaryOperation
    let scalars: [Double]
    /// The scalar stands on the left.
    let isSwapped: Bool

    func evaluate(_ input: any VectorOperator) -> any VectorOperator {
        let dropsName = node.operation.changesMetric || node.returnsBool
        let rows = dropsName ? input.rows.map { evaluation.droppingName($0) } : input.rows
        return MapRows.over(input, named: rows) { row in apply(&row) }
    }

    private func apply(_ row: inout Row) {
        if row.hasHistograms { applyToHistograms(&row) }
        let operation = node.operation
        if operation.isComparison {
            let kept =
                isSwapped
                ? BinaryKernels.compare(operation, scalars, row.values)
                : BinaryKernels.compare(operation, row.values, scalars)
            if node.returnsBool {
                row.floats.forEach { row.values[$0] = kept.contains($0) ? 1 : 0 }
            } else {
                row.floats.formIntersection(kept)
            }
        } else if operation == .trimLower || operation == .trimUpper {
            if !row.floats.isEmpty {
                evaluation.annotations.add(
                    .incompatibleTypes("float", operation, "float", node.source))
            }
            row.floats.removeAll()
        } else {
            if isSwapped {
                BinaryKernels.compute(operation, left: scalars, with: &row.values)
            } else {
                BinaryKernels.compute(operation, &row.values, with: scalars)
            }
        }
    }

    private func applyToHistograms(_ row: inout Row) {
        var elements = HistogramElements(node)
        for step in row.histograms.indices {
            guard let histogram = row.histograms[step] else { continue }
            let own = (0.0, Optional(histogram))
            let scalar = (scalars[step], FloatHistogram?.none)
            let outcome = elements.apply(
                isSwapped ? scalar : own, isSwapped ? own : scalar, dropsCollisions: false)
            if let note = elements.note { evaluation.annotations.add(note) }
            if case .histogram(let value) = outcome {
                row.histograms[step] = value
            } else {
                row.histograms[step] = nil
            }
        }
        row.dropEmptyHistograms()
    }
}
