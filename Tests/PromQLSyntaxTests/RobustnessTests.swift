// SPDX-License-Identifier: Apache-2.0

@preconcurrency import Foundation
import JSON
import Model
import Testing

@testable import PromQLSyntax

/// A small generator whose seed fixes its numbers.
private struct SeededGenerator: RandomNumberGenerator {
    var state: UInt64
    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var word = state
        word = (word ^ (word >> 30)) &* 0xBF58_476D_1CE4_E5B9
        word = (word ^ (word >> 27)) &* 0x94D0_49BB_1331_11EB
        return word ^ (word >> 31)
    }
}

@Suite struct RobustnessTests {
    static let seeds = [
        "sum by (a, \"b.c\") (rate(foo{x=~\"a|b\", y!=\"\"}[5m] offset -1h)) / on (a) group_left bar",
        "topk(5, up) or {\"a.b\", c=`d`} @ 1.5 unless -1 ^ 2 > bool 3 # comment",
        "max_over_time((a + b)[step() * 2:min_of(1m, range())] @ end() offset (5m - 3))",
        "a smoothed + fill_left(-1) fill_right(0x1F) b </ 3 >/ 0.5e-3", "'\\xff\\u1234' 1_000 Inf",
    ]
    static let series = [
        "my{a=\"b\"} 1 2+3x4 _x2 _ stale -1-1x2 NaN",
        "{} {{schema:1 sum:-0.3 buckets:[1 2 3] counter_reset_hint:gauge}}+{{n_buckets:[4]}}x3",
    ]

    @Test("No text traps the parser, and what it accepts prints as something it accepts")
    func mutations() throws {
        var random = SeededGenerator(state: 7)
        let pieces = Array("(){}[]\"'`\\,:=!~<>+-*/%^@#_xe0159.sm \nµ\u{FFFD}".utf8) + [0xFF, 0xE2]
        for round in 0..<4000 {
            var bytes = Array(Self.seeds[round % Self.seeds.count].utf8)
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                let at = Int.random(in: 0..<bytes.count, using: &random)
                switch Int.random(in: 0..<4, using: &random) {
                case 0: bytes.remove(at: at)
                case 1: bytes[at] = pieces.randomElement(using: &random)!
                case 2: bytes.insert(pieces.randomElement(using: &random)!, at: at)
                default:
                    let end = min(bytes.count, at + 8)
                    bytes.insert(contentsOf: bytes[at..<end], at: 0)
                }
                if bytes.isEmpty { bytes = [0x31] }
            }
            let query = String(decoding: bytes, as: UTF8.self)
            _ = try? lexemes(query, describesSeries: true)
            _ = try? parseMetricSelector(query)
            guard let expression = try? parseExpression(query, .all) else { continue }
            let printed = expression.description
            let again = try? parseExpression(printed, .all)
            #expect(again?.description == printed, "\(query)")
            _ = expression.pretty(width: 10)
        }
    }

    @Test(
        "Trees of the greatest depth fit into a stack of 512 KiB, deeper ones are refused",
        arguments: [
            ("(", "a", ")"), ("abs(", "a", ")"), ("-", "a", ""), ("", "a", " + a"),
            ("a ^ ", "a", ""),
            ("sum(", "a", ")"), ("", "a", "[5m:]"), ("max_over_time(", "a", "[5m:])"),
            ("a[5m] offset (", "5m", ")"), ("{", "", ""), ("", "a", " or a"),
            ("sum by (a) (", "a", ") + on (a) group_left (c) b"),
        ])
    func depth(_ before: String, _ inner: String, _ after: String) {
        @Sendable func run(_ levels: Int) -> Bool {
            let query =
                String(repeating: before, count: levels) + inner
                + String(repeating: after, count: levels)
            guard let expression = try? parseExpression(query, .all) else { return false }
            var writer = JSONWriter()
            writer.syntaxTree(expression)
            return !expression.description.isEmpty && expression == expression
        }
        let thread = Thread {
            for levels in [10, 100, 124, 125, 248, 249, 250, 1000, 100_000] { _ = run(levels) }
        }
        // Without optimisation the frames are some eight times as large.
        #if DEBUG
            thread.stackSize = 4096 * 1024
        #else
            thread.stackSize = 512 * 1024
        #endif
        thread.start()
        while !thread.isFinished { Thread.sleep(forTimeInterval: 0.001) }
    }

    @Test("The error of a query that is too deep says so")
    func depthError() {
        let query = String(repeating: "(", count: 2000) + "1" + String(repeating: ")", count: 2000)
        #expect {
            _ = try parseExpression(query)
        } throws: {
            ($0 as? ParseError)?.message
                == "expression is nested too deeply: more than \(maximumExpressionDepth) levels"
        }
    }
}
