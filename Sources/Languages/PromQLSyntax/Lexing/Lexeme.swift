// SPDX-License-Identifier: Apache-2.0

/// A token as those see it who show queries: highlighters and tests.
package struct Lexeme: Sendable, Hashable {
    /// The class of the token, or the token itself where it is the only one of its class, as error
    /// texts name it.
    package var kind: String
    package var text: String
    package var source: SourceRange
}

/// All tokens of a query, comments among them, or of a series description.
package func lexemes(
    _ query: String, describesSeries: Bool = false
) throws(ParseError) -> [Lexeme] {
    var lexer = Lexer(query, describesSeries: describesSeries)
    var result: [Lexeme] = []
    while true {
        let token = try lexer.next()
        if token.kind == .endOfInput { return result }
        let text = lexer.text(token.source)
        let kind =
            switch token.kind {
            case .identifier: "identifier"
            case .metricIdentifier: "metric identifier"
            case .number: "number"
            case .duration: "duration"
            case .string: "string"
            case .comment: "comment"
            default: token.kind.described(text)
            }
        result.append(Lexeme(kind: kind, text: text, source: token.source))
    }
}
