// SPDX-License-Identifier: Apache-2.0

import Model
import Testing

@testable import PromQLSyntax

@Suite struct ParsingTests {
    @Test(
        "Operators bind as documented",
        arguments: [
            ("a + b * c", "(a + (b * c))"), ("a ^ b ^ c", "(a ^ (b ^ c))"),
            ("-a ^ b", "(-(a ^ b))"), ("a ^ -b * c", "((a ^ (-b)) * c)"),
            ("a or b and c", "(a or (b and c))"), ("a - b - c", "((a - b) - c)"),
            ("a offset 5m + b", "(a offset 5m + b)"), ("-a offset 5m", "(-a offset 5m)"),
            ("a + b == c or d", "(((a + b) == c) or d)"), ("1 - -1", "(1 - -1)"),
        ])
    func precedence(_ query: String, _ grouped: String) throws {
        func show(_ expression: Expression) -> String {
            switch expression {
            case .binary(let node):
                "(\(show(node.left)) \(node.operation.rawValue) \(show(node.right)))"
            case .unary(let node): "(-\(show(node.expression)))"
            default: expression.description
            }
        }
        #expect(show(try parseExpression(query)) == grouped)
    }

    @Test(
        "Errors name the token and the place, and point at its bytes",
        arguments: [
            ("sum(1 +)", "1:8: parse error: unexpected \")\" in aggregation"),
            ("foo\n  and", "2:6: parse error: unexpected end of input"),
            (
                "foo[5m 5m]",
                "1:8: parse error: unexpected duration \"5m\" in subquery or range, "
                    + "expected \":\" or \"]\""
            ),
            (
                "foo offset",
                "1:11: parse error: unexpected end of input in offset, "
                    + "expected number, duration, step(), or range()"
            ),
            (
                "foo{a=~\"(\"}",
                "1:5: parse error: error parsing regexp: missing closing ): `(`"
            ),
            ("", "unknown position: parse error: no expression found in input"),
            (
                "limitk(1, foo)",
                "1:1: parse error: limitk() is experimental and must be enabled "
                    + "with --enable-feature=promql-experimental-functions"
            ),
            ("a anchored", "1:1: parse error: anchored modifier is experimental and not enabled"),
            (
                "a + fill(1) b",
                "1:1: parse error: binop fill modifiers are experimental and not "
                    + "enabled"
            ),
            ("sort_by_label(a)", "1:1: parse error: function \"sort_by_label\" is not enabled"),
            (
                "foo{a=\"\\u00\"}",
                "1:7: parse error: illegal character U+0022 '\"' in escape "
                    + "sequence"
            ),
        ])
    func errors(_ query: String, _ text: String) {
        #expect {
            _ = try parseExpression(query)
        } throws: {
            "\($0)" == text
        }
    }

    @Test("Matchers of match[] come in the order written, that of the name last")
    func selectors() throws {
        #expect(
            try parseMetricSelector("up{b=\"1\",a!=\"2\"}").map(\.description)
                == ["b=\"1\"", "a!=\"2\"", "__name__=\"up\""])
        #expect(throws: ParseError.self) { try parseMetricSelector("up offset 5m") }
        #expect(throws: ParseError.self) { try parseMetricSelector("sum(up)") }
    }

    @Test("Computed durations are evaluated in seconds and cut off to milliseconds")
    func durations() throws {
        guard case .matrixSelector(let node) = try parseExpression("a[step() * 1.5 + 2 ^ 3]") else {
            Issue.record("no matrix selector")
            return
        }
        let context = DurationContext(step: 15_001, range: 0)
        #expect(try node.range.milliseconds(in: context) == 30_501)
        #expect {
            _ = try parseRange("a[step() - 1]").milliseconds(in: .instant)
        } throws: {
            "\($0)" == "2:12: duration must be greater than 0"
        }
    }

    private func parseRange(_ query: String) throws -> DurationExpression {
        guard case .matrixSelector(let node) = try parseExpression(query) else {
            return .step(source: SourceRange(0, 0))
        }
        return node.range
    }
}
