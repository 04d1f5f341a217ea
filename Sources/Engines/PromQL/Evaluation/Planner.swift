// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import Model
internal import PromQLSyntax
internal import Storage

/// Turns an expression into operators for given steps. A new kind of node does not compile until it
/// has an operator here.
final class Planner {
    let evaluation: Evaluation
    let durations: DurationResolver
    private var selections = SelectionCache()
    /// Whether selectors are to give histograms without their buckets.
    var histogramDetail = HistogramDetail()
    /// What the selector that is being planned is to show.
    private var selectorOutput = InstantSelect.Output.sample

    init(_ evaluation: Evaluation) {
        self.evaluation = evaluation
        durations = DurationResolver(evaluation.bounds)
    }

    /// An instant vector at every step. What is the same at every step is computed once.
    func vector(_ expression: Expression, _ steps: Steps) throws(QueryError) -> any VectorOperator {
        try evaluation.checkpoint()
        if steps.count == 0 { return Block(steps: steps) }
        try refuseTooMany(steps)
        if case .parenthesized(let inner, _) = expression { return try vector(inner, steps) }
        if steps.count > 1, StepInvariance.isWorthHoisting(expression) {
            return try metered(.repeated, steps, expression.source) { () throws(QueryError) in
                Repeat(input: try vector(expression, steps.first), steps: steps)
            }
        }
        return try metered(.of(expression), steps, expression.source) { () throws(QueryError) in
            try plan(expression, steps)
        }
    }

    private func plan(_ expression: Expression, _ steps: Steps) throws(QueryError)
        -> any VectorOperator
    {
        switch expression {
        case .vectorSelector(let selector): return try select(selector, steps, selectorOutput)
        case .call(let call): return try self.call(call, steps)
        case .aggregation(let node): return try aggregate(node, steps)
        case .binary(let node): return try binary(node, steps)
        case .unary(let node):
            let input = try vector(node.expression, steps)
            return node.isNegation ? negate(input) : input
        case .parenthesized(let inner, _): return try vector(inner, steps)
        case .number, .string, .matrixSelector, .subquery:
            throw QueryError(.invalid, "unexpected expression of type \(expression.type.rawValue)")
        }
    }

    /// A scalar at every step.
    func scalar(_ expression: Expression, _ steps: Steps) throws(QueryError) -> [Double] {
        try evaluation.checkpoint()
        if steps.count == 0 { return [] }
        try refuseTooMany(steps)
        if case .parenthesized(let inner, _) = expression { return try scalar(inner, steps) }
        if steps.count > 1, StepInvariance.isWorthHoisting(expression) {
            return try meteredScalar(.repeated, steps, expression.source) { () throws(QueryError) in
                let value = try scalar(expression, steps.first)[0]
                return [Double](repeating: value, count: steps.count)
            }
        }
        return try meteredScalar(.of(expression), steps, expression.source) {
            () throws(QueryError) in
            try compute(expression, steps)
        }
    }

    /// A scalar that stands behind a vector, which is not computed before its rows are asked for.
    /// Operands are evaluated in their order: where both fail, the vector's error is the answer.
    func scalar(
        _ expression: Expression, _ steps: Steps, behind input: any VectorOperator
    ) throws(QueryError) -> [Double] {
        do throws(QueryError) {
            return try scalar(expression, steps)
        } catch {
            try input.run { (_, _) throws(QueryError) in }
            throw error
        }
    }

    private func compute(_ expression: Expression, _ steps: Steps) throws(QueryError) -> [Double] {
        switch expression {
        case .number(let literal): return [Double](repeating: literal.value, count: steps.count)
        case .parenthesized(let inner, _): return try scalar(inner, steps)
        case .unary(let node):
            let values = try scalar(node.expression, steps)
            return node.isNegation ? values.map { -$0 } : values
        case .binary(let node):
            let left = try scalar(node.left, steps)
            return BinaryKernels.scalars(node.operation, left, try scalar(node.right, steps))
        case .call(let call): return try scalarCall(call, steps)
        case .string, .vectorSelector, .matrixSelector, .subquery, .aggregation:
            throw QueryError(.invalid, "unexpected expression of type \(expression.type.rawValue)")
        }
    }

    /// A row has room for every step, so that their number is bounded like that of samples.
    private func refuseTooMany(_ steps: Steps) throws(QueryError) {
        if steps.count > evaluation.ledger.budget.limit { throw .tooManySamples }
        // The values of a row, and the times beside them.
        try evaluation.memory.check(adding: steps.count * 16)
    }

    private func negate(_ input: any VectorOperator) -> any VectorOperator {
        let rows = input.rows.map { evaluation.droppingName($0) }
        return MapRows.over(input, named: rows) { row in
            for step in row.values.indices { row.values[step] = -row.values[step] }
            row.mapHistograms { $0.scaled(by: -1) }
        }
    }

    private func binary(_ node: BinaryOperation, _ steps: Steps) throws(QueryError)
        -> any VectorOperator
    {
        let trims = node.operation == .trimLower || node.operation == .trimUpper
        let outer = histogramDetail
        if trims { histogramDetail.needsBuckets = true }
        defer { histogramDetail = outer }
        switch (node.left.type, node.right.type) {
        case (.scalar, _):
            let scalars = try scalar(node.left, steps)
            return ScalarOperation(
                evaluation: evaluation, node: node, scalars: scalars, isSwapped: true
            ).evaluate(try vector(node.right, steps))
        case (_, .scalar):
            let input = try vector(node.left, steps)
            let scalars = try scalar(node.right, steps, behind: input)
            return ScalarOperation(
                evaluation: evaluation, node: node, scalars: scalars, isSwapped: false
            ).evaluate(input)
        default:
            let left = try Block(try vector(node.left, steps))
            let right = try Block(try vector(node.right, steps))
            let matching = node.matching ?? VectorMatching()
            if node.operation.isSet {
                return SetOperation.evaluate(node.operation, matching, left, right)
            }
            var match = VectorMatch(evaluation, node, matching, left, right)
            return try match.evaluate()
        }
    }

    private func aggregate(_ node: Aggregation, _ steps: Steps) throws(QueryError)
        -> any VectorOperator
    {
        var node = node
        node.expression = node.expression.unwrapped
        node.parameter = node.parameter?.unwrapped
        switch node.operation {
        case .count, .group:
            return FoldOperator(evaluation, node, try presence(node.expression, steps))
        case .sum, .avg, .min, .max, .stddev, .stdvar:
            return FoldOperator(evaluation, node, try vector(node.expression, steps))
        case .topk, .bottomk, .limitk, .limitRatio:
            let parameters = try parameters(of: node, steps)
            let input = try vector(node.expression, steps)
            return try RankOperator(evaluation, node, input, parameters)
        case .quantile:
            let parameters = try parameters(of: node, steps)
            let input = try vector(node.expression, steps)
            return QuantileOperator(evaluation, node, input, parameters)
        case .countValues:
            guard case .string(let label)? = node.parameter, !label.bytes.isEmpty,
                String(validating: label.bytes, as: UTF8.self) != nil
            else {
                let text = node.parameter.map { parameter in
                    if case .string(let label) = parameter { return quoted(label.bytes.raw) }
                    return ""
                }
                throw .execution("invalid label name \(text ?? "")")
            }
            return try CountValues.evaluate(
                evaluation, node, label: label.value, try vector(node.expression, steps))
        }
    }

    /// A vector of which only counts where it has samples.
    func presence(
        _ expression: Expression, _ steps: Steps
    ) throws(QueryError) -> any VectorOperator {
        if case .vectorSelector = expression.unwrapped { selectorOutput = .presence }
        defer { selectorOutput = .sample }
        return try vector(expression, steps)
    }

    private func parameters(of node: Aggregation, _ steps: Steps) throws(QueryError) -> [Double] {
        guard let parameter = node.parameter else {
            return [Double](repeating: 0, count: steps.count)
        }
        return try scalar(parameter, steps)
    }

    func selection(_ matchers: [Matcher], over range: TimeRange) throws(QueryError) -> Selection {
        try selections.selection(of: matchers, over: range, evaluation)
    }
}
