// SPDX-License-Identifier: Apache-2.0

internal import Model

extension ExpressionParser {
    /// An operand with everything behind it that binds tighter than an operator.
    @inline(never)
    mutating func parsePostfix() throws(ParseError) -> Operand {
        var operand = try parsePrimary()
        while try parseModifier(&operand) {}
        return operand
    }

    /// Applies the modifier that comes next; false where none does.
    @inline(never)
    private mutating func parseModifier(_ operand: inout Operand) throws(ParseError) -> Bool {
        switch try peek().kind {
        case .keyword(.offset):
            _ = try next()
            let offset = try inside(.offset) { parser throws(ParseError) in
                try parser.parseOffset()
            }
            try setOffset(offset, on: &operand.expression)
        case .at:
            _ = try next()
            try inside(.timestamp) { parser throws(ParseError) in
                try parser.parseAt(&operand.expression)
            }
        case .keyword(.anchored): try extend(&operand.expression, try next(), .anchored)
        case .keyword(.smoothed): try extend(&operand.expression, try next(), .smoothed)
        case .leftBracket:
            operand = try parseBrackets(operand)
            try limit(operand.height)
        default: return false
        }
        return true
    }

    // MARK: Offsets

    private func setOffset(
        _ offset: DurationExpression, on expression: inout Expression
    ) throws(ParseError) {
        let before: DurationExpression?
        switch expression {
        case .vectorSelector(let node): before = node.offset
        case .matrixSelector(let node): before = node.selector.offset
        case .subquery(let node): before = node.offset
        default:
            throw error(
                "offset modifier must be preceded by an instant vector selector or range vector "
                    + "selector or a subquery", expression.source)
        }
        if before != nil { throw error("offset may not be set multiple times", expression.source) }
        // An offset of zero is none, and another may follow it.
        modify(&expression) { $0.offset = offset.literal == 0 ? nil : offset }
        extendSource(&expression, to: offset.source.end)
    }

    // MARK: @

    private mutating func parseAt(_ expression: inout Expression) throws(ParseError) {
        let modifier: AtModifier
        let end: Int
        switch try peek().kind {
        case .preprocessor(let word) where word == .start || word == .end:
            _ = try next()
            _ = try expect(.leftParenthesis)
            end = try expect(.rightParenthesis).source.end
            modifier = word == .start ? .start : .end
        default:
            let isNegative = try acceptSign()?.isNegative ?? false
            let token = try peek()
            guard token.kind == .number || token.kind == .duration else { throw try unexpected() }
            let value = try literal(try next()).value
            modifier = .timestamp(
                try timestamp(isNegative ? -value : value, expression.source))
            end = token.source.end
        }
        let before: AtModifier?
        switch expression {
        case .vectorSelector(let node): before = node.at
        case .matrixSelector(let node): before = node.selector.at
        case .subquery(let node): before = node.at
        default:
            throw error(
                "@ modifier must be preceded by an instant vector selector or range vector "
                    + "selector or a subquery", expression.source)
        }
        if before != nil {
            throw error("@ <timestamp> may not be set multiple times", expression.source)
        }
        modify(&expression) { $0.at = modifier }
        extendSource(&expression, to: end)
    }

    private func timestamp(
        _ seconds: Double, _ source: SourceRange
    ) throws(ParseError) -> Timestamp {
        guard seconds > -0x1p63, seconds < 0x1p63 else {
            throw error(
                "timestamp out of bounds for @ modifier: \(fixedPoint(seconds))", source)
        }
        // What does not fit into milliseconds becomes the earliest time, as on upstream's machines.
        return Int64(exactly: (seconds * 1000).rounded(.toNearestOrAwayFromZero)) ?? Int64.min
    }

    // MARK: Range extensions

    private func extend(
        _ expression: inout Expression, _ word: Token, _ wanted: RangeExtension
    ) throws(ParseError) {
        let name = wanted == .anchored ? "anchored" : "smoothed"
        guard options.extendedRangeSelectors else {
            throw error(
                "\(name) modifier is experimental and not enabled", expression.source)
        }
        let before: RangeExtension
        switch expression {
        case .vectorSelector(let node): before = node.rangeExtension
        case .matrixSelector(let node): before = node.selector.rangeExtension
        case .subquery:
            throw error("\(name) modifier is not supported for subqueries", expression.source)
        default: throw error("\(name) modifier not implemented", expression.source)
        }
        if before != .none, before != wanted {
            throw error(
                "anchored and smoothed modifiers cannot be used together", expression.source)
        }
        modify(&expression) { $0.rangeExtension = wanted }
    }

    // MARK: Changing a selector or subquery

    /// The modifiers that selectors and subqueries share.
    private struct Modified {
        var offset: DurationExpression?
        var at: AtModifier?
        var rangeExtension = RangeExtension.none
    }

    private func modify(_ expression: inout Expression, _ change: (inout Modified) -> Void) {
        func changed(_ selector: VectorSelector) -> VectorSelector {
            var modified = Modified(
                offset: selector.offset, at: selector.at, rangeExtension: selector.rangeExtension)
            change(&modified)
            var selector = selector
            selector.offset = modified.offset
            selector.at = modified.at
            selector.rangeExtension = modified.rangeExtension
            return selector
        }
        switch expression {
        case .vectorSelector(let node): expression = .vectorSelector(changed(node))
        case .matrixSelector(var node):
            node.selector = changed(node.selector)
            expression = .matrixSelector(node)
        case .subquery(var node):
            var modified = Modified(offset: node.offset, at: node.at)
            change(&modified)
            node.offset = modified.offset
            node.at = modified.at
            expression = .subquery(node)
        default: break
        }
    }

    private func extendSource(_ expression: inout Expression, to end: Int) {
        switch expression {
        case .vectorSelector(var node):
            node.source.end = end
            expression = .vectorSelector(node)
        case .matrixSelector(var node):
            node.source.end = end
            expression = .matrixSelector(node)
        case .subquery(var node):
            node.source.end = end
            expression = .subquery(node)
        default: break
        }
    }
}
