// SPDX-License-Identifier: Apache-2.0

internal import Model
internal import PromQLSyntax

/// The functions that take a range vector.
enum RangeFunction {
    case rate, increase, delta, irate, idelta
    case deriv, predictLinear, doubleExponentialSmoothing
    case sum, average, count, minimum, maximum, first, last, present
    case quantile, medianAbsoluteDeviation, standardDeviation, variance
    case changes, resets
    case timeOfFirst, timeOfLast, timeOfMinimum, timeOfMaximum

    init?(_ function: Function) {
        switch function {
        case .rate: self = .rate
        case .increase: self = .increase
        case .delta: self = .delta
        case .irate: self = .irate
        case .idelta: self = .idelta
        case .deriv: self = .deriv
        case .predictLinear: self = .predictLinear
        case .doubleExponentialSmoothing: self = .doubleExponentialSmoothing
        case .sumOverTime: self = .sum
        case .avgOverTime: self = .average
        case .countOverTime: self = .count
        case .minOverTime: self = .minimum
        case .maxOverTime: self = .maximum
        case .firstOverTime: self = .first
        case .lastOverTime: self = .last
        // absent_over_time is what is left of presence.
        case .presentOverTime, .absentOverTime: self = .present
        case .quantileOverTime: self = .quantile
        case .madOverTime: self = .medianAbsoluteDeviation
        case .stddevOverTime: self = .standardDeviation
        case .stdvarOverTime: self = .variance
        case .changes: self = .changes
        case .resets: self = .resets
        case .firstTimestampOverTime: self = .timeOfFirst
        case .lastTimestampOverTime: self = .timeOfLast
        case .minimumTimestampOverTime: self = .timeOfMinimum
        case .maximumTimestampOverTime: self = .timeOfMaximum
        default: return nil
        }
    }

    /// These act like an offset, so that the name stays.
    var keepsName: Bool { self == .first || self == .last }

    /// Adds up what was counted since the last reset.
    var isOfCounters: Bool { self == .rate || self == .increase }

    var isExtrapolated: Bool { self == .rate || self == .increase || self == .delta }

    /// About how many nanoseconds a sample of a window takes; none where only its ends are looked
    /// at.
    var costOfSample: Int {
        switch self {
        case .rate, .increase, .delta, .irate, .idelta, .count, .first, .last, .present,
            .timeOfFirst, .timeOfLast:
            0
        case .sum, .average, .minimum, .maximum, .changes, .resets, .timeOfMinimum,
            .timeOfMaximum:
            2
        case .variance, .standardDeviation, .deriv, .predictLinear,
            .doubleExponentialSmoothing, .quantile:
            8
        case .medianAbsoluteDeviation: 40
        }
    }

    /// Which range extensions the function can cope with, given that they put samples from outside
    /// of the range into the window.
    func allows(_ rangeExtension: RangeExtension) -> Bool {
        switch rangeExtension {
        case .none: true
        case .smoothed: isExtrapolated
        case .anchored: isExtrapolated || self == .resets || self == .changes
        }
    }
}

/// A function over ranges with all it needs to know besides the samples.
struct RangeCall: Sendable {
    let function: RangeFunction
    /// The width of the range, without what extensions add to it.
    let range: Milliseconds
    let rangeExtension: RangeExtension
    let steps: Steps
    let times: ReferenceTimes
    /// The scalar arguments in the order written, one value a step each.
    let parameters: [[Double]]
    /// Where annotations point to: the first argument.
    let source: SourceRange

    /// The range in seconds, as Go's `Duration.Seconds` rounds it.
    var rangeSeconds: Double {
        Double(range / 1000) + Double((range % 1000) * 1_000_000) / 1e9
    }
}
