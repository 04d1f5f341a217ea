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

    /// What stands before, in and behind the middle of a query, once for each level.
    typealias Shape = (before: String, inner: String, after: String)

    static let nestedShapes: [Shape] = [
        ("(", "a", ")"), ("abs(", "a", ")"), ("-", "a", ""), ("a ^ ", "a", ""), ("sum(", "a", ")"),
        ("max_over_time(", "a", "[5m:])"), ("{", "", ""), ("a[5m] offset (", "5m", ")"),
        ("sum by (a) (", "a", ") + on (a) group_left (c) b"),
    ]
    static let operatorChains: [Shape] = [
        ("", "a", " + a"), ("", "a", " or a"), ("", "1", " * 2"),
        ("", "a", " - on (b) group_left () a"), ("", "a", " > bool 1"),
    ]

    private static func query(_ shape: Shape, _ levels: Int) -> String {
        String(repeating: shape.before, count: levels) + shape.inner
            + String(repeating: shape.after, count: levels)
    }

    /// Walks a query in every way that this module has, and frees it.
    @discardableResult
    private static func walk(_ query: String) -> Bool {
        guard let expression = try? parseExpression(query, .all) else { return false }
        var writer = JSONWriter()
        writer.syntaxTree(expression)
        return !expression.description.isEmpty && expression == expression
            && expression.hashValue != 0
            // Lines of a chain are indented by its length.
            && (query.utf8.count > 4000 || !expression.pretty().isEmpty)
    }

    @Test("What nests is accepted up to the limit and refused beyond", arguments: nestedShapes)
    func nesting(_ shape: Shape) {
        onStack { for levels in [10, 240] { Self.walk(Self.query(shape, levels)) } }
        onStack {
            for levels in [497...503, 995...1005].joined() { Self.walk(Self.query(shape, levels)) }
            #expect(!Self.walk(Self.query(shape, 100_000)))
        }
    }

    @Test("Chains of thousands of operators are accepted", arguments: operatorChains)
    func chains(_ shape: Shape) {
        onStack {
            #expect(Self.walk(Self.query(shape, 5000)))
            #expect(Self.walk(Self.query(shape, maximumExpressionHeight - 1)))
            #expect(!Self.walk(Self.query(shape, maximumExpressionHeight + 1)))
            #expect(!Self.walk(Self.query(shape, 100_000)))
        }
    }

    @Test("A long chain is laid out in bounded time, its innermost operations on one line")
    func layout() throws {
        let chain = String(repeating: "a + ", count: 2000) + "a"
        let lines = try parseExpression(chain).pretty(width: 13).split(separator: "\n")
        #expect(lines.count == 1 + 2 * 1997)
        #expect(lines[0].drop { $0 == " " } == "a + a + a + a")
        #expect(lines.suffix(2) == ["+", "  a"])
    }

    @Test("Levels of durations are counted together: each may hold a chain of its own")
    func durations() {
        let level = String(repeating: "+1", count: 240) + ")"
        let nested =
            "a[" + String(repeating: "(", count: 240) + "1"
            + String(repeating: level, count: 240) + "]"
        onStack { #expect(!Self.walk(nested)) }
        let sum = "rate(a[1" + String(repeating: "+1", count: 400) + "])"
        onStack { #expect(Self.walk(sum + " or " + sum + " or " + sum)) }
    }

    static let longShapes: [Shape] = [
        ("", "1==", "1"), ("(", "1==1)+(", "1)"), ("a + on(", "a,", "a) group_left(b) c"),
        ("a + on(b", ",b", ") group_left(a\(String(repeating: ",a", count: 50_000))) c"),
        ("", "9", ""), ("0.", "0", "1"), ("", "a or ", "a"), ("label_join(a", ",\"b\"", ")"),
        ("", "((((a))))+", "1"), ("a{b=~\"", "(a|b)*", "\"}"), ("\"", "\\n", "\""),
        ("a[", "1s", "]"), ("", "-", "1"), ("", "[", ""), ("", "#\n", "1"),
        ("a{", "b=\"\",", "}"),
        ("sum by (", "a,", "b) (c)"), ("a[5m", "+5m", "]"), ("a", " @ 1", ""),
    ]

    @Test("A long query is answered in bounded time", arguments: longShapes.indices)
    func longQueries(_ index: Int) {
        let (start, piece, end) = Self.longShapes[index]
        let query = start + String(repeating: piece, count: 100_000 / piece.utf8.count) + end
        let clock = ContinuousClock()
        let taken = clock.measure { onStack { Self.walk(query) } }
        #expect(taken < .seconds(20))
    }

    @Test("The error of a query that is too deep says so")
    func depthError() {
        @Sendable func message(_ query: String) -> String? {
            do {
                _ = try parseExpression(query)
                return nil
            } catch {
                return error.message
            }
        }
        let nested = String(repeating: "(", count: 2000) + "1" + String(repeating: ")", count: 2000)
        let chained = String(repeating: "1+", count: 10_000) + "1"
        let text = "expression is nested too deeply: more than"
        onStack {
            #expect(message(nested) == "\(text) \(maximumNesting) levels")
            #expect(message(chained) == "\(text) \(maximumExpressionHeight) levels")
        }
    }
}

/// Runs `body` on a thread with a stack of the size that is promised to be enough.
private func onStack(_ body: @escaping @Sendable () -> Void) {
    let done = DispatchSemaphore(value: 0)
    let thread = Thread {
        body()
        done.signal()
    }
    // Without optimisation the frames are some eight times as large.
    #if DEBUG
        thread.stackSize = 64 << 20
    #else
        thread.stackSize = 8 << 20
    #endif
    thread.start()
    done.wait()
}
