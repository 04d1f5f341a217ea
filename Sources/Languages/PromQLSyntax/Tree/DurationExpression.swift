// SPDX-License-Identifier: Apache-2.0

package import Model

/// A duration that may be computed (`5m + step()`): the range and step in brackets, and offsets.
/// Numbers in it count seconds.
package indirect enum DurationExpression: Sendable, Hashable {
    case literal(NumberLiteral)
    /// The step of the range query; 0 in an instant query.
    case step(source: SourceRange)
    /// The length of the range query; 0 in an instant query.
    case range(source: SourceRange)
    case minimum(DurationExpression, DurationExpression, source: SourceRange)
    case maximum(DurationExpression, DurationExpression, source: SourceRange)
    case negated(DurationExpression, source: SourceRange)
    case binary(DurationExpression, BinaryOperator, DurationExpression, source: SourceRange)
    case parenthesized(DurationExpression, source: SourceRange)

    package var source: SourceRange {
        switch self {
        case .literal(let number): number.source
        case .step(let source), .range(let source), .minimum(_, _, let source),
            .maximum(_, _, let source), .negated(_, let source), .binary(_, _, _, let source),
            .parenthesized(_, let source):
            source
        }
    }

    /// The length where it was written as one number or duration, else nil.
    package var literal: Milliseconds? {
        guard case .literal(let number) = self else { return nil }
        return Self.milliseconds(number.value)
    }

    /// Seconds to whole milliseconds, by way of nanoseconds as upstream keeps literals.
    private static func milliseconds(_ seconds: Double) -> Milliseconds {
        let nanoseconds = (seconds * 1e9).rounded(.toNearestOrAwayFromZero)
        return Int64(exactly: nanoseconds).map { $0 / 1_000_000 }
            ?? (nanoseconds < 0 ? Int64.min : Int64.max) / 1_000_000
    }
}

/// What the durations of one query are computed with.
package struct DurationContext: Sendable, Hashable {
    package var step: Milliseconds
    package var range: Milliseconds

    /// The values of an instant query.
    package static let instant = DurationContext(step: 0, range: 0)

    package init(step: Milliseconds, range: Milliseconds) {
        self.step = step
        self.range = range
    }
}

/// Why a duration has no value; the text is upstream's, with the byte range in front.
package struct DurationError: Error, Sendable, Hashable, CustomStringConvertible {
    package var reason: String
    package var source: SourceRange

    package var description: String { "\(source.start):\(source.end): \(reason)" }
}

extension DurationExpression {
    /// The length in milliseconds, cut off towards zero. Only an offset may be zero or negative.
    package func milliseconds(
        in context: DurationContext, isOffset: Bool = false
    ) throws(DurationError) -> Milliseconds {
        if let literal { return literal }
        let seconds = try seconds(in: context)
        guard seconds.isFinite else {
            throw DurationError(reason: "duration is NaN or infinite", source: source)
        }
        guard isOffset || seconds > 0 else {
            throw DurationError(reason: "duration must be greater than 0", source: source)
        }
        guard abs(seconds) <= longestDuration else {
            throw DurationError(reason: "duration is out of range", source: source)
        }
        return Int64(seconds * 1000)
    }

    private func seconds(in context: DurationContext) throws(DurationError) -> Double {
        switch self {
        case .literal(let number): return number.value
        case .step: return Double(context.step) / 1000
        case .range: return Double(context.range) / 1000
        case .minimum(let left, let right, _):
            return Double.minimumLikeGo(
                try left.seconds(in: context), try right.seconds(in: context))
        case .maximum(let left, let right, _):
            return -Double.minimumLikeGo(
                -(try left.seconds(in: context)), -(try right.seconds(in: context)))
        case .negated(let inner, _): return -(try inner.seconds(in: context))
        case .parenthesized(let inner, _): return try inner.seconds(in: context)
        case .binary(let left, let operation, let right, let source):
            let left = try left.seconds(in: context)
            let right = try right.seconds(in: context)
            switch operation {
            case .add: return left + right
            case .subtract: return left - right
            case .multiply: return left * right
            case .power: return GoMath.pow(left, right)
            case .divide where right == 0:
                throw DurationError(reason: "division by zero", source: source)
            case .divide: return left / right
            case _ where right == 0:
                throw DurationError(reason: "modulo by zero", source: source)
            default: return left.truncatingRemainder(dividingBy: right)
            }
        }
    }
}

/// The seconds that fit into upstream's nanoseconds of 64 bits.
let longestDuration = 0x1p63 / 1e9

extension Double {
    /// The lesser of two; NaN where either is, but for an infinity that decides.
    fileprivate static func minimumLikeGo(_ left: Double, _ right: Double) -> Double {
        if left == -.infinity || right == -.infinity { return -.infinity }
        if left.isNaN || right.isNaN { return .nan }
        return Swift.min(left, right)
    }
}
