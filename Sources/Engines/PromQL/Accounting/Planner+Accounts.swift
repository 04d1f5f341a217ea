// SPDX-License-Identifier: Apache-2.0

internal import PromQLSyntax

extension Planner {
    /// Plans the operator of a node, whose rows are counted as they come.
    func metered(
        _ rule: NodeAccount.Rule, _ steps: Steps, _ source: SourceRange,
        _ plan: () throws(QueryError) -> any VectorOperator
    ) throws(QueryError) -> any VectorOperator {
        let ledger = evaluation.ledger
        let number = ledger.open(rule, steps, source)
        let begin = ledger.recorder?.mark()
        let result = try plan()
        ledger.leave(number)
        let metered = try MeteredOperator.over(result, evaluation, number)
        if let begin { ledger.recorder?.add(since: begin, to: number) }
        return metered
    }

    /// Computes a scalar, which counts like a series.
    func meteredScalar(
        _ rule: NodeAccount.Rule, _ steps: Steps, _ source: SourceRange,
        _ compute: () throws(QueryError) -> [Double]
    ) throws(QueryError) -> [Double] {
        let ledger = evaluation.ledger
        let number = ledger.open(rule, steps, source)
        let begin = ledger.recorder?.mark()
        let values = try compute()
        ledger.leave(number)
        if let begin { ledger.recorder?.add(since: begin, to: number) }
        try ledger.noteScalar(of: number)
        try ledger.finish(number)
        return values
    }
}

extension NodeAccount.Rule {
    /// How upstream counts samples while it evaluates an expression.
    static func of(_ expression: Expression) -> NodeAccount.Rule {
        switch expression {
        // Interpolated samples do not count as read.
        case .vectorSelector(let selector):
            selector.rangeExtension == .smoothed ? .inPlace : .selector
        case .call(let call): of(call)
        case .aggregation(let node): node.operation == .countValues ? .stepwise : .aggregation
        case .unary, .parenthesized: .inPlace
        case .binary, .number, .string, .matrixSelector, .subquery: .stepwise
        }
    }

    private static func of(_ call: Call) -> NodeAccount.Rule {
        if call.function == .absentOverTime { return .absentOverTime }
        if RangeFunction(call.function) != nil { return .rangeFunction }
        switch call.function {
        case .labelReplace, .labelJoin: return .inPlace
        case .info: return .info
        case .timestamp, .startTimestamp:
            if case .vectorSelector? = call.arguments.first?.unwrapped { return .sampleTimes }
            return .stepwise
        default: return .stepwise
        }
    }
}
