// SPDX-License-Identifier: Apache-2.0

internal import Model

/// What stands between a binary operator and its right side.
struct OperationModifiers {
    var returnsBool = false
    var matching = VectorMatching()
}

/// What is wrong with the types of an operation. Its line is looked up only if it is reported: a
/// query may have many faults, and only the first is told.
struct OperationFault {
    var message: String
    var source: SourceRange

    init(_ message: String, _ source: SourceRange) {
        self.message = message
        self.source = source
    }
}

extension ExpressionParser {
    @inline(never)
    mutating func parseModifiers() throws(ParseError) -> OperationModifiers {
        var modifiers = OperationModifiers()
        modifiers.returnsBool = try accept(.keyword(.bool)) != nil
        let kind = try peek().kind
        if kind == .keyword(.on) || kind == .keyword(.ignoring) {
            _ = try next()
            modifiers.matching.isOn = kind == .keyword(.on)
            modifiers.matching.labels = try parseLabelList().labels
            try parseGroupModifier(&modifiers.matching)
        }
        try parseFills(&modifiers.matching)
        return modifiers
    }

    /// `group_left` or `group_right` with or without labels, if it comes next.
    private mutating func parseGroupModifier(
        _ matching: inout VectorMatching
    ) throws(ParseError) {
        let kind = try peek().kind
        guard kind == .keyword(.groupLeft) || kind == .keyword(.groupRight) else { return }
        _ = try next()
        matching.cardinality = kind == .keyword(.groupLeft) ? .manyToOne : .oneToMany
        let following = try peek().kind
        if following == .leftParenthesis || !Self.canBeginOperand(following) {
            matching.include = try parseLabelList().labels
        }
    }

    /// `fill (…)`, or `fill_left (…)` and `fill_right (…)` in any order.
    private mutating func parseFills(_ matching: inout VectorMatching) throws(ParseError) {
        switch try peek().kind {
        case .keyword(.fill):
            _ = try next()
            matching.fillLeft = try parseFillValue()
            matching.fillRight = matching.fillLeft
        case .keyword(.fillLeft):
            _ = try next()
            matching.fillLeft = try parseFillValue()
            if try accept(.keyword(.fillRight)) != nil {
                matching.fillRight = try parseFillValue()
            }
        case .keyword(.fillRight):
            _ = try next()
            matching.fillRight = try parseFillValue()
            if try accept(.keyword(.fillLeft)) != nil {
                matching.fillLeft = try parseFillValue()
            }
        default: return
        }
    }

    private mutating func parseFillValue() throws(ParseError) -> Double {
        _ = try expect(.leftParenthesis)
        let isNegative = try acceptSign()?.isNegative ?? false
        let token = try peek()
        guard token.kind == .number || token.kind == .duration else { throw try unexpected() }
        let value = try literal(try next()).value
        _ = try expect(.rightParenthesis)
        return isNegative ? -value : value
    }

    /// Builds an operation, and notes its first fault of types for later.
    mutating func combine(
        _ left: Expression, _ operation: BinaryOperator,
        _ modifiers: OperationModifiers, _ right: Expression
    ) throws(ParseError) -> BinaryOperation {
        let source = SourceRange(left.source.start, right.source.end)
        var matching = modifiers.matching
        let fills = matching.fillLeft != nil || matching.fillRight != nil
        if fills, !options.fillModifiers {
            throw error("binop fill modifiers are experimental and not enabled", source)
        }
        if operation.isSet, matching.cardinality == .oneToOne {
            matching.cardinality = .manyToMany
        }
        let areVectors = left.type == .vector && right.type == .vector
        let result = BinaryOperation(
            operation: operation, left: left, right: right,
            returnsBool: modifiers.returnsBool, matching: areVectors ? matching : nil,
            source: source)
        if let fault = fault(result, matching) { operationFaults[source] = fault }
        return result
    }

    /// The first thing wrong with an operation whose sides are right, in upstream's order.
    private func fault(_ node: BinaryOperation, _ matching: VectorMatching) -> OperationFault? {
        let (left, right) = (node.left.type, node.right.type)
        let name = node.operation.rawValue
        let fills = matching.fillLeft != nil || matching.fillRight != nil
        if node.returnsBool, !node.operation.isComparison {
            return OperationFault(
                "bool modifier can only be used on comparison operators", operatorRange(node))
        }
        if node.operation.isComparison, !node.returnsBool, left == .scalar, right == .scalar {
            return OperationFault(
                "comparisons between scalars must use BOOL modifier", operatorRange(node))
        }
        if let both = labelInBoth(matching) {
            return OperationFault(
                "label \(quoted(both)) must not occur in ON and GROUP clause at once",
                operatorRange(node))
        }
        for side in [node.left, node.right] where side.type != .scalar && side.type != .vector {
            return OperationFault(
                "binary expression must contain only scalar and instant vector types", side.source)
        }
        if left != .vector || right != .vector {
            if !matching.labels.isEmpty {
                return OperationFault(
                    "vector matching only allowed between instant vectors", node.source)
            }
            if fills {
                return OperationFault(
                    "filling in missing series only allowed between instant vectors", node.source)
            }
            return node.operation.isSet
                ? OperationFault(
                    "set operator \(quoted(name)) not allowed in binary scalar expression",
                    node.source) : nil
        }
        guard node.operation.isSet else { return nil }
        if matching.cardinality != .manyToMany {
            return OperationFault("no grouping allowed for \(quoted(name)) operation", node.source)
        }
        return fills
            ? OperationFault("filling in missing series not allowed for set operators", node.source)
            : nil
    }

    /// The first label of `on (…)` that `group_left (…)` or `group_right (…)` names too.
    private func labelInBoth(_ matching: VectorMatching) -> String? {
        if !matching.isOn || matching.include.isEmpty { return nil }
        let included = Set(matching.include.map { Array($0.utf8) })
        return matching.labels.first { included.contains(Array($0.utf8)) }
    }

    /// The operator with its modifiers, as upstream points at it.
    private func operatorRange(_ node: BinaryOperation) -> SourceRange {
        let input = lexer.input
        var start = node.left.source.end
        while start < input.count, isSpace(input[start]) { start += 1 }
        var end = node.right.source.start - 1
        while end > start, isSpace(input[end]) { end -= 1 }
        return SourceRange(start, end)
    }
}
