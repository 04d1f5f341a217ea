// SPDX-License-Identifier: Apache-2.0

internal import Model
internal import PromQLSyntax

extension Planner {
    /// 1 at each step at which the input has no sample. The labels are those that the selector asks
    /// to be equal to something, unless it says more than one thing about them.
    func absent(_ input: any VectorOperator, _ argument: Expression) throws(QueryError)
        -> any VectorOperator
    {
        var present = StepSet(capacity: input.steps.count)
        try input.run { (_, row) throws(QueryError) in present.formUnion(row.present) }
        var row = Row(width: input.steps.count)
        row.floats.insertAll()
        row.floats.subtract(present)
        row.floats.forEach { row.values[$0] = 1 }
        let result = Block(steps: input.steps)
        if !row.isEmpty { result.append(RowLabels(Self.impliedLabels(argument)), row) }
        return result
    }

    private static func impliedLabels(_ argument: Expression) -> Labels {
        let matchers: [Matcher]
        switch argument {
        case .vectorSelector(let selector): matchers = selector.matchers
        case .matrixSelector(let matrix): matchers = matrix.selector.matchers
        default: return .empty
        }
        var builder = LabelsBuilder()
        var seen: Set<String> = []
        for matcher in matchers where matcher.name != LabelName.metric {
            if matcher.operation == .equal, seen.insert(matcher.name).inserted {
                builder.set(matcher.name, matcher.value)
            } else {
                builder.remove(matcher.name)
            }
        }
        return builder.labels()
    }
}
