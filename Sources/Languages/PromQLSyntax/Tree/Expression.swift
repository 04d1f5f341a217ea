// SPDX-License-Identifier: Apache-2.0
//
// The tree of a PromQL query: what was written, with types checked. A value; it knows no storage,
// no engine and no results.

package import Model

/// The bytes of the query that a node was written with: a half-open range of UTF-8 offsets.
package struct SourceRange: Sendable, Hashable {
    package var start: Int
    package var end: Int

    package init(_ start: Int, _ end: Int) {
        self.start = start
        self.end = end
    }
}

/// What an expression evaluates to, named as in the HTTP API and in error texts.
package enum ValueType: String, Sendable, Hashable {
    case scalar, vector, matrix, string
}

package indirect enum Expression: Sendable, Hashable {
    case number(NumberLiteral)
    case string(StringLiteral)
    case vectorSelector(VectorSelector)
    case matrixSelector(MatrixSelector)
    case subquery(Subquery)
    case call(Call)
    case aggregation(Aggregation)
    case binary(BinaryOperation)
    case unary(UnaryOperation)
    case parenthesized(Expression, SourceRange)
}

package struct NumberLiteral: Sendable, Hashable {
    package var value: Double
    /// Written as a duration (`5m`), which counts in seconds.
    package var isDuration: Bool
    package var source: SourceRange

    package init(value: Double, isDuration: Bool = false, source: SourceRange) {
        self.value = value
        self.isDuration = isDuration
        self.source = source
    }
}

package struct StringLiteral: Sendable, Hashable {
    /// What the text stands for; escapes such as `\xff` can make it invalid UTF-8.
    package var bytes: [UInt8]
    package var source: SourceRange

    package var value: String { String(decoding: bytes, as: UTF8.self) }

    package init(bytes: [UInt8], source: SourceRange) {
        self.bytes = bytes
        self.source = source
    }

    package init(value: String, source: SourceRange) {
        self.init(bytes: Array(value.utf8), source: source)
    }
}

/// `@ 1609746000`, `@ start()`, `@ end()`.
package enum AtModifier: Sendable, Hashable {
    case timestamp(Timestamp)
    case start
    case end
}

/// How a range takes account of samples at its borders (experimental).
package enum RangeExtension: Sendable, Hashable {
    case none, anchored, smoothed
}

package struct VectorSelector: Sendable, Hashable {
    /// The metric name written before the braces, if any; `matchers` contains it too.
    package var name: String?
    /// All matchers in the order written, that of the name last.
    package var matchers: [Matcher]
    package var offset: DurationExpression?
    package var at: AtModifier?
    package var rangeExtension: RangeExtension
    package var source: SourceRange

    package init(name: String?, matchers: [Matcher], source: SourceRange) {
        self.name = name
        self.matchers = matchers
        offset = nil
        at = nil
        rangeExtension = .none
        self.source = source
    }
}

package struct MatrixSelector: Sendable, Hashable {
    /// Carries offset, `@` and range extension.
    package var selector: VectorSelector
    package var range: DurationExpression
    package var source: SourceRange

    package init(selector: VectorSelector, range: DurationExpression, source: SourceRange) {
        self.selector = selector
        self.range = range
        self.source = source
    }
}

package struct Subquery: Sendable, Hashable {
    package var expression: Expression
    package var range: DurationExpression
    /// nil: the engine's default step.
    package var step: DurationExpression?
    package var offset: DurationExpression?
    package var at: AtModifier?
    package var source: SourceRange

    package init(
        expression: Expression, range: DurationExpression, step: DurationExpression?,
        source: SourceRange
    ) {
        self.expression = expression
        self.range = range
        self.step = step
        offset = nil
        at = nil
        self.source = source
    }
}

package struct Call: Sendable, Hashable {
    package var function: Function
    package var arguments: [Expression]
    package var source: SourceRange

    package init(function: Function, arguments: [Expression], source: SourceRange) {
        self.function = function
        self.arguments = arguments
        self.source = source
    }
}

package enum AggregationOperator: String, Sendable, Hashable, CaseIterable {
    case sum, avg, count, min, max, group, stddev, stdvar, topk, bottomk, quantile
    case countValues = "count_values"
    case limitk
    case limitRatio = "limit_ratio"

    /// Takes a parameter before the vector.
    package var takesParameter: Bool {
        switch self {
        case .topk, .bottomk, .quantile, .countValues, .limitk, .limitRatio: true
        default: false
        }
    }

    package var isExperimental: Bool { self == .limitk || self == .limitRatio }
}

package struct Aggregation: Sendable, Hashable {
    package var operation: AggregationOperator
    package var expression: Expression
    package var parameter: Expression?
    package var grouping: [String]
    /// `without (…)` instead of `by (…)`.
    package var isWithout: Bool
    package var source: SourceRange

    package init(
        operation: AggregationOperator, expression: Expression, parameter: Expression?,
        grouping: [String], isWithout: Bool, source: SourceRange
    ) {
        self.operation = operation
        self.expression = expression
        self.parameter = parameter
        self.grouping = grouping
        self.isWithout = isWithout
        self.source = source
    }
}

package enum BinaryOperator: String, Sendable, Hashable, CaseIterable {
    case add = "+"
    case subtract = "-"
    case multiply = "*"
    case divide = "/"
    case modulo = "%"
    case power = "^"
    case atan2
    case equal = "=="
    case notEqual = "!="
    case less = "<"
    case lessOrEqual = "<="
    case greater = ">"
    case greaterOrEqual = ">="
    /// Keeps the part of a native histogram below (above) a value (experimental).
    case trimUpper = "</"
    case trimLower = ">/"
    case and
    case or
    case unless

    package var isComparison: Bool {
        switch self {
        case .equal, .notEqual, .less, .lessOrEqual, .greater, .greaterOrEqual: true
        default: false
        }
    }

    package var isSet: Bool { self == .and || self == .or || self == .unless }
}

/// How the sides of an operation between two vectors are paired.
package struct VectorMatching: Sendable, Hashable {
    package enum Cardinality: String, Sendable, Hashable {
        case oneToOne = "one-to-one"
        /// `group_left`
        case manyToOne = "many-to-one"
        /// `group_right`
        case oneToMany = "one-to-many"
        /// Set operators.
        case manyToMany = "many-to-many"
    }

    package var cardinality: Cardinality = .oneToOne
    /// The labels of `on (…)` or `ignoring (…)`.
    package var labels: [String] = []
    package var isOn = false
    /// The labels that `group_left` or `group_right` takes from the other side.
    package var include: [String] = []
    /// The values that stand in for a missing left or right side (experimental).
    package var fillLeft: Double?
    package var fillRight: Double?

    package init() {}
}

package struct BinaryOperation: Sendable, Hashable {
    package var operation: BinaryOperator
    package var left: Expression
    package var right: Expression
    package var returnsBool: Bool
    /// nil unless both sides are vectors.
    package var matching: VectorMatching?
    package var source: SourceRange
    /// Scalar where both sides are; stored so that a long chain need not be walked to learn it.
    package let type: ValueType

    package init(
        operation: BinaryOperator, left: Expression, right: Expression, returnsBool: Bool,
        matching: VectorMatching?, source: SourceRange
    ) {
        self.operation = operation
        self.left = left
        self.right = right
        self.returnsBool = returnsBool
        self.matching = matching
        self.source = source
        type = left.type == .scalar && right.type == .scalar ? .scalar : .vector
    }
}

package struct UnaryOperation: Sendable, Hashable {
    package var isNegation: Bool
    package var expression: Expression
    package var source: SourceRange

    package init(isNegation: Bool, expression: Expression, source: SourceRange) {
        self.isNegation = isNegation
        self.expression = expression
        self.source = source
    }
}

extension Expression {
    package var source: SourceRange {
        switch self {
        case .number(let node): node.source
        case .string(let node): node.source
        case .vectorSelector(let node): node.source
        case .matrixSelector(let node): node.source
        case .subquery(let node): node.source
        case .call(let node): node.source
        case .aggregation(let node): node.source
        case .binary(let node): node.source
        case .unary(let node): node.source
        case .parenthesized(_, let source): source
        }
    }

    package var type: ValueType {
        switch self {
        case .number: .scalar
        case .string: .string
        case .vectorSelector, .aggregation: .vector
        case .matrixSelector, .subquery: .matrix
        case .call(let node): node.function.signature.returns
        case .binary(let node): node.type
        case .unary(let node): node.expression.type
        case .parenthesized(let inner, _): inner.type
        }
    }
}
