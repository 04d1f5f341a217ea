// SPDX-License-Identifier: Apache-2.0

internal import Model
internal import PromQLSyntax

/// Sums or averages of the histograms of groups, beside those of their floats.
struct HistogramFold {
    enum Kind { case sum, average }

    private let evaluation: Evaluation

    init(
        _ kind: Kind, _ evaluation: Evaluation, _ source: SourceRange, groups: Int, width: Int
    ) {
        self.evaluation = evaluation
    }

    mutating func add(_ row: borrowing Row, to group: Int, metric: Labels) {}

    func finish(_ group: Int, into row: inout Row) {}
}
