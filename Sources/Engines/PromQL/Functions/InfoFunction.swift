// SPDX-License-Identifier: Apache-2.0
//
// info(v, {data labels}): adds the labels of info metrics (`target_info` unless the second argument
// names others) to the series of a vector. Series and info series belong together when `job` and
// `instance` are equal. Where several info series of one metric match at a step, the one with the
// newest sample counts.

internal import Bytes
internal import LinearRegex
internal import Model
internal import PromQLSyntax

struct InfoFunction {
    private static let identifying = ["instance", "job"]

    private let planner: Planner
    private let steps: Steps
    private let vector: Expression
    /// Where the second argument stands, or the first where there is none.
    private let source: SourceRange
    /// What the second argument asks of data labels, and of the names of info metrics.
    private let dataMatchers: [Matcher]
    private let nameMatchers: [Matcher]
    private let identity = LabelNameSet(Self.identifying)

    init(_ planner: Planner, _ arguments: [Expression], _ steps: Steps) throws(QueryError) {
        self.planner = planner
        self.steps = steps
        vector = arguments[0]
        source = arguments[arguments.count - 1].source
        var matchers: [Matcher] = []
        if arguments.count > 1, case .vectorSelector(let selector) = arguments[1] {
            matchers = selector.matchers
        }
        dataMatchers = matchers.filter { $0.name != LabelName.metric }
        nameMatchers = try Self.effective(matchers.filter { $0.name == LabelName.metric })
    }

    /// At least one matcher says which info metrics are meant: all that end in `_info` where only
    /// some are excluded, `target_info` where nothing is said.
    private static func effective(_ written: [Matcher]) throws(QueryError) -> [Matcher] {
        if written.contains(where: { !$0.operation.isNegative }) { return written }
        if written.isEmpty { return [Matcher(LabelName.metric, equals: "target_info")] }
        return [try pattern(LabelName.metric, ".+_info")] + written
    }

    private static func pattern(_ name: String, _ value: String) throws(QueryError) -> Matcher {
        do {
            return try Matcher(name, .regexMatch, value)
        } catch {
            throw .execution(error.description)
        }
    }

    func evaluate() throws(QueryError) -> any VectorOperator {
        let (time, offset) = try referenceTime()
        let base = try Block(try planner.vector(vector, steps))
        let isInfo = base.rows.map { row in
            row.labels.withValue(LabelName.metric) { name in
                nameMatchers.allSatisfy { $0.matches(name) }
            }
        }
        let info = try infoSeries(base, isInfo, time, offset)
        return try combine(base, isInfo, info)
    }

    /// The `@` time and the offset of the first selector of the first argument also hold for the
    /// info series.
    private func referenceTime() throws(QueryError) -> (Timestamp?, Milliseconds) {
        guard let found = try Self.firstSelector(vector, planner) else { return (nil, 0) }
        return found
    }

    private static func firstSelector(_ expression: Expression, _ planner: Planner)
        throws(QueryError) -> (Timestamp?, Milliseconds)?
    {
        let bounds = planner.evaluation.bounds
        switch expression {
        case .number, .string: return nil
        case .vectorSelector(let selector):
            return (bounds.resolve(selector.at), try planner.durations.offset(selector.offset))
        case .matrixSelector(let matrix):
            return try firstSelector(.vectorSelector(matrix.selector), planner)
        case .subquery(let subquery):
            guard let inner = try firstSelector(subquery.expression, planner) else { return nil }
            if inner.0 != nil { return inner }
            let offset = try planner.durations.offset(subquery.offset)
            return (bounds.resolve(subquery.at), inner.1 &+ offset)
        case .call(let call):
            for argument in call.arguments {
                if let found = try firstSelector(argument, planner) { return found }
            }
            return nil
        case .aggregation(let node):
            if let found = try firstSelector(node.expression, planner) { return found }
            guard let parameter = node.parameter else { return nil }
            return try firstSelector(parameter, planner)
        case .binary(let node):
            if let found = try firstSelector(node.left, planner) { return found }
            return try firstSelector(node.right, planner)
        case .unary(let node): return try firstSelector(node.expression, planner)
        case .parenthesized(let inner, _): return try firstSelector(inner, planner)
        }
    }

    /// The info series that can belong to any of the base series, as rows of sample times.
    private func infoSeries(
        _ base: Block, _ isInfo: [Bool], _ time: Timestamp?, _ offset: Milliseconds
    ) throws(QueryError) -> Block {
        var matchers: [Matcher] = []
        for name in Self.identifying {
            var values: Set<String> = []
            for (row, isInfo) in zip(base.rows, isInfo) where !isInfo {
                if let value = row.labels[name] { values.insert(value) }
            }
            if values.isEmpty { continue }
            let choices = values.sorted(by: isOrderedBytewise).map(Self.literal)
            matchers.append(try Self.pattern(name, choices.joined(separator: "|")))
        }
        if matchers.isEmpty { return Block(steps: steps) }
        let times = ReferenceTimes(steps, at: time, offset: offset)
        let index = WindowIndex(times, reach: planner.evaluation.lookbackDelta)
        let selection = try planner.selection(
            matchers + dataMatchers + nameMatchers, over: index.readRange)
        let input = try planner.metered(.selector, steps, source) { () throws(QueryError) in
            InstantSelect(
                evaluation: planner.evaluation, selection: selection, steps: steps, times: times,
                output: .milliseconds, refusesHistograms: true,
                account: planner.evaluation.ledger.current ?? 0)
        }
        return try Block(input)
    }

    /// The text as a pattern that matches just it.
    private static func literal(_ text: String) -> String {
        var pattern = ""
        for character in text.unicodeScalars {
            if "\\.+*?()|[]{}^$".unicodeScalars.contains(character) { pattern += "\\" }
            pattern.unicodeScalars.append(character)
        }
        return pattern
    }

    private func key(_ labels: Labels, metric: String) -> [UInt8] {
        var key: [UInt8] = []
        Labels.appendField(metric, to: &key)
        identity.appendMembers(of: labels, to: &key)
        return key
    }

    private func combine(_ base: Block, _ isInfo: [Bool], _ info: Block) throws(QueryError)
        -> any VectorOperator
    {
        var byKey: [[UInt8]: [Int]] = [:]
        var metrics: [String] = []
        for (index, row) in info.rows.enumerated() {
            let metric = row.labels.metricName ?? ""
            if !metrics.contains(metric) { metrics.append(metric) }
            byKey[key(row.labels, metric: metric), default: []].append(index)
        }
        try refuseConflicts(info, byKey)
        let result = Block(steps: steps)
        for (index, row) in base.rows.enumerated() {
            try planner.evaluation.checkpoint()
            if isInfo[index] {
                result.append(row, base.data[index])
                continue
            }
            let candidates = metrics.map { byKey[key(row.labels, metric: $0)] ?? [] }
            try enrich(row, base.data[index], candidates.filter { !$0.isEmpty }, info, result)
        }
        guard let slots = MergeRows.slots(of: result.rows) else { return result }
        return MergeRows(input: result, slots: slots)
    }

    /// Two info series of one metric and identity with equally old samples cannot be told apart.
    private func refuseConflicts(_ info: Block, _ byKey: [[UInt8]: [Int]]) throws(QueryError) {
        for step in 0..<steps.count {
            for candidates in byKey.values where candidates.count > 1 {
                var newest: Int?
                for index in candidates where info.data[index].floats.contains(step) {
                    guard let before = newest else {
                        newest = index
                        continue
                    }
                    let time = info.data[index].values[step]
                    let known = info.data[before].values[step]
                    if time == known {
                        throw .execution(
                            "found duplicate series for info metric: existing "
                                + "\(info.rows[before].labels) @ \(Int64(known)), new "
                                + "\(info.rows[index].labels) @ \(Int64(time))")
                    }
                    if time > known { newest = index }
                }
            }
        }
    }

    private func newest(_ candidates: [Int], _ info: Block, at step: Int) -> Int? {
        var found: Int?
        for index in candidates where info.data[index].floats.contains(step) {
            if let known = found, info.data[known].values[step] >= info.data[index].values[step] {
                continue
            }
            found = index
        }
        return found
    }

    /// Divides a row among the label sets that its steps get.
    private func enrich(
        _ row: RowLabels, _ data: Row, _ candidates: [[Int]], _ info: Block, _ result: Block
    ) throws(QueryError) {
        let needsMatch = dataMatchers.contains { !$0.matchesEmpty }
        var parts: [(matched: [Int], steps: StepSet)] = []
        try data.present.forEach { (step) throws(QueryError) in
            let matched = candidates.compactMap { newest($0, info, at: step) }
            if matched.isEmpty, needsMatch { return }
            if let part = parts.firstIndex(where: { $0.matched == matched }) {
                parts[part].steps.insert(step)
            } else {
                var steps = StepSet(capacity: self.steps.count)
                steps.insert(step)
                parts.append((matched, steps))
            }
        }
        for (matched, steps) in parts {
            var part = data
            part.keepOnly(steps)
            let labels = try enriched(row.labels, matched.map { info.rows[$0].labels })
            result.append(RowLabels(labels, dropsName: row.dropsName), part)
        }
    }

    /// The labels of the series and, besides those, the data labels of its info series.
    private func enriched(_ labels: Labels, _ infos: [Labels]) throws(QueryError) -> Labels {
        var added = LabelsBuilder()
        let wanted = Set(dataMatchers.map(\.name))
        for info in infos {
            for label in info where label.name != LabelName.metric {
                if !wanted.isEmpty, !wanted.contains(label.name) { continue }
                if let known = added[label.name], !isEqualBytewise(known, label.value) {
                    throw .execution("conflicting label: \(label.name)")
                }
                if !labels.has(label.name) { added.set(label.name, label.value) }
            }
        }
        var builder = LabelsBuilder(labels)
        for label in added.all { builder.set(label.name, label.value) }
        return builder.labels()
    }
}
