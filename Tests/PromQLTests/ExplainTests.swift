// SPDX-License-Identifier: Apache-2.0

import Model
import PromQL
import Testing

@Suite struct ExplainTests {
    let load = """
        load 10s
          metric{foo="bar", run="1"} 1+1x200
          metric{foo="bar", run="2"} 1+2x200
          metric{foo="baz", run="3"} 1+3x200
        """

    /// `sum(rate(range selector))`, indented by nesting.
    private func outline(_ node: PlanNode) -> String {
        let inner = node.children.map { outline($0) }.joined(separator: ", ")
        return node.operation + (inner.isEmpty ? "" : "(\(inner))")
    }

    @Test(
        "A plan is the tree of operations, without parentheses",
        arguments: [
            ("metric", "selector"),
            ("(sum by (foo) (rate(metric[5m])))", "sum(rate(range selector))"),
            ("topk(2, -metric)", "topk(number, -(selector))"),
            ("metric / on (foo) group_left sum by (foo) (metric)", "/(selector, sum(selector))"),
            ("sum(metric @ 100) > 5", "repeat(>(sum(selector), number))"),
            ("metric > sum(metric @ 100)", ">(selector, repeat(sum(selector)))"),
            ("max_over_time(abs(metric)[5m:1m])", "max_over_time(subquery(abs(selector)))"),
            (
                "label_replace(metric, \"a\", \"b\", \"c\", \"d\")",
                "label_replace(selector, string, string, string, string)"
            ),
        ])
    func plans(_ query: String, _ expected: String) throws {
        let plan = try Bench(load).engine.plan(
            query, from: 600_000, through: 700_000, step: 10_000)
        #expect(outline(plan) == expected)
        #expect(plan.analysis == nil)
    }

    @Test("A selector tells what it reads, and with which earlier one it shares it")
    func selectors() throws {
        let plan = try Bench(load).engine.plan(
            "rate(metric{foo=\"bar\"}[5m] offset 1m) + rate(metric{foo=\"bar\"}[5m] offset 1m)",
            from: 600_000, through: 700_000, step: 10_000)
        let (first, second) = (plan.children[0].children[0], plan.children[1].children[0])
        #expect(first.matchers.map(\.description) == ["foo=\"bar\"", "__name__=\"metric\""])
        #expect(first.reads == TimeRange(start: 240_001, end: 640_000))
        #expect(first.rewrites.isEmpty)
        #expect(second.rewrites == ["shares its series with the selector at 5"])
        #expect(first.source.start == 5)
        #expect(plan.steps.count == 11)
    }

    private func analysed(_ query: String) throws -> PlanNode {
        let bench = try Bench(load)
        var options = QueryOptions()
        options.explains = true
        let result = try bench.engine.range(
            query, from: 600_000, through: 700_000, step: 10_000, on: bench.storage, options)
        return try #require(result.plan)
    }

    @Test("Under observation each node tells what it came to")
    func analysis() throws {
        let plan = try analysed("sum by (foo) (rate(metric[1m]))")
        let sum = try #require(plan.analysis)
        let rate = try #require(plan.children[0].analysis)
        #expect(sum.series == 2 && sum.samples == 22)
        #expect(rate.series == 3 && rate.samples == 33)
        #expect(rate.samplesQueryable == 198 && rate.samplesRead == 48)
        #expect(sum.samplesRead == 48, "with all that is below it")
        #expect(rate.windows?.reused == 2 && rate.windows?.computed == 1)
        #expect(sum.time >= rate.time && rate.time > 0)
        #expect(abs(sum.ownTime - (sum.time - rate.time)) < 1e-9)
        #expect(sum.bytes ?? 0 > 0)
    }

    @Test("Repeated parts and subqueries are observed too")
    func nested() throws {
        let repeated = try analysed("sum(metric @ 100)")
        #expect(repeated.operation == "repeat")
        #expect(repeated.analysis?.samples == 11)
        #expect(repeated.children[0].analysis?.samples == 1)
        #expect(repeated.children[0].children[0].analysis?.series == 3)
        let nested = try analysed("max_over_time(abs(metric)[1m:20s])")
        #expect(nested.analysis?.samples == 33)
        #expect(nested.children[0].analysis?.series == 3)
        #expect(nested.children[0].children[0].analysis?.series == 3)
        #expect(nested.children[0].children[0].children[0].analysis?.series == 3)
    }

    @Test("Results are the same under observation, and there is no plan without it")
    func sameResult() throws {
        let bench = try Bench(load)
        let plain = try bench.instant("sort(metric * 2)", at: 600_000)
        #expect(plain.plan == nil)
        var options = QueryOptions()
        options.explains = true
        let observed = try bench.instant("sort(metric * 2)", at: 600_000, options)
        guard case .vector(let first) = plain.value, case .vector(let second) = observed.value
        else {
            Issue.record("no vectors")
            return
        }
        #expect(first.map(\.value) == second.map(\.value))
        #expect(first.map(\.labels) == second.map(\.labels))
    }
}
