// SPDX-License-Identifier: Apache-2.0

import Instrumentation
import Model
import Platform
import PromQL
import PromQLScripts
import PromQLSyntax
import Storage
import Testing

/// Queries that programs write: chains of thousands of operators, deep nests, megabytes of text.
/// They run where queries run, on a thread with a deep stack.
@Suite struct LongQueryTests {
    /// Answers or error texts of queries over six steps, in the order of the queries.
    private func answers(_ queries: [String], atOnce: Bool = false) throws -> [String] {
        let storage = MemoryStorage()
        for name in ["a", "b"] {
            var samples = SampleColumns()
            samples.timestamps = [0, 60_000, 120_000]
            samples.values = [1, 2, 3]
            let labels = Labels([LabelName.metric: name, "l": "x"])
            #expect(storage.append(labels, samples))
        }
        let found = Monitor<[String]>([])
        let pool = try BoundedPool("query", threads: 1, queueLimit: queries.count)
        for query in queries {
            let isTaken = pool.submit {
                let text = Self.answer(query, storage, atOnce)
                found.withLock { $0.append(text) }
            }
            #expect(isTaken)
        }
        pool.close()
        return found.withLock { $0 }
    }

    private static func answer(_ query: String, _ storage: MemoryStorage, _ atOnce: Bool) -> String
    {
        var configuration = EngineConfiguration()
        configuration.parser = .all
        configuration.timeout = 60
        let engine = Engine(configuration, registry: Registry())
        do throws(QueryError) {
            let result =
                atOnce
                ? try engine.instant(query, at: 120_000, on: storage)
                : try engine.range(
                    query, from: 0, through: 120_000, step: 60_000, on: storage)
            switch result.value {
            case .scalar(let sample): return "\(sample.value)"
            case .string(let text, _): return text
            case .vector(let elements):
                return elements.map { "\($0.labels) \($0.value)" }.joined(separator: "; ")
            case .matrix(let series):
                return series.map { "\($0.labels) \($0.values)" }.joined(separator: "; ")
            }
        } catch {
            return error.message
        }
    }

    @Test("Chains of operators of every kind are evaluated")
    func chains() throws {
        func chain(_ term: String, _ next: String) -> String {
            term + String(repeating: next, count: 4999)
        }
        let queries = [
            chain("a", " or a"), chain("a", " and b"), chain("a", " unless c"),
            chain("a", " + a"), chain("a", " + on (l) group_left () b"), chain("a", " + 1"),
            chain("1", " + 1"), chain("1", " + a"), chain("a", " > 0"), chain("a @ 0", " + 1"),
            "sum(" + chain("a", " * 1") + ")",
            "max_over_time((" + chain("a", " + 0") + ")[2m:1m])",
        ]
        let a = "{__name__=\"a\", l=\"x\"}"
        #expect(
            try answers(queries) == [
                "\(a) [1.0, 2.0, 3.0]", "\(a) [1.0, 2.0, 3.0]", "\(a) [1.0, 2.0, 3.0]",
                "{l=\"x\"} [5000.0, 10000.0, 15000.0]", "{l=\"x\"} [5000.0, 10000.0, 15000.0]",
                "{l=\"x\"} [5000.0, 5001.0, 5002.0]", "{} [5000.0, 5000.0, 5000.0]",
                "{l=\"x\"} [5000.0, 9999.0, 14998.0]", "\(a) [1.0, 2.0, 3.0]",
                "{l=\"x\"} [5000.0, 5000.0, 5000.0]", "{} [1.0, 2.0, 3.0]",
                "{l=\"x\"} [1.0, 2.0, 3.0]",
            ])
        #expect(try answers([queries[0], queries[6]], atOnce: true) == ["\(a) 3.0", "5000.0"])
    }

    @Test("Nested functions, aggregations, subqueries, signs and parentheses are evaluated")
    func nests() throws {
        // Parentheses behind an operator are two levels.
        let depth = maximumNesting / 2 - 10
        func nest(_ before: String, _ inner: String, _ after: String) -> String {
            String(repeating: before, count: depth) + inner
                + String(repeating: after, count: depth)
        }
        let queries = [
            nest("(", "a", ")"), nest("abs(", "a", ")"), nest("sum(", "a", ")"),
            nest("-", "a", ""), nest("2 ^ ", "0", ""), nest("max_over_time(", "a", "[1m:1m])"),
            nest("topk(1, ", "a", ")"), nest("a + (", "a", ")"), nest("a or (", "a", ")"),
            nest("quantile(0.5, ", "a", ")"), nest("vector(scalar(", "a", "))"),
            nest("label_replace(", "a", ", \"x\", \"$1\", \"l\", \"(.*)\")"),
            nest("histogram_quantile(0.5, ", "a", ")"), nest("absent(", "a", ")"),
            nest("sort(", "a", ")"), nest("clamp(", "a", ", 0, 1)"),
        ]
        let found = try answers(queries)
        #expect(found.count == queries.count)
        #expect(found[0] == "{__name__=\"a\", l=\"x\"} [1.0, 2.0, 3.0]")
        #expect(found[2] == "{} [1.0, 2.0, 3.0]")
        #expect(found[7] == "{l=\"x\"} [241.0, 482.0, 723.0]")
    }

    @Test("What is too long is refused with the position where that was seen")
    func tooLong() throws {
        let chain = "1" + String(repeating: "+1", count: 500_000)
        let nest = String(repeating: "(", count: 500_000)
        let levels = "expression is nested too deeply: more than"
        #expect(
            try answers([chain, nest]) == [
                "1:12003: parse error: \(levels) \(maximumExpressionHeight) levels",
                "1:501: parse error: \(levels) \(maximumNesting) levels",
            ])
    }

    @Test("Thousands of matchers, labels, alternatives, arguments and comments in a row")
    func wide() throws {
        func list(_ separator: String = ",", _ item: (Int) -> String) -> String {
            (0..<3000).map(item).joined(separator: separator)
        }
        let queries = [
            "a{" + list { "l!=\"v\($0)\"" } + "}",
            "a{l=~\"x|" + list("|") { "v\($0)" } + "\"}",
            "sum by (l, " + list { "l\($0)" } + ") (a)",
            "a * on (l, " + list { "l\($0)" } + ") group_left (" + list { "m\($0)" } + ") b",
            "label_join(a, \"m\", \"\", " + list { "\"l\($0)\"" } + ", \"l\")",
            list("\n") { "# \($0)" } + "\na",
        ]
        let values = "[1.0, 2.0, 3.0]"
        let a = "{__name__=\"a\", l=\"x\"} \(values)"
        #expect(
            try answers(queries) == [
                a, a, "{l=\"x\"} \(values)", "{l=\"x\"} [1.0, 4.0, 9.0]",
                "{__name__=\"a\", l=\"x\", m=\"x\"} \(values)", a,
            ])
    }
}
