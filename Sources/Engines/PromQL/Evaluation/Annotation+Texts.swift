// SPDX-License-Identifier: Apache-2.0
//
// The sentences of all annotations, in upstream's words: users see them in the API and in Grafana.

internal import Bytes
internal import Model
internal import PromQLSyntax

extension Annotation {
    private static func warning(_ message: String, _ source: SourceRange) -> Annotation {
        Annotation(level: .warning, message: message, source: source)
    }

    private static func info(_ message: String, _ source: SourceRange) -> Annotation {
        Annotation(level: .info, message: message, source: source)
    }

    private static func named(_ message: String, _ metric: String) -> String {
        metric.isEmpty ? message : "\(message) for metric name \(quoted(metric))"
    }

    static func invalidQuantile(_ quantile: Double, _ source: SourceRange) -> Annotation {
        warning("quantile value should be between 0 and 1, got \(goText(quantile))", source)
    }

    static func invalidRatio(_ ratio: Double, cappedTo cap: Double, _ source: SourceRange)
        -> Annotation
    {
        warning(
            "ratio value should be between -1 and 1, got \(goText(ratio)), "
                + "capping to \(goText(cap))",
            source)
    }

    static func badBucketLabel(_ label: String, metric: String, _ source: SourceRange)
        -> Annotation
    {
        let message = "bucket label \"le\" is missing or has a malformed value of \(quoted(label))"
        return warning(named(message, metric), source)
    }

    static func mixedFloatsAndHistograms(metric: String, _ source: SourceRange) -> Annotation {
        warning(
            "encountered a mix of histograms and floats for metric name \(quoted(metric))", source)
    }

    static func mixedFloatsAndHistogramsInAggregation(_ source: SourceRange) -> Annotation {
        warning("encountered a mix of histograms and floats for aggregation", source)
    }

    static func mixedClassicAndNativeHistograms(metric: String, _ source: SourceRange)
        -> Annotation
    {
        warning(named("vector contains a mix of classic and native histograms", metric), source)
    }

    static func nativeHistogramNotCounter(metric: String, _ source: SourceRange) -> Annotation {
        warning("this native histogram metric is not a counter: \(quoted(metric))", source)
    }

    static func nativeHistogramNotGauge(metric: String, _ source: SourceRange) -> Annotation {
        warning("this native histogram metric is not a gauge: \(quoted(metric))", source)
    }

    static func mixedExponentialAndCustomBuckets(metric: String, _ source: SourceRange)
        -> Annotation
    {
        let message =
            "vector contains a mix of histograms with exponential and custom buckets schemas"
        return warning("\(message) for metric name \(quoted(metric))", source)
    }

    static func incompatibleBucketLayout(_ operation: BinaryOperator, _ source: SourceRange)
        -> Annotation
    {
        warning(
            "incompatible bucket layout encountered for binary operator \(operation.rawValue)",
            source)
    }

    static func sortInRangeQuery(_ source: SourceRange) -> Annotation {
        let message =
            "sort is ineffective for range queries since results are always ordered by labels"
        return warning(message, source)
    }

    static func conflictingCounterResets(
        _ operation: HistogramOperationName, _ source: SourceRange
    )
        -> Annotation
    {
        warning("conflicting counter resets during histogram \(operation.rawValue)", source)
    }

    static func startTimeOverlap(metric: String, _ source: SourceRange) -> Annotation {
        let message = "sample has start time that overlaps with previous sample timestamp"
        var annotation = warning("\(message) for metric \(quoted(metric))", source)
        annotation.detail = .occurrences(1)
        return annotation
    }

    static func possiblyNoCounter(metric: String, _ source: SourceRange) -> Annotation {
        let message =
            "metric might not be a counter, name does not end in _total/_sum/_count/_bucket:"
        return info("\(message) \(quoted(metric))", source)
    }

    static func possiblyNoCounter(metric: String, type: String, _ source: SourceRange)
        -> Annotation
    {
        let message =
            "metric might not be a counter, __type__ label is not set to \"counter\" or "
            + "\"histogram\""
        return info("\(message), got \(quoted(type)): \(quoted(metric))", source)
    }

    static func forcedMonotonicity(
        _ forced: ForcedMonotonicity, metric: String, _ source: SourceRange
    ) -> Annotation {
        let page = "https://prometheus.io/docs/prometheus/latest/querying/functions/"
        let message = "input to histogram_quantile needed to be fixed for monotonicity"
        var annotation = info(named("\(message) (see \(page)#histogram_quantile)", metric), source)
        annotation.detail = .forcedMonotonicity(forced)
        return annotation
    }

    static func incompatibleTypes(
        _ left: String, _ operation: BinaryOperator, _ right: String, _ source: SourceRange
    ) -> Annotation {
        let name = operation.rawValue
        let message = "incompatible sample types encountered for binary operator"
        return info("\(message) \(quoted(name)): \(left) \(name) \(right)", source)
    }

    static func ignoredHistogram(in aggregation: String, _ source: SourceRange) -> Annotation {
        info("ignored histogram in \(aggregation) aggregation", source)
    }

    static func ignoredHistogramsInMixedRange(metric: String, _ source: SourceRange) -> Annotation {
        let message = "ignored histograms in a range containing both floats and histograms"
        return info("\(message) for metric name \(quoted(metric))", source)
    }

    static func quantileOfNaNObservations(metric: String, _ source: SourceRange) -> Annotation {
        info(
            named("input to histogram_quantile has NaN observations, result is NaN", metric),
            source)
    }

    static func quantileSkewedByNaN(metric: String, _ source: SourceRange) -> Annotation {
        let message = "input to histogram_quantile has NaN observations, result is skewed higher"
        return info(named(message, metric), source)
    }

    static func fractionWithoutNaN(metric: String, _ source: SourceRange) -> Annotation {
        let message = "input to histogram_fraction has NaN observations"
        return info(named("\(message), which are excluded from all fractions", metric), source)
    }

    static func reconciledCustomBuckets(
        _ operation: HistogramOperationName, _ source: SourceRange
    ) -> Annotation {
        info("mismatched custom buckets were reconciled during \(operation.rawValue)", source)
    }
}

/// What was done with histograms, as annotations call it.
enum HistogramOperationName: String {
    case addition, subtraction, aggregation
}
