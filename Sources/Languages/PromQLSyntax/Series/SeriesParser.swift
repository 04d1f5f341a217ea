// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import Model

struct SeriesParser {
    private var lexer: Lexer
    private var lookahead: Token?
    private var values: [SeriesValue] = []

    static let maximumValues = 10_000_000
    private static let series = ErrorContext(place: "series values", expected: "")

    init(_ text: String) { lexer = Lexer(text, describesSeries: true) }

    // MARK: Tokens

    private mutating func peek() throws(ParseError) -> Token {
        if let lookahead { return lookahead }
        let token = try lexer.next()
        lookahead = token
        return token
    }

    mutating func next() throws(ParseError) -> Token {
        let token = try peek()
        lookahead = nil
        return token
    }

    mutating func accept(_ kind: TokenKind) throws(ParseError) -> Token? {
        try peek().kind == kind ? try next() : nil
    }

    mutating func expect(
        _ kind: TokenKind, _ context: ErrorContext = SeriesParser.series
    ) throws(ParseError) -> Token {
        guard let token = try accept(kind) else { throw try unexpected(context) }
        return token
    }

    func text(_ token: Token) -> String { lexer.text(token.source) }

    func error(_ message: String, _ source: SourceRange) -> ParseError {
        ParseError(message, source, in: lexer.input)
    }

    mutating func unexpected(_ context: ErrorContext) throws(ParseError) -> ParseError {
        let token = try peek()
        var message = "unexpected \(token.kind.described(text(token)))"
        if context.place.utf8CodeUnitCount > 0 { message += " in \(context.place)" }
        if context.expected.utf8CodeUnitCount > 0 { message += ", expected \(context.expected)" }
        return error(message, token.source)
    }

    // MARK: Grammar

    mutating func parse() throws(ParseError) -> SeriesDescription {
        let labels = try parseMetric()
        while try accept(.space) != nil {
            if try peek().kind == .endOfInput { break }
            try parseItem()
        }
        _ = try expect(.endOfInput, values.isEmpty ? Self.series : .query)
        return SeriesDescription(labels: labels, values: values)
    }

    private mutating func parseMetric() throws(ParseError) -> Labels {
        var builder = LabelsBuilder()
        let name = try peek().kind.canNameMetric ? text(try next()) : nil
        if try accept(.leftBrace) != nil {
            let list = ErrorContext(place: "label set", expected: "\",\" or \"}\"")
            var isClosed = try accept(.rightBrace) != nil
            while !isClosed {
                try parseLabel(&builder)
                if try accept(.comma) != nil {
                    isClosed = try accept(.rightBrace) != nil
                } else {
                    _ = try expect(.rightBrace, list)
                    isClosed = true
                }
            }
        }
        if let name { builder.set(LabelName.metric, name) }
        return builder.labels()
    }

    private mutating func parseLabel(_ builder: inout LabelsBuilder) throws(ParseError) {
        let token = try peek()
        guard token.kind == .identifier || token.kind == .string else {
            throw try unexpected(
                ErrorContext(place: "label set", expected: "identifier or \"}\""))
        }
        _ = try next()
        let name = token.kind == .string ? unquoted(token) : text(token)
        guard try accept(.equal) != nil else {
            if token.kind == .string { return builder.set(LabelName.metric, name) }
            throw try unexpected(ErrorContext(place: "label set", expected: "\"=\""))
        }
        let value = try expect(.string, ErrorContext(place: "label set", expected: "string"))
        builder.set(name, unquoted(value))
    }

    private func unquoted(_ token: Token) -> String {
        String(decoding: lexer.unquoted(token.source), as: UTF8.self)
    }

    private mutating func parseItem() throws(ParseError) {
        switch try peek().kind {
        case .blank:
            _ = try next()
            try append(.omitted, try accept(.times) == nil ? 1 : try parseCount())
        case .openHistogram: try parseHistograms()
        case .identifier:
            guard text(try peek()) == "stale" else {
                throw try unexpected(
                    ErrorContext(place: "series values", expected: "number or \"stale\""))
            }
            _ = try next()
            try parseRepetition(StaleMarker.value)
        default: try parseRepetition(try parseNumber())
        }
    }

    /// What may follow a number: nothing, `xN`, `+dxN` or `-dxN`.
    private mutating func parseRepetition(_ first: Double) throws(ParseError) {
        if try accept(.times) != nil {
            return try append(.float(first), try parseCount() + 1)
        }
        let kind = try peek().kind
        guard kind == .operation(.add) || kind == .operation(.subtract) else {
            return try append(.float(first), 1)
        }
        let step = try parseNumber()
        _ = try expect(.times)
        var value = first
        for _ in 0...(try parseCount()) {
            try append(.float(value), 1)
            value += step
        }
    }

    private mutating func parseHistograms() throws(ParseError) {
        let (first, isGiven) = try parseHistogram()
        let kind = try peek().kind
        if kind == .times {
            _ = try next()
            return try append(.histogram(first, hintIsGiven: isGiven), try parseCount() + 1)
        }
        guard kind == .operation(.add) || kind == .operation(.subtract) else {
            return try append(.histogram(first, hintIsGiven: isGiven), 1)
        }
        _ = try next()
        let (step, stepIsGiven) = try parseHistogram()
        _ = try expect(.times)
        let place = try peek().source
        let count = try parseCount()
        var current = first
        try append(.histogram(current, hintIsGiven: stepIsGiven), 1)
        for _ in 0..<count {
            do throws(HistogramError) {
                current = try combined(current, step, kind == .operation(.subtract))
            } catch {
                throw self.error("error combining histograms: \(error)", place)
            }
            try append(.histogram(current, hintIsGiven: stepIsGiven), 1)
        }
    }

    private func combined(
        _ current: FloatHistogram, _ step: FloatHistogram, _ isSubtraction: Bool
    ) throws(HistogramError) -> FloatHistogram {
        if current.schema > step.schema {
            throw HistogramError(
                "cannot merge from schema \(step.schema) to \(current.schema)")
        }
        return isSubtraction
            ? try current.subtracting(step).histogram : try current.adding(step).histogram
    }

    private mutating func append(_ value: SeriesValue, _ count: Int) throws(ParseError) {
        guard count <= Self.maximumValues - values.count else {
            throw error(
                "series values must not be more than \(Self.maximumValues)",
                SourceRange(lexer.start, lexer.position))
        }
        for _ in 0..<count { values.append(value) }
    }

    // MARK: Numbers

    mutating func parseNumber() throws(ParseError) -> Double {
        let kind = try peek().kind
        let isSigned = kind == .operation(.add) || kind == .operation(.subtract)
        if isSigned { _ = try next() }
        guard try peek().kind == .number else { throw try unexpected(Self.series) }
        let token = try next()
        do {
            let value = try PromQLSyntax.parseNumber(text(token))
            return kind == .operation(.subtract) ? -value : value
        } catch {
            throw self.error(error.message, token.source)
        }
    }

    /// How often something is repeated.
    private mutating func parseCount() throws(ParseError) -> Int {
        let token = try expect(.number)
        guard let count = Int(text(token)), (0...Self.maximumValues).contains(count) else {
            throw error(
                "invalid repetition in series values: strconv.ParseUint: parsing "
                    + "\(quoted(text(token))): invalid syntax", token.source)
        }
        return count
    }

    mutating func parseInteger() throws(ParseError) -> Int32 {
        let isNegative = try accept(.operation(.subtract)) != nil
        let token = try expect(.number)
        guard let value = Int32(text(token)) else {
            throw error(
                "invalid repetition in series values: strconv.ParseUint: parsing "
                    + "\(quoted(text(token))): invalid syntax", token.source)
        }
        return isNegative ? -value : value
    }
}
