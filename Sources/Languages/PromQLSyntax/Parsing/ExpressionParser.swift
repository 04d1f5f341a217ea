// SPDX-License-Identifier: Apache-2.0
//
// A precedence parser for PromQL. Binary operators, from the loosest:
//
//     or · and unless · == != < <= > >= </ >/ · + - · * / % atan2 · ^ (from the right)
//
// A sign binds like `*`, so `-a ^ b` is -(a ^ b). `offset`, `@`, brackets, `anchored` and
// `smoothed` bind tighter than all and apply to the operand before them. Tokens are read one at
// a time and only when needed, so that of two errors the one is reported that upstream's parser
// meets first. Types are checked when the whole query has been read.
//
// Two things are bounded. The parser recurses where a query nests: parentheses, calls, signs,
// powers (`maximumNesting`). A chain such as `a or b or c …` is read in a loop, but makes a tree as
// high as it is long, and everything that walks a tree afterwards recurses, its release included
// (`maximumExpressionHeight`). A query of the greatest height needs up to 12 MiB of stack to be
// evaluated, and less than 8 MiB for everything else; the pools of threads give more than that.

internal import Bytes
package import Model

/// The most levels of parentheses, calls, signs and powers in one another.
package let maximumNesting = 500

/// The greatest number of levels of a tree; each operator of a chain makes one.
package let maximumExpressionHeight = 6000

/// An expression with the number of levels below and including it.
struct Operand {
    var expression: Expression
    var height: Int
}

/// What an unexpected token is reported to stand in, and what could stand there.
struct ErrorContext: Sendable {
    var place: StaticString
    var expected: StaticString

    static let query = ErrorContext(place: "", expected: "")
    static let aggregation = ErrorContext(place: "aggregation", expected: "")
    static let grouping = ErrorContext(place: "grouping opts", expected: "\"(\"")
    static let offset = ErrorContext(
        place: "offset", expected: "number, duration, step(), or range()")
    static let timestamp = ErrorContext(place: "@", expected: "timestamp")
}

struct ExpressionParser {
    var lexer: Lexer
    let options: ParserOptions
    private var lookahead: Token?
    /// Where the innermost construct with an error text of its own begins to count.
    var context = ErrorContext.query
    private var depth = 0
    /// Operators and levels of the duration that is being read: bounds the height of its tree.
    var durationSize = 0
    /// Faults of binary operations, by the bytes that these take up. They are found when the
    /// operation is built and reported when types are checked.
    var operationFaults: [SourceRange: OperationFault] = [:]

    init(_ query: String, _ options: ParserOptions) {
        lexer = Lexer(query)
        self.options = options
    }

    // MARK: Tokens

    mutating func peek() throws(ParseError) -> Token {
        if let lookahead { return lookahead }
        var token = try lexer.next()
        while token.kind == .comment { token = try lexer.next() }
        lookahead = token
        return token
    }

    mutating func next() throws(ParseError) -> Token {
        let token = try peek()
        lookahead = nil
        return token
    }

    /// Reads the next token where it is of this kind.
    mutating func accept(_ kind: TokenKind) throws(ParseError) -> Token? {
        try peek().kind == kind ? try next() : nil
    }

    mutating func expect(_ kind: TokenKind) throws(ParseError) -> Token {
        guard let token = try accept(kind) else { throw try unexpected() }
        return token
    }

    func text(_ token: Token) -> String { lexer.text(token.source) }

    func error(_ message: String, _ source: SourceRange) -> ParseError {
        ParseError(message, source, in: lexer.input)
    }

    /// The next token does not belong where it stands.
    mutating func unexpected(_ context: ErrorContext? = nil) throws(ParseError) -> ParseError {
        let token = try peek()
        let context = context ?? self.context
        var message = "unexpected \(token.kind.described(text(token)))"
        if context.place.utf8CodeUnitCount > 0 { message += " in \(context.place)" }
        if context.expected.utf8CodeUnitCount > 0 { message += ", expected \(context.expected)" }
        return error(message, token.source)
    }

    /// Runs `body` with another error context.
    mutating func inside<Result>(
        _ context: ErrorContext,
        _ body: (inout ExpressionParser) throws(ParseError) -> Result
    ) throws(ParseError) -> Result {
        let outer = self.context
        self.context = context
        defer { self.context = outer }
        return try body(&self)
    }

    // MARK: Depth

    mutating func descend() throws(ParseError) {
        depth += 1
        if depth > maximumNesting { throw tooDeep(maximumNesting) }
    }

    mutating func ascend() { depth -= 1 }

    func limit(_ height: Int) throws(ParseError) {
        if height > maximumExpressionHeight { throw tooDeep(maximumExpressionHeight) }
    }

    func tooDeep(_ levels: Int) -> ParseError {
        error(
            "expression is nested too deeply: more than \(levels) levels",
            SourceRange(lexer.start, lexer.position))
    }

    // MARK: Expressions

    mutating func parseQuery() throws(ParseError) -> Expression {
        if try peek().kind == .endOfInput {
            throw error("no expression found in input", SourceRange(0, 0))
        }
        let operand = try parseExpression(0)
        context = .query
        _ = try expect(.endOfInput)
        return operand.expression
    }

    // The functions that recurse hold little, and leave what needs room to others that are kept out
    // of their frames: the depth that a stack allows depends on it.

    /// An expression of operators that bind at least as tightly as `minimum`.
    mutating func parseExpression(_ minimum: Int) throws(ParseError) -> Operand {
        try descend()
        defer { ascend() }
        var left = try parseSigned()
        while let operation = try acceptOperator(minimum) {
            let modifiers = try parseModifiers()
            let right = try parseExpression(
                operation == .power ? operation.precedence : operation.precedence + 1)
            left = try combined(left, operation, modifiers, right)
        }
        return left
    }

    @inline(never)
    private mutating func acceptOperator(_ minimum: Int) throws(ParseError) -> BinaryOperator? {
        guard case .operation(let operation) = try peek().kind, operation.precedence >= minimum
        else { return nil }
        _ = try next()
        return operation
    }

    @inline(never)
    private mutating func combined(
        _ left: Operand, _ operation: BinaryOperator, _ modifiers: OperationModifiers,
        _ right: Operand
    ) throws(ParseError) -> Operand {
        let height = max(left.height, right.height) + 1
        try limit(height)
        let binary = try combine(left.expression, operation, modifiers, right.expression)
        return Operand(expression: .binary(binary), height: height)
    }

    @inline(never)
    private mutating func parseSigned() throws(ParseError) -> Operand {
        guard let sign = try acceptSign() else { return try parsePostfix() }
        let operand = try parseExpression(BinaryOperator.power.precedence)
        return try signed(operand, sign.isNegative, sign.source.start)
    }

    @inline(never)
    private func signed(
        _ operand: Operand, _ isNegative: Bool, _ start: Int
    ) throws(ParseError) -> Operand {
        if case .number(var number) = operand.expression {
            if isNegative { number.value = -number.value }
            number.source.start = start
            return Operand(expression: .number(number), height: 1)
        }
        try limit(operand.height + 1)
        let source = SourceRange(start, operand.expression.source.end)
        let unary = UnaryOperation(
            isNegation: isNegative, expression: operand.expression, source: source)
        return Operand(expression: .unary(unary), height: operand.height + 1)
    }

    @inline(never)
    mutating func acceptSign() throws(ParseError) -> (isNegative: Bool, source: SourceRange)? {
        let kind = try peek().kind
        guard kind == .operation(.add) || kind == .operation(.subtract) else { return nil }
        return (kind == .operation(.subtract), try next().source)
    }

    /// A number or duration token as seconds; the token has been read.
    @inline(never)
    func literal(_ token: Token) throws(ParseError) -> NumberLiteral {
        do {
            let isDuration = token.kind == .duration
            let value =
                isDuration ? try parseDuration(text(token)) : try parseNumber(text(token))
            return NumberLiteral(value: value, isDuration: isDuration, source: token.source)
        } catch {
            throw self.error(error.message, token.source)
        }
    }
}

extension BinaryOperator {
    /// The higher, the tighter.
    var precedence: Int {
        switch self {
        case .or: 1
        case .and, .unless: 2
        case .equal, .notEqual, .less, .lessOrEqual, .greater, .greaterOrEqual, .trimUpper,
            .trimLower:
            3
        case .add, .subtract: 4
        case .multiply, .divide, .modulo, .atan2: 5
        case .power: 6
        }
    }
}

/// Reads a query.
package func parseExpression(
    _ query: String, _ options: ParserOptions = .init()
) throws(ParseError) -> Expression {
    var parser = ExpressionParser(query, options)
    let expression = try parser.parseQuery()
    try TypeChecker(parser).check(expression)
    return expression
}

/// Reads a selector without range or modifiers, as `match[]` takes it. The matcher of a name before
/// the braces comes last. A selector that matches everything is not refused here.
package func parseMetricSelector(_ selector: String) throws(ParseError) -> [Matcher] {
    var parser = ExpressionParser(selector, .init())
    let first = try parser.next()
    let found: VectorSelector
    if first.kind == .leftBrace {
        found = try parser.parseSelector(name: nil, at: first)
    } else if first.kind.canNameMetric {
        found = try parser.parseNamedSelector(first)
    } else {
        throw parser.error(
            "unexpected \(first.kind.described(parser.text(first)))", first.source)
    }
    _ = try parser.expect(.endOfInput)
    return found.matchers
}
