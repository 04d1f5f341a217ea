// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import Model

/// Checks that everything in a tree gets what it takes. The order of the checks is upstream's, so
/// that of several faults the same one is reported.
struct TypeChecker {
    private let query: [UInt8]
    private let operationFaults: [SourceRange: OperationFault]

    init(_ parser: ExpressionParser) {
        query = parser.lexer.input
        operationFaults = parser.operationFaults
    }

    private func error(_ message: String, _ source: SourceRange) -> ParseError {
        ParseError(message, source, in: query)
    }

    func check(_ expression: Expression) throws(ParseError) {
        switch expression {
        case .number, .string: return
        case .vectorSelector(let node): try check(node)
        case .matrixSelector(let node): try check(node.selector)
        case .parenthesized(let inner, _): try check(inner)
        case .call(let node): try check(node)
        case .subquery(let node):
            try check(node.expression)
            if node.expression.type != .vector {
                throw error(
                    "subquery is only allowed on instant vector, got "
                        + "\(node.expression.type.rawValue) instead", node.source)
            }
        case .unary(let node):
            try check(node.expression)
            let type = node.expression.type
            if type != .scalar && type != .vector {
                throw error(
                    "unary expression only allowed on expressions of type scalar or instant vector, "
                        + "got \(quoted(type.documented))", node.source)
            }
        case .binary(let node):
            try check(node.left)
            try check(node.right)
            if let fault = operationFaults[node.source] {
                throw error(fault.message, fault.source)
            }
        case .aggregation(let node):
            try expect(.vector, node.expression, "aggregation expression")
            if let parameter = node.parameter {
                try expect(
                    node.operation == .countValues ? .string : .scalar, parameter,
                    "aggregation parameter")
            }
        }
    }

    private func expect(
        _ type: ValueType, _ expression: Expression, _ place: String
    ) throws(ParseError) {
        try check(expression)
        if expression.type != type {
            throw error(
                "expected type \(type.documented) in \(place), got \(expression.type.documented)",
                expression.source)
        }
    }

    private func check(_ call: Call) throws(ParseError) {
        let signature = call.function.signature
        let name = quoted(call.function.rawValue)
        try checkCount(call, signature, name)
        var checked = call.arguments[...]
        if call.function == .info, checked.count > 1 {
            try checkInfoSelector(call)
            checked.removeLast()
        }
        for (index, argument) in checked.enumerated() {
            if index >= signature.arguments.count, signature.variadic == 0 { break }
            let wanted = signature.arguments[min(index, signature.arguments.count - 1)]
            try expect(wanted, argument, "call to function \(name)")
        }
    }

    private func checkCount(
        _ call: Call, _ signature: FunctionSignature, _ name: String
    ) throws(ParseError) {
        let wanted = signature.arguments.count
        let given = call.arguments.count
        let fault: String
        if signature.variadic == 0, given != wanted {
            fault = "expected \(wanted) argument(s)"
        } else if signature.variadic != 0, given < wanted - 1 {
            fault = "expected at least \(wanted - 1) argument(s)"
        } else if signature.variadic > 0, given > wanted - 1 + signature.variadic {
            fault = "expected at most \(wanted - 1 + signature.variadic) argument(s)"
        } else {
            return
        }
        throw error("\(fault) in call to \(name), got \(given)", call.source)
    }

    /// The second argument of `info` gives label matchers only; they may match everything.
    private func checkInfoSelector(_ call: Call) throws(ParseError) {
        let argument = call.arguments[1]
        if argument.type != .vector {
            throw error(
                "expected type instant vector in call to function \"info\", got "
                    + argument.type.documented, call.source)
        }
        guard case .vectorSelector(let selector) = argument else {
            throw error("expected label selectors only", argument.source)
        }
        if selector.name != nil {
            throw error(
                "expected label selectors only, got vector selector instead", argument.source)
        }
    }

    private func check(_ selector: VectorSelector) throws(ParseError) {
        if let name = selector.name {
            if let second = selector.matchers.dropLast().first(where: {
                isEqualBytewise($0.name, LabelName.metric)
            }) {
                throw error(
                    "metric name must not be set twice: \(quoted(name)) or \(quoted(second.value))",
                    selector.source)
            }
        } else if selector.matchers.allSatisfy(\.matchesEmpty) {
            throw error(
                "vector selector must contain at least one non-empty matcher", selector.source)
        }
    }
}

extension ValueType {
    /// The name in error texts.
    var documented: String {
        switch self {
        case .vector: "instant vector"
        case .matrix: "range vector"
        case .scalar, .string: rawValue
        }
    }
}
