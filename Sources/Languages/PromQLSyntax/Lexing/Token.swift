// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import Model

/// What a token is. Words that mean something are told apart here whatever their case; whether one
/// stands for its meaning or for a name is the parser's business.
enum TokenKind: Sendable, Hashable {
    case endOfInput, comment
    case identifier, metricIdentifier, number, duration, string
    case leftBrace, rightBrace, leftBracket, rightBracket, leftParenthesis, rightParenthesis
    case comma, colon, equal
    case operation(BinaryOperator)
    case regexMatch, regexNoMatch, at
    case aggregation(AggregationOperator)
    case keyword(Keyword)
    case preprocessor(Preprocessor)

    // Series descriptions only.
    case space, blank, times, openHistogram, closeHistogram
    case histogramKey(HistogramKey)
    case resetHint(CounterResetHint)
}

enum Keyword: String, Sendable, Hashable, CaseIterable {
    case offset, smoothed, anchored, by, without, on, ignoring, fill, bool
    case groupLeft = "group_left"
    case groupRight = "group_right"
    case fillLeft = "fill_left"
    case fillRight = "fill_right"
}

/// Words that stand for a property of the query, and the functions that durations are made with.
enum Preprocessor: String, Sendable, Hashable, CaseIterable {
    case start, end, step, range
    case maximum = "max_of"
    case minimum = "min_of"
}

/// The keys of a histogram in a series description.
enum HistogramKey: String, Sendable, Hashable, CaseIterable {
    case sum, count, schema, offset, buckets
    case negativeOffset = "n_offset"
    case negativeBuckets = "n_buckets"
    case zeroBucket = "z_bucket"
    case zeroBucketWidth = "z_bucket_w"
    case customValues = "custom_values"
    case counterResetHint = "counter_reset_hint"
}

/// A run of bytes of the query with a meaning.
struct Token: Sendable, Hashable {
    var kind: TokenKind
    var source: SourceRange
}

extension TokenKind {
    /// The words of the language in lower case.
    static let words: [String: TokenKind] = {
        var words: [String: TokenKind] = ["inf": .number, "nan": .number]
        for operation in [BinaryOperator.and, .or, .unless, .atan2] {
            words[operation.rawValue] = .operation(operation)
        }
        for operation in AggregationOperator.allCases {
            words[operation.rawValue] = .aggregation(operation)
        }
        for keyword in Keyword.allCases { words[keyword.rawValue] = .keyword(keyword) }
        for word in Preprocessor.allCases { words[word.rawValue] = .preprocessor(word) }
        return words
    }()

    static let histogramKeys = Dictionary(
        uniqueKeysWithValues: HistogramKey.allCases.map {
            ($0.rawValue, TokenKind.histogramKey($0))
        })

    static let resetHints: [String: TokenKind] = [
        "unknown": .resetHint(.unknown), "reset": .resetHint(.reset),
        "not_reset": .resetHint(.notReset), "gauge": .resetHint(.gauge),
    ]

    /// Words that may be the name of a metric.
    var canNameMetric: Bool {
        switch self {
        case .identifier, .metricIdentifier, .aggregation, .preprocessor: true
        case .operation(let operation): operation.isSet
        case .keyword(let word):
            switch word {
            case .offset, .smoothed, .anchored, .by, .without, .fill, .fillLeft, .fillRight: true
            case .on, .ignoring, .bool, .groupLeft, .groupRight: false
            }
        default: false
        }
    }

    /// Words that may name a label in `by (…)`, `on (…)` and the like.
    var canNameLabel: Bool {
        switch self {
        case .identifier, .metricIdentifier, .aggregation, .preprocessor: true
        case .operation(let operation): operation.isSet || operation == .atan2
        case .keyword(let word): word != .without
        default: false
        }
    }

    /// The token in an error text; `text` is what was written.
    func described(_ text: String) -> String {
        switch self {
        case .endOfInput: "end of input"
        case .identifier: "identifier \(shortened(text))"
        case .metricIdentifier: "metric identifier \(quoted(text))"
        case .number: "number \(shortened(text))"
        case .duration: "duration \(shortened(text))"
        case .string: "string \(shortened(text))"
        case .operation, .regexMatch, .regexNoMatch, .at: "<op:\(text)>"
        case .aggregation: "<aggr:\(text)>"
        case .keyword: "<\(text)>"
        default: shortened(text)
        }
    }

    private func shortened(_ text: String) -> String {
        let scalars = text.unicodeScalars
        if self == .identifier || text.utf8.count <= 10 { return quoted(text) }
        return quoted(String(String.UnicodeScalarView(scalars.prefix(10)))) + "..."
    }
}
