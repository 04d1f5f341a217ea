// SPDX-License-Identifier: Apache-2.0
//
// The canonical form of an expression on one line: what rule files, annotations and `format_query`
// show. Reading it back gives the same tree.

internal import Bytes
internal import Model

extension Expression: CustomStringConvertible {
    package var description: String {
        var printer = Printer()
        printer.print(self)
        return printer.text
    }
}

extension DurationExpression: CustomStringConvertible {
    package var description: String {
        var printer = Printer()
        printer.print(self)
        return printer.text
    }
}

/// Writes trees as text.
struct Printer {
    private var writer = ByteWriter(capacity: 128)
    /// The bytes after which printing breaks off: where it matters only whether a text is longer.
    var limit = Int.max

    var text: String { String(decoding: writer.bytes, as: UTF8.self) }
    var isOverLimit: Bool { writer.bytes.count > limit }

    private mutating func write(_ text: String) { writer.append(text) }

    mutating func print(_ expression: Expression) {
        if isOverLimit { return }
        switch expression {
        case .number(let node): print(node)
        case .string(let node): write(quoted(bytes: node.bytes))
        case .vectorSelector(let node): print(node)
        case .matrixSelector(let node): print(node)
        case .subquery(let node):
            print(node.expression)
            printSuffix(node)
        case .call(let node):
            write(node.function.rawValue)
            write("(")
            for (index, argument) in node.arguments.enumerated() {
                if index > 0 { write(", ") }
                print(argument)
            }
            write(")")
        case .aggregation(let node):
            printHead(node)
            write("(")
            if let parameter = node.parameter {
                print(parameter)
                write(", ")
            }
            print(node.expression)
            write(")")
        case .binary(let node):
            print(node.left)
            printRest(node)
        case .unary(let node):
            write(node.isNegation ? "-" : "+")
            print(node.expression)
        case .parenthesized(let inner, _):
            write("(")
            print(inner)
            write(")")
        }
    }

    /// What stands behind the left side of an operation.
    mutating func printRest(_ node: BinaryOperation) {
        write(" ")
        printOperator(node)
        write(" ")
        print(node.right)
    }

    private mutating func print(_ number: NumberLiteral) {
        guard number.isDuration else { return writer.float(number.value, style: .plain) }
        let milliseconds = (number.value.magnitude * 1000).rounded(.towardZero)
        if number.value < 0 { write("-") }
        write(DurationText.format(Int64(exactly: milliseconds) ?? Int64.max / 1_000_000))
    }

    private mutating func print(_ selector: VectorSelector) {
        printBare(selector)
        print(selector.at)
        print(selector.rangeExtension)
        printOffset(selector.offset)
    }

    private mutating func print(_ matrix: MatrixSelector) {
        printBare(matrix.selector)
        write("[")
        printLength(matrix.range)
        write("]")
        print(matrix.selector.rangeExtension)
        print(matrix.selector.at)
        printOffset(matrix.selector.offset)
    }

    /// Name and matchers, the latter sorted by their text.
    private mutating func printBare(_ selector: VectorSelector) {
        let name = selector.name ?? ""
        write(name)
        let matchers = selector.matchers.filter {
            !($0.operation == .equal && !$0.value.isEmpty && $0.name == LabelName.metric
                && isEqualBytewise($0.value, name))
        }
        guard !matchers.isEmpty else { return }
        write("{")
        write(matchers.map(\.description).sorted(by: isOrderedBytewise).joined(separator: ","))
        write("}")
    }

    private mutating func print(_ at: AtModifier?) {
        switch at {
        case nil: return
        case .start: write(" @ start()")
        case .end: write(" @ end()")
        case .timestamp(let time):
            let fraction = String(time.magnitude % 1000)
            write(time < 0 ? " @ -" : " @ ")
            writer.decimal(UInt64(time.magnitude / 1000))
            write("." + String(repeating: "0", count: 3 - fraction.utf8.count) + fraction)
        }
    }

    private mutating func print(_ extended: RangeExtension) {
        switch extended {
        case .none: return
        case .anchored: write(" anchored")
        case .smoothed: write(" smoothed")
        }
    }

    private mutating func printOffset(_ offset: DurationExpression?) {
        guard let offset else { return }
        write(" offset ")
        printLength(offset)
    }

    /// A range, step or offset: a plain number is shown as the duration that it is.
    private mutating func printLength(_ duration: DurationExpression) {
        if let literal = duration.literal {
            write(DurationText.format(literal))
        } else {
            print(duration)
        }
    }

    /// Brackets and modifiers of a subquery.
    mutating func printSuffix(_ subquery: Subquery) {
        write("[")
        printLength(subquery.range)
        write(":")
        if let step = subquery.step { printLength(step) }
        write("]")
        print(subquery.at)
        printOffset(subquery.offset)
    }

    mutating func print(_ duration: DurationExpression) {
        switch duration {
        case .literal(let number): print(number)
        case .step: write("step()")
        case .range: write("range()")
        case .minimum(let left, let right, _): print("min_of(", left, ", ", right, ")")
        case .maximum(let left, let right, _): print("max_of(", left, ", ", right, ")")
        case .negated(let inner, _):
            write("-")
            print(inner)
        case .parenthesized(let inner, _):
            write("(")
            print(inner)
            write(")")
        case .binary(let left, let operation, let right, _):
            print("", left, " \(operation.rawValue) ", right, "")
        }
    }

    private mutating func print(
        _ before: String, _ left: DurationExpression, _ between: String,
        _ right: DurationExpression, _ after: String
    ) {
        write(before)
        print(left)
        write(between)
        print(right)
        write(after)
    }

    // MARK: Heads of nodes, shared with the pretty printer

    /// The operator of an aggregation and its grouping.
    mutating func printHead(_ node: Aggregation) {
        write(node.operation.rawValue)
        guard node.isWithout || !node.grouping.isEmpty else { return }
        write(node.isWithout ? " without " : " by ")
        print(node.grouping)
        write(" ")
    }

    /// The operator of a binary operation with its modifiers.
    mutating func printOperator(_ node: BinaryOperation) {
        write(node.operation.rawValue)
        if node.returnsBool { write(" bool") }
        guard let matching = node.matching else { return }
        let isGrouped =
            matching.cardinality == .manyToOne || matching.cardinality == .oneToMany
        if !matching.labels.isEmpty || matching.isOn || isGrouped {
            write(matching.isOn ? " on " : " ignoring ")
            print(matching.labels)
        }
        if isGrouped {
            write(matching.cardinality == .manyToOne ? " group_left " : " group_right ")
            print(matching.include)
        }
        printFills(matching)
    }

    private mutating func printFills(_ matching: VectorMatching) {
        if let left = matching.fillLeft, left == matching.fillRight {
            return printFill(" fill (", left)
        }
        if let left = matching.fillLeft { printFill(" fill_left (", left) }
        if let right = matching.fillRight { printFill(" fill_right (", right) }
    }

    private mutating func printFill(_ word: String, _ value: Double) {
        write(word)
        writer.float(value, style: .general)
        write(")")
    }

    private mutating func print(_ labels: [String]) {
        let names = labels.map { isLegacyLabelName($0) ? $0 : quoted($0) }
        write("(" + names.joined(separator: ", ") + ")")
    }
}
