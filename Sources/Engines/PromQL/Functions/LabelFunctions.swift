// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import LinearRegex
internal import Model
internal import PromQLSyntax

extension Expression {
    /// The text of a string argument; the parser sees to it that it is one.
    var text: String {
        if case .string(let literal) = self { return literal.value }
        return ""
    }
}

/// The labels that a series gets; nil where it keeps its own.
private typealias LabelChange = (Labels) throws(QueryError) -> Labels?

/// `label_replace` and `label_join`: change names only; rows pass untouched.
extension Planner {
    func relabel(_ function: Function, _ arguments: [Expression], _ steps: Steps)
        throws(QueryError) -> any VectorOperator
    {
        let change =
            function == .labelReplace
            ? try replacement(arguments) : try joining(arguments)
        let destination = arguments[1].text
        let input = try vector(arguments[0], steps)
        let rows = try input.rows.map { (row) throws(QueryError) in
            try evaluation.checkpoint()
            guard let labels = try change(row.labels) else { return row }
            let namesMetric = destination == LabelName.metric
            return RowLabels(labels, dropsName: namesMetric ? false : row.dropsName)
        }
        return MapRows.over(input, named: rows) { _ in }
    }

    private func checkDestination(_ name: String, _ function: String) throws(QueryError) {
        if name.isEmpty {
            throw .execution("invalid destination label name in \(function)(): \(name)")
        }
    }

    /// Writes the replacement into a label where the pattern matches the whole of another.
    private func replacement(_ arguments: [Expression]) throws(QueryError) -> LabelChange {
        let destination = arguments[1].text
        let template = ReplacementTemplate(arguments[2].text)
        let source = arguments[3].text
        let pattern: Pattern
        do {
            pattern = try Pattern("^(?s:" + arguments[4].text + ")$")
        } catch {
            throw .execution(
                "invalid regular expression in label_replace(): \(arguments[4].text)")
        }
        try checkDestination(destination, "label_replace")
        let memory = evaluation.memory
        return { (labels) throws(QueryError) in
            let text = labels[source] ?? ""
            // A reference takes two bytes of the template at least.
            let length = template.source.utf8.count
            try memory.check(adding: length + length / 2 * text.utf8.count)
            guard let captures = pattern.wholeCaptures(in: text) else { return nil }
            return labels.setting(destination, template.expand(pattern, text, captures))
        }
    }

    /// Writes the values of several labels, joined, into one.
    private func joining(_ arguments: [Expression]) throws(QueryError) -> LabelChange {
        let destination = arguments[1].text
        let separator = arguments[2].text
        let sources = arguments[3...].map(\.text)
        for source in sources where source.isEmpty {
            throw .execution("invalid source label name in label_join(): \(source)")
        }
        try checkDestination(destination, "label_join")
        let memory = evaluation.memory
        return { (labels) throws(QueryError) in
            let values = sources.map { labels[$0] ?? "" }
            let length = values.reduce(0) { $0 + $1.utf8.count + separator.utf8.count }
            try memory.check(adding: length)
            let value = values.joined(separator: separator)
            return labels.setting(destination, value)
        }
    }
}
