// SPDX-License-Identifier: Apache-2.0

import Bytes
import JSON
import Model
import PromQLSyntax

/// What the parser accepts is printed as something that it accepts, which prints the same.
func fuzzPromQL(_ bytes: [UInt8]) {
    let query = String(decoding: bytes, as: UTF8.self)
    _ = try? parseMetricSelector(query)
    _ = try? parseSeriesDescription(query)
    guard let expression = try? parseExpression(query, .all) else { return }
    var tree = JSONWriter()
    tree.syntaxTree(expression)
    precondition((try? JSONValue(parsing: tree.output.bytes.span.bytes)) != nil, "the tree is JSON")
    let printed = expression.description
    let again = try? parseExpression(printed, .all)
    precondition(again?.description == printed, "what is printed reads as the same")
    let pretty = expression.pretty(width: 20)
    let unfolded = try? parseExpression(pretty, .all)
    precondition(unfolded?.description == printed, "what is laid out reads as the same")
}
