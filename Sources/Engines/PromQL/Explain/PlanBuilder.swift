// SPDX-License-Identifier: Apache-2.0
//
// Describes how a query is evaluated, without evaluating it: the walk of the planner over the tree,
// with its decisions, and nodes in the place of operators. Of a query that was evaluated, the
// accounts of its nodes are looked up beside the tree.

internal import Model
internal import PromQLSyntax

struct PlanBuilder {
    private let configuration: EngineConfiguration
    private let bounds: QueryBounds
    private let durations: DurationResolver
    /// What the query came to, if it was evaluated.
    private let outcome: (ledger: QueryLedger, recorder: NodeRecorder)?
    /// Where a selector with these matchers and times was met first.
    private var selectors: [SelectorKey: SourceRange] = [:]

    private struct SelectorKey: Hashable {
        let matchers: [Matcher]
        let range: TimeRange
    }

    init(
        _ configuration: EngineConfiguration, _ bounds: QueryBounds,
        _ outcome: (ledger: QueryLedger, recorder: NodeRecorder)? = nil
    ) {
        self.configuration = configuration
        self.bounds = bounds
        durations = DurationResolver(bounds)
        self.outcome = outcome
    }

    /// The plan of a whole query.
    mutating func plan(_ expression: Expression) throws(QueryError) -> PlanNode {
        let root = outcome.flatMap { $0.ledger.accounts.isEmpty ? nil : 0 }
        return try node(expression.unwrapped, bounds.steps, root)
    }

    private mutating func node(
        _ written: Expression, _ steps: Steps, _ account: Int?
    ) throws(QueryError) -> PlanNode {
        let expression = written.unwrapped
        if steps.count > 1, StepInvariance.isWorthHoisting(expression) {
            var node = PlanNode("repeat", expression, steps)
            node.rewrites.append("the same at every step: evaluated once")
            node.children = [try child(expression, steps.first, account)]
            node.analysis = analysis(account)
            return node
        }
        var node = PlanNode(Self.operation(of: expression), expression, steps)
        node.analysis = analysis(account)
        switch expression {
        case .number, .string, .parenthesized: break
        case .vectorSelector(let selector):
            try describe(selector, range: nil, steps, &node)
        case .matrixSelector(let matrix):
            let range = try durations.positive(matrix.range)
            try describe(matrix.selector, range: range, steps, &node)
        case .subquery(let subquery):
            let inner = try SubqueryTimes(subquery, steps, bounds, durations, configuration)
            node.rewrites.append(
                "evaluated at \(inner.steps.count) multiples of \(inner.steps.interval) ms")
            // Under the account of the subquery, also where that stands below the node's own.
            let below = account.flatMap { number in
                outcome?.ledger.subquery(below: number)
            }
            let input = try child(subquery.expression, inner.steps, below ?? account)
            node.children = [input]
            // What runs the input is the function around the subquery.
            if var own = node.analysis, let analysis = input.analysis {
                own.time = max(own.time, analysis.time)
                own.bytes = analysis.bytes
                node.analysis = own
            }
        case .call(let call):
            for argument in call.arguments {
                node.children.append(try child(argument, steps, account))
            }
        case .aggregation(let aggregation):
            node.grouping = (aggregation.isWithout, aggregation.grouping)
            if let parameter = aggregation.parameter {
                node.children.append(try child(parameter, steps, account))
            }
            node.children.append(try child(aggregation.expression, steps, account))
        case .binary(let operation):
            node.matching = operation.matching
            node.children.append(try child(operation.left, steps, account))
            node.children.append(try child(operation.right, steps, account))
        case .unary(let operation):
            node.children.append(try child(operation.expression, steps, account))
        }
        if var own = node.analysis {
            let below = node.children.reduce(0) { $0 + ($1.analysis?.time ?? 0) }
            own.ownTime = max(0, own.time - below)
            // Nodes that work when they are planned are weighed at their end only.
            for case let bytes? in node.children.map({ $0.analysis?.bytes }) {
                own.bytes = max(own.bytes ?? 0, bytes)
            }
            node.analysis = own
        }
        return node
    }

    /// The plan of an input, with the account that it has below that of the node.
    private mutating func child(
        _ expression: Expression, _ steps: Steps, _ account: Int?
    ) throws(QueryError) -> PlanNode {
        let inner = expression.unwrapped
        var found: Int?
        if let accounts = outcome?.ledger.accounts, let account {
            found = accounts[account].children.first {
                accounts[$0].source == inner.source
                    && (accounts[$0].steps == steps || accounts[$0].isSubquery)
            }
        }
        return try node(inner, steps, found)
    }

    private mutating func describe(
        _ selector: VectorSelector, range: Milliseconds?, _ steps: Steps, _ node: inout PlanNode
    ) throws(QueryError) {
        node.matchers = selector.matchers
        if steps.count == 0 { return }
        let times = ReferenceTimes(
            steps, at: bounds.resolve(selector.at),
            offset: try durations.offset(selector.offset))
        let reach = SelectorReach(selector.rangeExtension, range: range, bounds.lookbackDelta)
        let read = WindowIndex(times, reach: reach.back, lookahead: reach.ahead).readRange
        node.reads = read
        let key = SelectorKey(matchers: selector.matchers, range: read)
        if let first = selectors[key] {
            node.rewrites.append("shares its series with the selector at \(first.start)")
        } else {
            selectors[key] = selector.source
        }
    }

    private func analysis(_ account: Int?) -> NodeAnalysis? {
        guard let outcome, let account else { return nil }
        let counts = outcome.ledger.accounts[account]
        let record = outcome.recorder.record(of: account)
        var analysis = NodeAnalysis()
        analysis.series = counts.series
        analysis.samples = counts.samples
        analysis.samplesQueryable = counts.queryable
        analysis.samplesRead = counts.read
        analysis.bytes = outcome.recorder.isWeighing ? record.bytes : nil
        analysis.time = Double(record.nanoseconds) / 1e9
        analysis.ownTime = analysis.time
        analysis.windows = record.windows
        return analysis
    }

    private static func operation(of expression: Expression) -> String {
        switch expression {
        case .number: "number"
        case .string: "string"
        case .vectorSelector: "selector"
        case .matrixSelector: "range selector"
        case .subquery: "subquery"
        case .call(let call): call.function.rawValue
        case .aggregation(let node): node.operation.rawValue
        case .binary(let node): node.operation.rawValue
        case .unary(let node): node.isNegation ? "-" : "+"
        case .parenthesized(let inner, _): operation(of: inner)
        }
    }
}
