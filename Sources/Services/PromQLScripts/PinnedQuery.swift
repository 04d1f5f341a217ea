// SPDX-License-Identifier: Apache-2.0

internal import Model
internal import PromQLSyntax

/// A query whose selectors are pinned to one time with `@`, and the times at which it must give the
/// same answer.
struct PinnedQuery {
    let query: String
    let times: [Timestamp]

    /// nil where the answer depends on when the query is evaluated.
    init?(_ query: String, at time: Timestamp) {
        guard let expression = try? parseExpression(query, .all) else { return nil }
        var pinning = Pinning(time: time)
        let pinned = pinning.pinned(expression)
        if pinning.foundUnsafe { return nil }
        self.query = pinned.description
        times = time == 0 ? [-1000, 0, 1000] : [-10 * time, 0, time / 5, time, 10 * time]
    }

    /// Whether the text calls a function that tells about the query itself.
    static func dependsOnContext(_ query: String) -> Bool {
        ["start()", "end()", "range()", "step()"].contains { query.contains($0) }
    }
}

private struct Pinning {
    let time: Timestamp
    var foundUnsafe = false

    private static let unsafe: Set<Function> = [
        .daysInMonth, .dayOfMonth, .dayOfWeek, .dayOfYear, .end, .hour, .minute, .month, .year,
        .predictLinear, .range, .start, .step, .time, .timestamp,
    ]

    /// `start()` and `end()` give way to the time too. What stands in a subquery is left alone: it
    /// is evaluated at the subquery's own times.
    private func pinned(_ at: AtModifier?) -> AtModifier {
        if case .timestamp(let time) = at { return .timestamp(time) }
        return .timestamp(time)
    }

    mutating func pinned(_ expression: Expression, inSubquery: Bool = false) -> Expression {
        switch expression {
        case .number, .string: return expression
        case .vectorSelector(var node):
            if !inSubquery { node.at = pinned(node.at) }
            return .vectorSelector(node)
        case .matrixSelector(var node):
            if !inSubquery { node.selector.at = pinned(node.selector.at) }
            return .matrixSelector(node)
        case .subquery(var node):
            if !inSubquery { node.at = pinned(node.at) }
            node.expression = pinned(node.expression, inSubquery: true)
            return .subquery(node)
        case .call(var node):
            // Upstream does not look at the functions in a subquery either.
            if !inSubquery, Self.unsafe.contains(node.function) { foundUnsafe = true }
            node.arguments = node.arguments.map { pinned($0, inSubquery: inSubquery) }
            return .call(node)
        case .aggregation(var node):
            node.expression = pinned(node.expression, inSubquery: inSubquery)
            node.parameter = node.parameter.map { pinned($0, inSubquery: inSubquery) }
            return .aggregation(node)
        case .binary(var node):
            node.left = pinned(node.left, inSubquery: inSubquery)
            node.right = pinned(node.right, inSubquery: inSubquery)
            return .binary(node)
        case .unary(var node):
            node.expression = pinned(node.expression, inSubquery: inSubquery)
            return .unary(node)
        case .parenthesized(let inner, let source):
            return .parenthesized(pinned(inner, inSubquery: inSubquery), source)
        }
    }
}
