// SPDX-License-Identifier: Apache-2.0

/// The functions of PromQL. The raw value is the name in queries.
package enum Function: String, Sendable, Hashable, CaseIterable {
    case abs, absent
    case absentOverTime = "absent_over_time"
    case acos, acosh, asin, asinh, atan, atanh
    case avgOverTime = "avg_over_time"
    case ceil, changes, clamp
    case clampMax = "clamp_max"
    case clampMin = "clamp_min"
    case cos, cosh
    case countOverTime = "count_over_time"
    case dayOfMonth = "day_of_month"
    case dayOfWeek = "day_of_week"
    case dayOfYear = "day_of_year"
    case daysInMonth = "days_in_month"
    case deg, delta, deriv
    case doubleExponentialSmoothing = "double_exponential_smoothing"
    case end, exp
    case firstOverTime = "first_over_time"
    case floor
    case histogramAvg = "histogram_avg"
    case histogramCount = "histogram_count"
    case histogramFraction = "histogram_fraction"
    case histogramQuantile = "histogram_quantile"
    case histogramQuantiles = "histogram_quantiles"
    case histogramStddev = "histogram_stddev"
    case histogramStdvar = "histogram_stdvar"
    case histogramSum = "histogram_sum"
    case hour, idelta, increase, info, irate
    case labelJoin = "label_join"
    case labelReplace = "label_replace"
    case lastOverTime = "last_over_time"
    case ln, log10, log2
    case madOverTime = "mad_over_time"
    case maxOf = "max_of"
    case maxOverTime = "max_over_time"
    case minOf = "min_of"
    case minOverTime = "min_over_time"
    case minute, month, pi
    case predictLinear = "predict_linear"
    case presentOverTime = "present_over_time"
    case quantileOverTime = "quantile_over_time"
    case rad, range, rate, resets, round, scalar, sgn, sin, sinh, sort
    case sortByLabel = "sort_by_label"
    case sortByLabelDescending = "sort_by_label_desc"
    case sortDescending = "sort_desc"
    case sqrt, start
    case startTimestamp = "start_timestamp"
    case stddevOverTime = "stddev_over_time"
    case stdvarOverTime = "stdvar_over_time"
    case step
    case sumOverTime = "sum_over_time"
    case tan, tanh, time, timestamp
    case firstTimestampOverTime = "ts_of_first_over_time"
    case lastTimestampOverTime = "ts_of_last_over_time"
    case maximumTimestampOverTime = "ts_of_max_over_time"
    case minimumTimestampOverTime = "ts_of_min_over_time"
    case vector, year
}

/// What a function takes and returns.
package struct FunctionSignature: Sendable, Hashable {
    package var arguments: [ValueType]
    /// 0: exactly `arguments`. Otherwise the last of them may be left out, and `arguments.count - 1
    /// + variadic` is the most that may be given, the last type repeated; -1: any number.
    package var variadic: Int
    package var returns: ValueType
    package var isExperimental: Bool

    package init(
        _ arguments: [ValueType], variadic: Int = 0, returns: ValueType, experimental: Bool = false
    ) {
        self.arguments = arguments
        self.variadic = variadic
        self.returns = returns
        isExperimental = experimental
    }
}
