// SPDX-License-Identifier: Apache-2.0

extension Function {
    package var signature: FunctionSignature {
        switch self {
        case .absent, .abs, .acos, .acosh, .asin, .asinh, .atan, .atanh, .ceil, .cos, .cosh, .deg,
            .exp,
            .floor, .histogramAvg, .histogramCount, .histogramStddev, .histogramStdvar,
            .histogramSum,
            .ln, .log10, .log2, .rad, .sgn, .sin, .sinh, .sort, .sortDescending, .sqrt, .tan, .tanh,
            .timestamp:
            FunctionSignature([.vector], returns: .vector)
        case .startTimestamp:
            FunctionSignature([.vector], returns: .vector, experimental: true)
        case .absentOverTime, .avgOverTime, .changes, .countOverTime, .delta, .deriv,
            .firstOverTime,
            .idelta, .increase, .irate, .lastOverTime, .maxOverTime, .minOverTime, .presentOverTime,
            .rate, .resets, .stddevOverTime, .stdvarOverTime, .sumOverTime:
            FunctionSignature([.matrix], returns: .vector)
        case .madOverTime, .firstTimestampOverTime, .lastTimestampOverTime,
            .maximumTimestampOverTime,
            .minimumTimestampOverTime:
            FunctionSignature([.matrix], returns: .vector, experimental: true)
        case .clamp: FunctionSignature([.vector, .scalar, .scalar], returns: .vector)
        case .clampMax, .clampMin: FunctionSignature([.vector, .scalar], returns: .vector)
        case .dayOfMonth, .dayOfWeek, .dayOfYear, .daysInMonth, .hour, .minute, .month, .year:
            FunctionSignature([.vector], variadic: 1, returns: .vector)
        case .doubleExponentialSmoothing:
            FunctionSignature([.matrix, .scalar, .scalar], returns: .vector, experimental: true)
        case .end, .range, .start, .step:
            FunctionSignature([], returns: .scalar, experimental: true)
        case .pi, .time: FunctionSignature([], returns: .scalar)
        case .maxOf, .minOf:
            FunctionSignature([.scalar, .scalar], returns: .scalar, experimental: true)
        case .histogramFraction: FunctionSignature([.scalar, .scalar, .vector], returns: .vector)
        case .histogramQuantile: FunctionSignature([.scalar, .vector], returns: .vector)
        case .histogramQuantiles:
            FunctionSignature(
                [.vector, .string, .scalar, .scalar], variadic: 9, returns: .vector,
                experimental: true)
        case .info:
            FunctionSignature(
                [.vector, .vector], variadic: 1, returns: .vector, experimental: true)
        case .labelJoin:
            FunctionSignature([.vector, .string, .string, .string], variadic: -1, returns: .vector)
        case .labelReplace:
            FunctionSignature([.vector, .string, .string, .string, .string], returns: .vector)
        case .predictLinear: FunctionSignature([.matrix, .scalar], returns: .vector)
        case .quantileOverTime: FunctionSignature([.scalar, .matrix], returns: .vector)
        case .round: FunctionSignature([.vector, .scalar], variadic: 1, returns: .vector)
        case .scalar: FunctionSignature([.vector], returns: .scalar)
        case .sortByLabel, .sortByLabelDescending:
            FunctionSignature(
                [.vector, .string], variadic: -1, returns: .vector, experimental: true)
        case .vector: FunctionSignature([.scalar], returns: .vector)
        }
    }
}
