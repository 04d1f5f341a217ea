// SPDX-License-Identifier: Apache-2.0

internal import Model
internal import PromQLSyntax

/// A query that has been read and found valid.
public struct Query: Sendable, CustomStringConvertible {
    public enum ValueType: String, Sendable, Hashable {
        case scalar, vector, matrix, string
    }

    private let expression: PromQLSyntax.Expression

    /// Reads a query, with the parts of the language that are enabled.
    public init(
        _ text: String, _ features: EngineOptions.Features = []
    ) throws(QuerySyntaxError) {
        var options = EngineOptions()
        options.features = features
        do {
            expression = try parseExpression(text, options.parser)
        } catch {
            throw QuerySyntaxError(
                message: error.message, position: error.position,
                range: error.source.start..<max(error.source.start, error.source.end))
        }
    }

    /// What the query gives where it is evaluated at one time.
    public var type: ValueType { ValueType(rawValue: expression.type.rawValue) ?? .vector }

    /// The canonical text, on one line.
    public var description: String { expression.description }

    /// The text with line breaks where a line would have more than `width` columns.
    public func formatted(width: Int = 100) -> String { expression.pretty(width: width) }
}

/// Why a text is no query.
public struct QuerySyntaxError: Error, Sendable, CustomStringConvertible {
    /// Prometheus' sentence.
    public var message: String
    /// Line and column of the mistake, both from 1: `1:7`.
    public var position: String
    /// The bytes of the text that are wrong.
    public var range: Range<Int>

    public var description: String { "\(position): parse error: \(message)" }
}
