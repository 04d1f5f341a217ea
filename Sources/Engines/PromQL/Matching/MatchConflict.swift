// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import Model
internal import PromQLSyntax

/// The step at which a rule of matching is broken first.
struct MatchConflict {
    /// The rules in the order in which upstream looks at them at each step.
    enum Rule: Int {
        case duplicates
        case severalMatches
        case equalResults
    }

    let step: Int
    let rule: Rule
    let error: QueryError
}

extension QueryError {
    static let implicitManyToOne = execution(
        "multiple matches for labels: many-to-one matching must be explicit "
            + "(group_left/group_right)")
    static let ambiguousGrouping = execution(
        "multiple matches for labels: grouping labels must ensure unique matches")

    static func duplicateSeries(
        _ first: Labels, _ second: Labels, _ matching: VectorMatching, isOnLeft: Bool
    ) -> QueryError {
        let texts = [first.description, second.description].sorted(by: isOrderedBytewise)
        return execution(
            "found duplicate series for the match group \(matching.matchLabels(of: second)) on the "
                + "\(isOnLeft ? "left" : "right") hand-side of the operation: "
                + "[\(texts[0]), \(texts[1])];many-to-many matching not allowed: "
                + "matching labels must be unique on one side")
    }
}
