// SPDX-License-Identifier: Apache-2.0
//
// Reads an exposition entry by entry, with everything there is to know about each: the general
// reader behind the fast lane of `LayoutScanner`.
//
// What counts as valid, and what an error says, is exactly what the scrape parser of Prometheus
// makes of the same bytes. That is less than the formats demand: order and nesting of families,
// exemplars on unsuitable metrics and duplicate metadata are not looked at.

internal import Bytes
package import Model

/// What a line of an exposition is.
package enum ExpositionEntry: Sendable, Hashable {
    case help, type, unit, comment
    case series
}

package struct ExpositionOptions: Sendable, Hashable {
    /// Adds `__type__` and `__unit__` to the labels of samples.
    package var typeAndUnitLabels = false
    /// Leaves out `_created` series of counters, histograms and summaries (OpenMetrics); they are
    /// the start timestamps of other series.
    package var skipsCreatedSeries = false

    package init() {}
}

/// Reads one exposition; a borrow of its bytes. The properties describe the entry that `next`
/// returned last and are valid until the next call.
package struct ExpositionReader: ~Escapable {
    var lexer: Lexer
    let typeAndUnitLabels: Bool
    /// The first byte of the current entry's line.
    package var lineStart: Int
    var names = NameRanges()
    /// What the last TYPE and UNIT lines said; they apply to all series that follow.
    package var family = FamilyContext()
    package private(set) var textRange = 0..<0
    var sample = SampleFields()
    var exemplarFields = ExemplarFields()
    var created: CreatedSearch

    /// Reads from `offset` on, which must be the start of a line.
    @_lifetime(copy bytes)
    package init(
        _ bytes: RawSpan, at offset: Int = 0, dialect: TextDialect, options: ExpositionOptions,
        family: FamilyContext = FamilyContext()
    ) {
        lexer = Lexer(bytes, at: offset, dialect: dialect)
        lineStart = offset
        typeAndUnitLabels = options.typeAndUnitLabels
        created = CreatedSearch(skipsSeries: options.skipsCreatedSeries)
        self.family = family
    }

    /// Where the next entry begins.
    package var offset: Int { lexer.offset }

    /// Whether the last entry ended its line.
    var isAtLineStart: Bool { lexer.state == .initial }

    /// The next entry; nil at the end of the exposition.
    @_lifetime(self: copy self)
    package mutating func next() throws(ExpositionError) -> ExpositionEntry? {
        while true {
            lineStart = lexer.offset
            names = NameRanges()
            if !created.isPeeking { exemplarFields = ExemplarFields() }
            let token = nextToken()
            switch token {
            case .end:
                if lexer.dialect == .text { return nil }
                throw ExpositionError("data does not end with # EOF")
            case .endWord:
                guard nextToken() == .end else {
                    throw ExpositionError("unexpected data after # EOF")
                }
                return nil
            case .linebreak where lexer.dialect == .text: continue
            case .help, .type, .unit: return try metadata(token)
            case .comment where lexer.dialect == .text:
                textRange = lexer.start..<lexer.offset
                try expect(.linebreak, "linebreak expected after comment")
                return .comment
            case .braceOpen, .metricName:
                try series(token)
                if created.skipsSeries, isCreatedSeries { continue }
                return .series
            default: throw unexpected(token, "expected a valid start token")
            }
        }
    }

    @_lifetime(self: copy self)
    mutating func nextToken() -> Token {
        while true {
            let token = lexer.next()
            if token != .whitespace { return token }
        }
    }

    @_lifetime(self: copy self)
    mutating func expect(_ token: Token, _ message: String) throws(ExpositionError) {
        let found = nextToken()
        if found != token { throw unexpected(found, message) }
    }

    /// The metric family name of a HELP, TYPE or UNIT entry, as written but without quotes.
    package var familyName: String { text(names.name) }

    /// The text of a comment with its `#`, the unit of a UNIT entry.
    package var text: String { text(textRange) }

    /// The help text with its escapes resolved.
    package var help: String {
        let bytes = lexer.bytes.extracting(textRange)
        return String(
            decoding: unescaped(bytes, resolvesQuotes: lexer.dialect == .openMetrics),
            as: UTF8.self)
    }

    func text(_ range: Range<Int>) -> String {
        unsafe lexer.bytes.extracting(range).withUnsafeBytes {
            unsafe String(decoding: $0, as: UTF8.self)
        }
    }
}

/// Metadata that applies to the series after it.
package struct FamilyContext: Sendable, Hashable {
    package var type: MetricType = .unknown
    package var unit = ""
    /// The length of the family's name in bytes.
    var nameLength = 0

    package init() {}

    package init(type: MetricType) { self.type = type }
}

/// Where the names and values of a series or a metadata line stand.
struct NameRanges {
    /// The metric name or family name; empty at offset -1 while none was found.
    var name = -1 ..< -1
    /// Names and values of labels, in turn.
    var labels: [Range<Int>] = []

    var hasName: Bool { name.lowerBound >= 0 }
}

// MARK: Metadata

extension ExpositionReader {
    @_lifetime(self: copy self)
    private mutating func metadata(_ token: Token) throws(ExpositionError) -> ExpositionEntry {
        try expect(.metricName, "expected metric name after \(token.rawValue)")
        names.name = lexer.start..<lexer.offset
        if lexer.byte(at: lexer.start) == UInt8(ascii: "\""),
            lexer.byte(at: lexer.offset - 1) == UInt8(ascii: "\"")
        {
            names.name = (lexer.start + 1)..<(lexer.offset - 1)
        }
        family.nameLength = names.name.count
        let found = nextToken()
        guard found == .text else {
            let detail = lexer.dialect == .text ? ", got \(found.rawValue)" : ""
            throw ExpositionError("expected text in \(token.rawValue)\(detail)")
        }
        let isTextEmpty = lexer.offset - lexer.start <= 1
        let textEnd = lexer.dialect == .text ? lexer.offset : lexer.offset - 1
        textRange = isTextEmpty ? lexer.start..<lexer.start : (lexer.start + 1)..<textEnd
        if token == .type { try setType() }
        if token == .help, !isValidUTF8(lexer.bytes.extracting(textRange)) {
            let text = quoted(lexer.bytes.extracting(textRange))
            throw ExpositionError("help text \(text) is not a valid utf8 string")
        }
        if lexer.dialect == .text {
            try expect(.linebreak, "linebreak expected after metadata")
        }
        switch token {
        case .help: return .help
        case .type: return .type
        default:
            try setUnit()
            return .unit
        }
    }

    private mutating func setType() throws(ExpositionError) {
        let name = text
        // Each dialect has its own word for a type that is not known.
        let type: MetricType? =
            switch lexer.dialect {
            case .text:
                switch name {
                case "untyped": .unknown
                case "counter", "gauge", "histogram", "summary": MetricType(rawValue: name)
                default: nil
                }
            case .openMetrics: MetricType(rawValue: name)
            }
        guard let type else { throw ExpositionError("invalid metric type \(quotedText)") }
        family.type = type
    }

    private mutating func setUnit() throws(ExpositionError) {
        family.unit = text
        guard !textRange.isEmpty else { return }
        let name = names.name
        let suffixStart = name.upperBound - textRange.count
        let isSuffix =
            suffixStart > name.lowerBound
            && lexer.byte(at: suffixStart - 1) == UInt8(ascii: "_")
            && compareBytes(
                lexer.bytes.extracting(suffixStart..<name.upperBound),
                lexer.bytes.extracting(textRange)) == 0
        if !isSuffix {
            let metric = quoted(lexer.bytes.extracting(name))
            throw ExpositionError("unit \(quotedText) not a suffix of metric \(metric)")
        }
    }

    private var quotedText: String { quoted(lexer.bytes.extracting(textRange)) }
}

// MARK: Errors

extension ExpositionReader {
    func unexpected(_ token: Token, _ message: String) -> ExpositionError {
        let end = min(lexer.count, lexer.offset + 1)
        let found = quotedSource(lexer.start..<end)
        let context = quotedSource(lineStart..<end)
        return ExpositionError(
            "\(message), got \(found) (\"\(token.rawValue)\") while parsing: \(context)")
    }

    /// `message` and the line up to where the lexer is.
    func failure(_ message: String) -> ExpositionError {
        ExpositionError("\(message) while parsing: \(quotedSource(lineStart..<lexer.offset))")
    }

    /// The source with the line break that is taken to stand behind a Prometheus text.
    private func quotedSource(_ range: Range<Int>) -> String {
        if range.upperBound <= lexer.bytes.byteCount {
            return quoted(lexer.bytes.extracting(range))
        }
        var copy: [UInt8] = []
        for offset in range { copy.append(lexer.byte(at: offset)) }
        return quoted(copy.raw)
    }
}
