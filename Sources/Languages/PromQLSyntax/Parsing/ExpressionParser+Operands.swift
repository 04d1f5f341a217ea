// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import LinearRegex
internal import Model

extension ExpressionParser {
    /// What an operator takes, without the modifiers behind it.
    @inline(never)
    mutating func parsePrimary() throws(ParseError) -> Operand {
        let kind = try peek().kind
        if kind == .leftParenthesis { return try parseParenthesized() }
        if kind.canNameMetric { return try parseWord() }
        return try parseLeaf()
    }

    @inline(never)
    private mutating func parseParenthesized() throws(ParseError) -> Operand {
        let start = try next().source.start
        let inner = try parseExpression(0)
        return try close(inner, start)
    }

    @inline(never)
    private mutating func close(_ inner: Operand, _ start: Int) throws(ParseError) -> Operand {
        let end = try expect(.rightParenthesis).source.end
        try limit(inner.height + 1)
        return Operand(
            expression: .parenthesized(inner.expression, SourceRange(start, end)),
            height: inner.height + 1)
    }

    /// A literal, or a selector without a name.
    @inline(never)
    private mutating func parseLeaf() throws(ParseError) -> Operand {
        let token = try peek()
        let expression: Expression
        switch token.kind {
        case .number, .duration: expression = .number(try literal(try next()))
        case .string:
            let bytes = lexer.unquoted(try next().source)
            expression = .string(StringLiteral(bytes: bytes, source: token.source))
        case .leftBrace:
            expression = .vectorSelector(try parseSelector(name: nil, at: try next()))
        default: throw try unexpected()
        }
        return Operand(expression: expression, height: 1)
    }

    /// A word at the head of an operand: an aggregation, a call, or the name of a metric.
    @inline(never)
    private mutating func parseWord() throws(ParseError) -> Operand {
        let word = try next()
        let following = try peek().kind
        if case .aggregation(let operation) = word.kind,
            [.leftParenthesis, .keyword(.by), .keyword(.without)].contains(following)
        {
            let outer = context
            context = .aggregation
            defer { context = outer }
            return try parseAggregation(operation, word)
        }
        if following == .leftParenthesis {
            switch word.kind {
            case .identifier, .preprocessor: return try parseCall(word)
            default: break
            }
        }
        return try named(word)
    }

    @inline(never)
    private mutating func named(_ word: Token) throws(ParseError) -> Operand {
        Operand(expression: .vectorSelector(try parseNamedSelector(word)), height: 1)
    }

    // MARK: Selectors

    /// The selector that begins with a name, which has been read.
    mutating func parseNamedSelector(_ word: Token) throws(ParseError) -> VectorSelector {
        let name = text(word)
        if let brace = try accept(.leftBrace) {
            var selector = try parseSelector(name: name, at: brace)
            selector.source.start = word.source.start
            return selector
        }
        let matcher = Matcher(LabelName.metric, equals: name)
        return VectorSelector(name: name, matchers: [matcher], source: word.source)
    }

    /// Label matchers up to the closing brace; the opening one has been read.
    mutating func parseSelector(name: String?, at brace: Token) throws(ParseError) -> VectorSelector
    {
        let list = ErrorContext(place: "label matching", expected: "\",\" or \"}\"")
        let item = ErrorContext(place: "label matching", expected: "identifier or \"}\"")
        var matchers: [Matcher] = []
        var close = try accept(.rightBrace)
        while close == nil {
            matchers.append(try parseMatcher(item))
            if try accept(.comma) == nil {
                guard try peek().kind == .rightBrace else { throw try unexpected(list) }
                close = try next()
            } else {
                close = try accept(.rightBrace)
            }
        }
        if let name { matchers.append(Matcher(LabelName.metric, equals: name)) }
        let end = close?.source.end ?? brace.source.end
        return VectorSelector(
            name: name, matchers: matchers, source: SourceRange(brace.source.start, end))
    }

    private mutating func parseMatcher(_ item: ErrorContext) throws(ParseError) -> Matcher {
        let label = try peek()
        let name: String
        switch label.kind {
        case .identifier: name = text(try next())
        case .string:
            name = String(decoding: lexer.unquoted(try next().source), as: UTF8.self)
        default: throw try unexpected(item)
        }
        guard let operation = Self.matching(try peek().kind) else {
            if label.kind == .string { return Matcher(LabelName.metric, equals: name) }
            throw try unexpected(
                ErrorContext(place: "label matching", expected: "label matching operator"))
        }
        _ = try next()
        guard let value = try accept(.string) else {
            throw try unexpected(ErrorContext(place: "label matching", expected: "string"))
        }
        do {
            let text = String(decoding: lexer.unquoted(value.source), as: UTF8.self)
            return try Matcher(name, operation, text)
        } catch {
            throw self.error(
                error.withoutAnchors.description,
                SourceRange(label.source.start, value.source.end))
        }
    }

    private static func matching(_ kind: TokenKind) -> Matcher.Operation? {
        switch kind {
        case .equal: .equal
        case .operation(.notEqual): .notEqual
        case .regexMatch: .regexMatch
        case .regexNoMatch: .regexNoMatch
        default: nil
        }
    }

    // MARK: Calls

    @inline(never)
    private mutating func parseCall(_ word: Token) throws(ParseError) -> Operand {
        try call(word, try parseArguments())
    }

    @inline(never)
    private func call(_ word: Token, _ body: Arguments) throws(ParseError) -> Operand {
        let name = text(word)
        guard let function = Function(rawValue: name) else {
            throw error("unknown function with name \(quoted(name))", word.source)
        }
        if function.signature.isExperimental, !options.experimentalFunctions {
            throw error("function \(quoted(name)) is not enabled", word.source)
        }
        let call = Call(
            function: function, arguments: body.expressions,
            source: SourceRange(word.source.start, body.end))
        return Operand(expression: .call(call), height: body.height + 1)
    }

    /// What stands in the parentheses of a call, and where these end.
    struct Arguments {
        var expressions: [Expression] = []
        var height = 0
        var end = 0
    }

    @inline(never)
    private mutating func parseArguments() throws(ParseError) -> Arguments {
        var arguments = Arguments()
        _ = try expect(.leftParenthesis)
        if try peek().kind != .rightParenthesis {
            repeat {
                let argument = try parseExpression(0)
                arguments.expressions.append(argument.expression)
                arguments.height = max(arguments.height, argument.height)
            } while try acceptComma()
        }
        arguments.end = try expect(.rightParenthesis).source.end
        try limit(arguments.height + 1)
        return arguments
    }

    /// Whether another argument follows.
    @inline(never)
    private mutating func acceptComma() throws(ParseError) -> Bool {
        guard let comma = try accept(.comma) else { return false }
        guard Self.canBeginOperand(try peek().kind) else {
            throw error("trailing commas not allowed in function call args", comma.source)
        }
        return true
    }

    static func canBeginOperand(_ kind: TokenKind) -> Bool {
        switch kind {
        case .number, .duration, .string, .leftParenthesis, .leftBrace, .operation(.add),
            .operation(.subtract):
            true
        default: kind.canNameMetric
        }
    }

    // MARK: Aggregations

    /// The labels of `by (…)` or `without (…)`, and where these end.
    struct Grouping {
        var labels: [String]
        var isWithout: Bool
        var end: Int
    }

    @inline(never)
    private mutating func parseAggregation(
        _ operation: AggregationOperator, _ word: Token
    ) throws(ParseError) -> Operand {
        let grouping = try parseGroupingClause()
        let body = try parseArguments()
        return try aggregation(operation, word, grouping, body)
    }

    @inline(never)
    private mutating func aggregation(
        _ operation: AggregationOperator, _ word: Token, _ before: Grouping?, _ body: Arguments
    ) throws(ParseError) -> Operand {
        let behind = before == nil ? try parseGroupingClause() : nil
        let source = SourceRange(word.source.start, behind?.end ?? body.end)
        if body.expressions.isEmpty {
            throw error("no arguments for aggregate expression provided", source)
        }
        if operation.isExperimental, !options.experimentalFunctions {
            throw error(
                "\(operation.rawValue)() is experimental and must be enabled with "
                    + "--enable-feature=promql-experimental-functions", source)
        }
        let wanted = operation.takesParameter ? 2 : 1
        if body.expressions.count != wanted {
            throw error(
                "wrong number of arguments for aggregate expression provided, "
                    + "expected \(wanted), got \(body.expressions.count)", source)
        }
        let grouping = before ?? behind
        let aggregation = Aggregation(
            operation: operation, expression: body.expressions[wanted - 1],
            parameter: operation.takesParameter ? body.expressions[0] : nil,
            grouping: grouping?.labels ?? [], isWithout: grouping?.isWithout ?? false,
            source: source)
        return Operand(expression: .aggregation(aggregation), height: body.height + 1)
    }

    /// `by (…)` or `without (…)`, if it comes next.
    @inline(never)
    private mutating func parseGroupingClause() throws(ParseError) -> Grouping? {
        let kind = try peek().kind
        guard kind == .keyword(.by) || kind == .keyword(.without) else { return nil }
        _ = try next()
        let list = try parseLabelList()
        return Grouping(
            labels: list.labels, isWithout: kind == .keyword(.without), end: list.end)
    }

    /// Label names in parentheses.
    mutating func parseLabelList() throws(ParseError) -> (labels: [String], end: Int) {
        guard try accept(.leftParenthesis) != nil else { throw try unexpected(.grouping) }
        var labels: [String] = []
        if let close = try accept(.rightParenthesis) { return ([], close.source.end) }
        while true {
            labels.append(try parseGroupingLabel())
            if try accept(.comma) == nil {
                guard let close = try accept(.rightParenthesis) else {
                    throw try unexpected(
                        ErrorContext(place: "grouping opts", expected: "\",\" or \")\""))
                }
                return (labels, close.source.end)
            }
            if let close = try accept(.rightParenthesis) { return (labels, close.source.end) }
        }
    }

    private mutating func parseGroupingLabel() throws(ParseError) -> String {
        let token = try peek()
        if token.kind.canNameLabel { return text(try next()) }
        guard token.kind == .string else {
            throw try unexpected(ErrorContext(place: "grouping opts", expected: "label"))
        }
        let name = String(decoding: lexer.unquoted(try next().source), as: UTF8.self)
        if !NameValidation.utf8.isValidLabelName(name) {
            throw error("invalid label name for grouping: \(quoted(name))", token.source)
        }
        return name
    }
}
