// SPDX-License-Identifier: Apache-2.0

extension Expression {
    /// The expression over several lines, as `format_query` lays it out: what does not fit into
    /// `width` bytes is split, its parts indented by two spaces a level.
    package func pretty(width: Int = 100) -> String {
        var printer = PrettyPrinter(width: width)
        printer.print(self, 0)
        return printer.text
    }
}

/// Appends to one text, and prints a part on one line only as far as to see that it is too long: so
/// that the time for a chain of operators does not grow with the square of what is written.
private struct PrettyPrinter {
    let width: Int
    private(set) var text = ""
    /// Whether what comes next stands behind a sign, where nothing is indented.
    private var isBehindSign = false

    init(width: Int) { self.width = width }

    private mutating func indent(_ level: Int) {
        if !isBehindSign { text += String(repeating: "  ", count: level) }
        isBehindSign = false
    }

    private mutating func head(_ print: (inout Printer) -> Void) {
        var printer = Printer()
        print(&printer)
        text += printer.text
    }

    /// The expression on one line; nil where that is too long.
    private func short(_ expression: Expression) -> String? {
        var printer = Printer()
        printer.limit = width
        printer.print(expression)
        return printer.isOverLimit ? nil : printer.text
    }

    /// The expression at a level; at level 0 nothing stands before it.
    mutating func print(_ expression: Expression, _ level: Int) {
        if let short = short(expression) {
            // Upstream leaves the indentation of a short subquery away.
            if case .subquery = expression { isBehindSign = true }
            indent(level)
            text += short
            return
        }
        switch expression {
        case .number, .string, .vectorSelector, .matrixSelector:
            indent(level)
            text += expression.description
        case .parenthesized(let inner, _):
            indent(level)
            enclosed(level) { $0.print(inner, level + 1) }
        case .call(let node):
            indent(level)
            text += node.function.rawValue
            enclosed(level) { $0.print(node.arguments, level + 1) }
        case .aggregation(let node):
            indent(level)
            head { $0.printHead(node) }
            let parts = (node.parameter.map { [$0] } ?? []) + [node.expression]
            enclosed(level) { $0.print(parts, level + 1) }
        case .binary(let node): print(node, level)
        case .subquery(let node):
            print(node.expression, level)
            head { $0.printSuffix(node) }
        case .unary(let node):
            indent(level)
            text += node.isNegation ? "-" : "+"
            isBehindSign = true
            print(node.expression, level)
        }
    }

    /// An operation that does not fit on one line. A chain of them is gone through from its
    /// innermost operation outwards: those that fit together stay on one line, the others are
    /// split.
    private mutating func print(_ node: BinaryOperation, _ level: Int) {
        var chain = [node]
        while case .binary(let inner) = chain[chain.count - 1].left { chain.append(inner) }
        let first = chain[chain.count - 1].left
        var line = Printer()
        line.limit = width
        line.print(first)
        var text = line.text
        var split = chain.count
        while split > 0, !line.isOverLimit {
            text = line.text
            line.printRest(chain[split - 1])
            if !line.isOverLimit { split -= 1 }
        }
        if split == chain.count {
            print(first, level + split)
        } else {
            indent(level + split)
            self.text += text
        }
        for index in stride(from: split - 1, through: 0, by: -1) {
            self.text += "\n"
            indent(level + index)
            head { $0.printOperator(chain[index]) }
            self.text += "\n"
            print(chain[index].right, level + index + 1)
        }
    }

    private mutating func print(_ expressions: [Expression], _ level: Int) {
        for (index, expression) in expressions.enumerated() {
            if index > 0 { text += ",\n" }
            print(expression, level)
        }
    }

    /// Parentheses around lines of their own.
    private mutating func enclosed(_ level: Int, _ body: (inout PrettyPrinter) -> Void) {
        text += "(\n"
        body(&self)
        text += "\n"
        indent(level)
        text += ")"
    }
}
