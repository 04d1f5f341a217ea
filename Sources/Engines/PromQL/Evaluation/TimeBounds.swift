// SPDX-License-Identifier: Apache-2.0

internal import Model
internal import PromQLSyntax

/// Finds the earliest and the latest sample that a query may look at, so that one consistent view
/// of the storage can be opened for it. Subqueries shift and widen what their inner selectors see;
/// an `@` modifier forgets all shifts outside of it.
struct TimeBounds {
    private let durations: DurationResolver
    private let bounds: QueryBounds
    private var earliest = Timestamp.max
    private var latest = Timestamp.min

    /// What the subqueries around a selector add up to.
    private struct Path {
        var offset: Milliseconds = 0
        var range: Milliseconds = 0
        var at: Timestamp?
    }

    static func of(_ expression: Expression, _ bounds: QueryBounds) throws(QueryError) -> TimeRange
    {
        var finder = TimeBounds(durations: DurationResolver(bounds), bounds: bounds)
        try finder.visit(expression, Path())
        // A query without selector reads nothing.
        if finder.latest == .min { return TimeRange(start: 0, end: 0) }
        return TimeRange(start: finder.earliest, end: finder.latest)
    }

    private init(durations: DurationResolver, bounds: QueryBounds) {
        self.durations = durations
        self.bounds = bounds
    }

    private mutating func visit(_ expression: Expression, _ path: Path) throws(QueryError) {
        switch expression {
        case .number, .string: break
        case .vectorSelector(let selector): try add(selector, range: nil, path)
        case .matrixSelector(let matrix):
            try add(matrix.selector, range: try durations.positive(matrix.range), path)
        case .subquery(let subquery):
            let offset = try durations.offset(subquery.offset)
            let range = try durations.positive(subquery.range)
            var inner = path
            inner.offset &+= offset
            inner.range &+= range
            if let at = bounds.resolve(subquery.at) {
                inner = Path(offset: offset, range: range, at: at)
            }
            try visit(subquery.expression, inner)
        case .call(let call):
            for argument in call.arguments { try visit(argument, path) }
        case .aggregation(let aggregation):
            if let parameter = aggregation.parameter { try visit(parameter, path) }
            try visit(aggregation.expression, path)
        case .binary(let operation):
            try visit(operation.left, path)
            try visit(operation.right, path)
        case .unary(let operation): try visit(operation.expression, path)
        case .parenthesized(let inner, _): try visit(inner, path)
        }
    }

    private mutating func add(_ selector: VectorSelector, range: Milliseconds?, _ path: Path)
        throws(QueryError)
    {
        var start = path.at ?? bounds.start
        var end = path.at ?? bounds.end
        if let at = bounds.resolve(selector.at) {
            start = at
            end = at
        } else {
            start = start.advancedClamped(by: 0 &- path.offset).advancedClamped(by: 0 &- path.range)
            end = end.advancedClamped(by: 0 &- path.offset)
        }
        let reach = SelectorReach(selector.rangeExtension, range: range, bounds.lookbackDelta)
        let offset = 0 &- (try durations.offset(selector.offset))
        start = start.advancedClamped(by: 1 - reach.back).advancedClamped(by: offset)
        end = end.advancedClamped(by: reach.ahead).advancedClamped(by: offset)
        earliest = min(earliest, start)
        latest = max(latest, end)
    }
}

/// How far from its reference time a selector looks for samples: less than `back` before it and up
/// to `ahead` after it.
struct SelectorReach {
    let back: Milliseconds
    let ahead: Milliseconds

    /// `range` is nil for an instant selector.
    init(_ rangeExtension: RangeExtension, range: Milliseconds?, _ lookbackDelta: Milliseconds) {
        switch (rangeExtension, range) {
        case (.none, let range): (back, ahead) = (range ?? lookbackDelta, 0)
        case (.anchored, let range?): (back, ahead) = (range + lookbackDelta, 0)
        case (.anchored, nil): (back, ahead) = (lookbackDelta, 0)
        case (.smoothed, let range?): (back, ahead) = (range + lookbackDelta, lookbackDelta)
        case (.smoothed, nil): (back, ahead) = (lookbackDelta, lookbackDelta)
        }
    }
}

extension QueryBounds {
    /// The time that an `@` modifier means; nil where there is none.
    func resolve(_ modifier: AtModifier?) -> Timestamp? {
        switch modifier {
        case nil: nil
        case .timestamp(let time): time
        case .start: start
        case .end: end
        }
    }
}
