// SPDX-License-Identifier: Apache-2.0

internal import PromQLSyntax

/// Whether an expression has the same value at every step, since all its selectors carry an `@`
/// modifier. Such a part of a query is evaluated for its first step and the result repeated.
enum StepInvariance {
    /// Whether the value is the same at every step.
    static func holds(for expression: Expression) -> Bool {
        switch expression {
        case .number, .string: true
        case .vectorSelector(let selector): selector.at != nil
        case .matrixSelector(let matrix): matrix.selector.at != nil
        case .subquery(let subquery): subquery.at != nil
        // As upstream, the parameter has no say.
        case .aggregation(let aggregation): holds(for: aggregation.expression.unwrapped)
        // The right side first: chains are long on the left.
        case .binary(let operation): holds(for: operation.right) && holds(for: operation.left)
        case .unary(let operation): holds(for: operation.expression)
        case .parenthesized(let inner, _): holds(for: inner)
        case .call(let call): holds(for: call)
        }
    }

    private static func holds(for call: Call) -> Bool {
        switch call.function {
        case .start, .end, .range, .step: return true
        case .timestamp:
            // The time of the sample is the same; the time of a computed value is that of the step.
            guard case .vectorSelector(let selector)? = call.arguments.first?.unwrapped else {
                return false
            }
            return selector.at != nil
        case .daysInMonth, .dayOfMonth, .dayOfWeek, .dayOfYear, .hour, .minute, .month, .year,
            .predictLinear, .time:
            return false
        default: return call.arguments.allSatisfy { holds(for: $0) }
        }
    }

    /// Whether it pays to evaluate the expression once: it does not for literals, which are
    /// constant anyway, and range vectors are evaluated by the function around them.
    static func isWorthHoisting(_ expression: Expression) -> Bool {
        switch expression {
        case .number, .string, .matrixSelector, .subquery: false
        case .parenthesized(let inner, _): isWorthHoisting(inner)
        case .unary(let operation): isWorthHoisting(operation.expression)
        case .vectorSelector, .aggregation, .binary, .call: holds(for: expression)
        }
    }
}

extension Expression {
    /// The expression inside any parentheses.
    var unwrapped: Expression {
        var expression = self
        while case .parenthesized(let inner, _) = expression { expression = inner }
        return expression
    }
}
