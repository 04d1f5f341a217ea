// SPDX-License-Identifier: Apache-2.0

package import Model

extension Expression {
    /// The matchers of each selector in the expression, from left to right.
    package var selectors: [[Matcher]] {
        switch self {
        case .number, .string: []
        case .vectorSelector(let node): [node.matchers]
        case .matrixSelector(let node): [node.selector.matchers]
        case .subquery(let node): node.expression.selectors
        case .call(let node): node.arguments.flatMap(\.selectors)
        case .aggregation(let node):
            (node.parameter?.selectors ?? []) + node.expression.selectors
        case .binary(let node): node.left.selectors + node.right.selectors
        case .unary(let node): node.expression.selectors
        case .parenthesized(let inner, _): inner.selectors
        }
    }
}
