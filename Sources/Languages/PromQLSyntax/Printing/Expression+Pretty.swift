// SPDX-License-Identifier: Apache-2.0

extension Expression {
    /// The expression over several lines, as `format_query` lays it out: what does not fit into
    /// `width` bytes is split, its parts indented by two spaces a level.
    package func pretty(width: Int = 100) -> String {
        PrettyPrinter(width: width).lines(self, 0)
    }
}

private struct PrettyPrinter {
    let width: Int

    private func indent(_ level: Int) -> String { String(repeating: "  ", count: level) }

    private func head(_ print: (inout Printer) -> Void) -> String {
        var printer = Printer()
        print(&printer)
        return printer.text
    }

    /// The expression at a level; at level 0 nothing stands before it.
    func lines(_ expression: Expression, _ level: Int) -> String {
        let short = expression.description
        if short.utf8.count <= width {
            // Upstream leaves the indentation of a short subquery away.
            if case .subquery = expression { return short }
            return indent(level) + short
        }
        switch expression {
        case .number, .string, .vectorSelector, .matrixSelector: return indent(level) + short
        case .parenthesized(let inner, _):
            return "\(indent(level))(\n\(lines(inner, level + 1))\n\(indent(level)))"
        case .call(let node):
            let arguments = node.arguments.map { lines($0, level + 1) }.joined(separator: ",\n")
            return "\(indent(level))\(node.function.rawValue)(\n\(arguments)\n\(indent(level)))"
        case .aggregation(let node):
            let parameter = node.parameter.map { lines($0, level + 1) + ",\n" } ?? ""
            return "\(indent(level))\(head { $0.printHead(node) })(\n\(parameter)"
                + "\(lines(node.expression, level + 1))\n\(indent(level)))"
        case .binary(let node):
            return "\(lines(node.left, level + 1))\n\(indent(level))"
                + "\(head { $0.printOperator(node) })\n\(lines(node.right, level + 1))"
        case .subquery(let node):
            return lines(node.expression, level) + head { $0.printSuffix(node) }
        case .unary(let node):
            let inner = lines(node.expression, level).drop { $0 == " " }
            return "\(indent(level))\(node.isNegation ? "-" : "+")\(inner)"
        }
    }
}
