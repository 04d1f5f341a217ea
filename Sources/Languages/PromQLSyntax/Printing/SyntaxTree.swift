// SPDX-License-Identifier: Apache-2.0
//
// The tree of a query as JSON: what `parse_query` answers and the user interface draws.

internal import Bytes
package import JSON
internal import Model

extension JSONWriter {
    /// Writes the tree of an expression.
    package mutating func syntaxTree(_ expression: Expression) {
        switch expression {
        case .number(let node):
            object {
                $0.type("numberLiteral")
                $0.key("val")
                $0.floatText(node.value, .plain)
            }
        case .string(let node):
            object {
                $0.type("stringLiteral")
                $0.member("val", node.value)
            }
        case .parenthesized(let inner, _): wrapping("parenExpr", inner)
        case .unary(let node):
            object {
                $0.child("expr", node.expression)
                $0.member("op", node.isNegation ? "-" : "+")
                $0.type("unaryExpr")
            }
        case .vectorSelector(let node):
            object {
                $0.selector(node, range: nil)
                $0.type("vectorSelector")
            }
        case .matrixSelector(let node):
            object {
                $0.selector(node.selector, range: node.range)
                $0.type("matrixSelector")
            }
        case .subquery(let node): subquery(node)
        case .call(let node): call(node)
        case .aggregation(let node): aggregation(node)
        case .binary(let node): binary(node)
        }
    }

    // MARK: Nodes

    private mutating func wrapping(_ name: String, _ inner: Expression) {
        object {
            $0.child("expr", inner)
            $0.type(name)
        }
    }

    private mutating func selector(_ node: VectorSelector, range: DurationExpression?) {
        flag("anchored", node.rangeExtension == .anchored)
        key("matchers")
        array(node.matchers) { writer, matcher in
            writer.object {
                $0.member("name", matcher.name)
                $0.member("type", matcher.operation.rawValue)
                $0.member("value", matcher.value)
            }
        }
        member("name", node.name ?? "")
        length("offset", node.offset)
        if let range { length("range", range) }
        flag("smoothed", node.rangeExtension == .smoothed)
        at(node.at)
    }

    private mutating func subquery(_ node: Subquery) {
        object {
            $0.child("expr", node.expression)
            $0.length("offset", node.offset)
            $0.length("range", node.range)
            $0.at(node.at)
            $0.length("step", node.step)
            $0.type("subquery")
        }
    }

    private mutating func call(_ node: Call) {
        let signature = node.function.signature
        object {
            $0.key("args")
            $0.array(node.arguments) { $0.syntaxTree($1) }
            $0.key("func")
            $0.object {
                $0.key("argTypes")
                $0.array(signature.arguments) { $0.string($1.rawValue) }
                $0.member("name", node.function.rawValue)
                $0.member("returnType", signature.returns.rawValue)
                $0.key("variadic")
                $0.integer(Int64(signature.variadic))
            }
            $0.type("call")
        }
    }

    private mutating func aggregation(_ node: Aggregation) {
        object {
            $0.child("expr", node.expression)
            $0.list("grouping", node.grouping)
            $0.member("op", node.operation.rawValue)
            $0.child("param", node.parameter)
            $0.type("aggregation")
            $0.flag("without", node.isWithout)
        }
    }

    private mutating func binary(_ node: BinaryOperation) {
        object {
            $0.flag("bool", node.returnsBool)
            $0.child("lhs", node.left)
            $0.key("matching")
            $0.matching(node.matching)
            $0.member("op", node.operation.rawValue)
            $0.child("rhs", node.right)
            $0.type("binaryExpr")
        }
    }

    private mutating func matching(_ matching: VectorMatching?) {
        guard let matching else { return null() }
        object {
            $0.member("card", matching.cardinality.rawValue)
            $0.key("fillValues")
            $0.object {
                $0.optionalNumber("lhs", matching.fillLeft)
                $0.optionalNumber("rhs", matching.fillRight)
            }
            $0.list("include", matching.include)
            $0.list("labels", matching.labels)
            $0.flag("on", matching.isOn)
        }
    }

    // MARK: Durations

    /// A duration under two keys: its milliseconds where it is a literal, and what computes it.
    private mutating func length(_ name: String, _ duration: DurationExpression?) {
        key(name)
        integer(duration?.literal ?? 0)
        key(name + "Expr")
        if let duration, duration.literal == nil { durationTree(duration) } else { null() }
    }

    /// `isWrapped`: the duration stands in parentheses, which is a property of operations and makes
    /// one of a number.
    private mutating func durationTree(_ duration: DurationExpression, isWrapped: Bool = false) {
        switch duration {
        case .literal(let number):
            if isWrapped { return operation("+", nil, duration, true) }
            object {
                $0.flag("duration", number.isDuration)
                $0.type("numberLiteral")
                $0.key("val")
                $0.floatText(number.value, .plain)
            }
        case .step: operation("step", nil, nil, isWrapped)
        case .range: operation("range", nil, nil, isWrapped)
        case .minimum(let left, let right, _): operation("min_of", left, right, isWrapped)
        case .maximum(let left, let right, _): operation("max_of", left, right, isWrapped)
        case .negated(let inner, _): operation("-", nil, inner, isWrapped)
        case .binary(let left, let kind, let right, _):
            operation(kind.rawValue, left, right, isWrapped)
        case .parenthesized(let inner, _): durationTree(inner, isWrapped: true)
        }
    }

    private mutating func operation(
        _ name: String, _ left: DurationExpression?, _ right: DurationExpression?,
        _ isWrapped: Bool
    ) {
        object {
            $0.key("lhs")
            if let left { $0.durationTree(left) } else { $0.null() }
            $0.member("op", name)
            $0.key("rhs")
            if let right { $0.durationTree(right) } else { $0.null() }
            $0.type("durationExpr")
            $0.flag("wrapped", isWrapped)
        }
    }

    // MARK: Members

    private mutating func type(_ name: String) { member("type", name) }

    private mutating func member(_ name: String, _ value: String) {
        key(name)
        string(value)
    }

    private mutating func flag(_ name: String, _ value: Bool) {
        key(name)
        boolean(value)
    }

    private mutating func list(_ name: String, _ values: [String]) {
        key(name)
        array(values) { $0.string($1) }
    }

    private mutating func optionalNumber(_ name: String, _ value: Double?) {
        key(name)
        if let value { number(value) } else { null() }
    }

    private mutating func child(_ name: String, _ expression: Expression?) {
        key(name)
        if let expression { syntaxTree(expression) } else { null() }
    }

    private mutating func at(_ at: AtModifier?) {
        key("startOrEnd")
        switch at {
        case .start: string("start")
        case .end: string("end")
        case .timestamp, nil: null()
        }
        key("timestamp")
        if case .timestamp(let time) = at { integer(time) } else { null() }
    }
}
