// SPDX-License-Identifier: Apache-2.0

internal import Model
internal import PromQLSyntax

/// When the expression inside a subquery is evaluated, and how the function around it looks at what
/// comes of that.
struct SubqueryTimes {
    let range: Milliseconds
    let offset: Milliseconds
    let times: ReferenceTimes
    /// Multiples of the step, whatever the query's own times are.
    let steps: Steps

    init(
        _ subquery: Subquery, _ outer: Steps, _ bounds: QueryBounds, _ durations: DurationResolver,
        _ configuration: EngineConfiguration
    ) throws(QueryError) {
        range = try durations.positive(subquery.range)
        offset = try durations.offset(subquery.offset)
        times = ReferenceTimes(outer, at: bounds.resolve(subquery.at), offset: offset)
        var step = configuration.defaultSubqueryStep
        if let written = subquery.step { step = try durations.positive(written) }
        let left = times.first.advancedClamped(by: 0 &- range)
        var start = step &* (left / step)
        if start <= left { start = start.advancedClamped(by: step) }
        steps = Steps(from: start, through: times.last, every: step)
    }
}
