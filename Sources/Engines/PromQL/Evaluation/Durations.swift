// SPDX-License-Identifier: Apache-2.0

internal import Model
internal import PromQLSyntax

/// Turns durations that may be computed (`5m + step()`) into milliseconds. `step()` and `range()`
/// are those of the whole query.
struct DurationResolver {
    private let context: DurationContext

    init(_ bounds: QueryBounds) {
        context = DurationContext(step: bounds.step, range: bounds.end &- bounds.start)
    }

    func offset(_ duration: DurationExpression?) throws(QueryError) -> Milliseconds {
        guard let duration else { return 0 }
        return try resolve(duration, isOffset: true)
    }

    /// A range or a step, which must be positive.
    func positive(_ duration: DurationExpression) throws(QueryError) -> Milliseconds {
        try resolve(duration, isOffset: false)
    }

    private func resolve(_ duration: DurationExpression, isOffset: Bool)
        throws(QueryError) -> Milliseconds
    {
        do {
            return try duration.milliseconds(in: context, isOffset: isOffset)
        } catch {
            throw QueryError(.invalid, error.description)
        }
    }
}
