// SPDX-License-Identifier: Apache-2.0

internal import Model

/// The most operators and levels in one duration.
let maximumDurationSize = 1000

extension ExpressionParser {
    // MARK: Brackets

    /// The range or subquery in brackets behind an operand.
    mutating func parseBrackets(_ operand: Operand) throws(ParseError) -> Operand {
        let open = try next()
        let first = ErrorContext(
            place: "subquery or range selector",
            expected: "number, duration, step(), or range()")
        let range = try inside(first) { parser throws(ParseError) in
            try parser.parsePositiveDuration()
        }
        if let close = try accept(.rightBracket) {
            return try matrix(operand, range, SourceRange(open.source.start, close.source.end))
        }
        guard try accept(.colon) != nil else {
            throw try unexpected(
                ErrorContext(place: "subquery or range", expected: "\":\" or \"]\""))
        }
        var step: DurationExpression?
        if try peek().kind != .rightBracket {
            let second = ErrorContext(
                place: "subquery selector",
                expected: "number, duration, step(), range(), or \"]\"")
            step = try inside(second) { parser throws(ParseError) in
                try parser.parsePositiveDuration()
            }
        }
        guard let close = try accept(.rightBracket) else {
            throw try unexpected(ErrorContext(place: "subquery selector", expected: "\"]\""))
        }
        let subquery = Subquery(
            expression: operand.expression, range: range, step: step,
            source: SourceRange(operand.expression.source.start, close.source.end))
        return Operand(expression: .subquery(subquery), height: operand.height + 1)
    }

    private func matrix(
        _ operand: Operand, _ range: DurationExpression, _ brackets: SourceRange
    ) throws(ParseError) -> Operand {
        guard case .vectorSelector(let selector) = operand.expression else {
            throw error("ranges only allowed for vector selectors", brackets)
        }
        if selector.offset != nil {
            throw error("no offset modifiers allowed before range", brackets)
        }
        if selector.at != nil { throw error("no @ modifiers allowed before range", brackets) }
        let matrix = MatrixSelector(
            selector: selector, range: range,
            source: SourceRange(selector.source.start, brackets.end))
        return Operand(expression: .matrixSelector(matrix), height: 2)
    }

    private mutating func parsePositiveDuration() throws(ParseError) -> DurationExpression {
        durationSize = 0
        let duration = try parseDurationExpression(0)
        if case .literal(let number) = duration, number.value <= 0 {
            throw error("duration must be greater than 0", number.source)
        }
        return duration
    }

    // MARK: Offsets

    /// What follows `offset`. A single number, word or parenthesis behind a sign ends there, so
    /// that `a offset 5m + b` adds b; only behind an opening parenthesis arithmetic goes on.
    mutating func parseOffset() throws(ParseError) -> DurationExpression {
        durationSize = 0
        guard let sign = try acceptSign() else {
            if try peek().kind == .leftParenthesis { return try parseDurationExpression(0) }
            return try parseDurationTerm()
        }
        switch try peek().kind {
        case .number, .duration:
            let number = try literal(try next())
            return try signed(.literal(number), sign)
        case .leftParenthesis:
            _ = try next()
            let inner = try parseDurationExpression(0)
            let close = try expect(.rightParenthesis)
            let wrapped = parenthesized(inner, SourceRange(inner.source.start, close.source.end))
            return try signed(wrapped, sign)
        case .preprocessor: return try signed(try parseDurationTerm(), sign)
        default:
            let operand = try parseDurationExpression(BinaryOperator.power.precedence)
            return try parseDurationOperators(0, try signed(operand, sign))
        }
    }

    // MARK: Arithmetic

    /// A duration of operators that bind at least as tightly as `minimum`.
    private mutating func parseDurationExpression(
        _ minimum: Int
    ) throws(ParseError) -> DurationExpression {
        try descend()
        defer { ascend() }
        try countDuration()
        if let sign = try acceptSign() {
            let operand = try parseDurationExpression(BinaryOperator.power.precedence)
            return try parseDurationOperators(minimum, try signed(operand, sign))
        }
        return try parseDurationOperators(minimum, try parseDurationTerm())
    }

    private mutating func parseDurationOperators(
        _ minimum: Int, _ first: DurationExpression
    ) throws(ParseError) -> DurationExpression {
        var left = first
        while case .operation(let operation) = try peek().kind,
            (4...6).contains(operation.precedence), operation != .atan2,
            operation.precedence >= minimum
        {
            let token = try next()
            try countDuration()
            let right = try parseDurationExpression(
                operation == .power ? operation.precedence : operation.precedence + 1)
            try requireDurationExpressions(left.source)
            if operation == .divide || operation == .modulo, case .literal(let number) = right,
                number.value == 0
            {
                throw error(
                    operation == .divide ? "division by zero" : "modulo by zero", token.source)
            }
            left = .binary(
                left, operation, right, source: SourceRange(left.source.start, right.source.end))
        }
        return left
    }

    /// Another level or operator of the duration.
    private mutating func countDuration() throws(ParseError) {
        durationSize += 1
        if durationSize > maximumDurationSize { throw tooDeep(maximumDurationSize) }
    }

    /// A number, a word with its parentheses, or a duration in parentheses.
    private mutating func parseDurationTerm() throws(ParseError) -> DurationExpression {
        let token = try peek()
        switch token.kind {
        case .number, .duration:
            let number = try literal(try next())
            try checkRange(number.value, number.source)
            return .literal(number)
        case .preprocessor(let word) where word != .start && word != .end:
            return try parseDurationWord(word, try next())
        case .leftParenthesis:
            _ = try next()
            let inner = try parseDurationExpression(0)
            let close = try expect(.rightParenthesis)
            try requireDurationExpressions(inner.source)
            return parenthesized(inner, SourceRange(token.source.start, close.source.end))
        default: throw try unexpected()
        }
    }

    private mutating func parseDurationWord(
        _ word: Preprocessor, _ token: Token
    ) throws(ParseError) -> DurationExpression {
        _ = try expect(.leftParenthesis)
        guard word == .minimum || word == .maximum else {
            let end = try expect(.rightParenthesis).source.end
            let source = SourceRange(token.source.start, end)
            try requireDurationExpressions(source)
            return word == .step ? .step(source: source) : .range(source: source)
        }
        let left = try parseDurationExpression(0)
        _ = try expect(.comma)
        let right = try parseDurationExpression(0)
        let end = try expect(.rightParenthesis).source.end
        let source = SourceRange(token.source.start, end)
        try requireDurationExpressions(source)
        return word == .minimum
            ? .minimum(left, right, source: source) : .maximum(left, right, source: source)
    }

    private func signed(
        _ duration: DurationExpression, _ sign: (isNegative: Bool, source: SourceRange)
    ) throws(ParseError) -> DurationExpression {
        if case .literal(var number) = duration {
            if sign.isNegative { number.value = -number.value }
            try checkRange(number.value, sign.source)
            number.source.start = sign.source.start
            return .literal(number)
        }
        let source = SourceRange(sign.source.start, duration.source.end)
        return sign.isNegative ? .negated(duration, source: source) : duration
    }

    private func parenthesized(
        _ duration: DurationExpression, _ source: SourceRange
    ) -> DurationExpression {
        if case .parenthesized = duration { return duration }
        return .parenthesized(duration, source: source)
    }

    private func checkRange(_ seconds: Double, _ source: SourceRange) throws(ParseError) {
        if abs(seconds) > longestDuration { throw error("duration out of range", source) }
    }

    private func requireDurationExpressions(_ source: SourceRange) throws(ParseError) {
        if !options.durationExpressions {
            throw error("experimental duration expression is not enabled", source)
        }
    }
}
