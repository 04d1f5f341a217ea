// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import Model
internal import PromQL
internal import PromQLSyntax

/// Values that computations in another order may give: equal up to a millionth.
func areAlmostEqual(_ left: Double, _ right: Double) -> Bool {
    if StaleMarker.isStale(left) || StaleMarker.isStale(right) {
        return StaleMarker.isStale(left) && StaleMarker.isStale(right)
    }
    if left.isNaN && right.isNaN || left == right { return true }
    let sum = abs(left) + abs(right)
    let difference = abs(left - right)
    let smallest = Double.leastNormalMagnitude
    if left == 0 || right == 0 || sum < smallest { return difference < 1e-6 * smallest }
    return difference / min(sum, .greatestFiniteMagnitude) < 1e-6
}

func areAlmostEqual(
    _ expected: FloatHistogram, _ actual: FloatHistogram, comparesHints: Bool
) -> Bool {
    let left = expected.compacted()
    let right = actual.compacted()
    func match(_ left: [Double], _ right: [Double]) -> Bool {
        left.count == right.count && zip(left, right).allSatisfy { areAlmostEqual($0, $1) }
    }
    return left.schema == right.schema && areAlmostEqual(left.count, right.count)
        && areAlmostEqual(left.sum, right.sum)
        && (!left.usesCustomBuckets || left.customBounds == right.customBounds)
        && left.zeroThreshold == right.zeroThreshold
        && areAlmostEqual(left.zeroCount, right.zeroCount)
        && left.negativeSpans == right.negativeSpans
        && match(left.negativeBuckets, right.negativeBuckets)
        && left.positiveSpans == right.positiveSpans
        && match(left.positiveBuckets, right.positiveBuckets)
        && (!comparesHints || left.counterResetHint == right.counterResetHint)
}

private func shown(_ value: Double) -> String { formatFloat(value, style: .general) }

private func shown(_ element: VectorElement) -> String {
    element.histogram?.scriptNotation ?? shown(element.value)
}

extension Evaluation {
    /// What is wrong with a result, or nil.
    func fault(in value: QueryValue) -> String? {
        switch value {
        case .scalar(let sample):
            guard let scalar = expected.scalar else {
                return "expected vector or matrix result, but got scalar: \(shown(sample.value))"
            }
            return areAlmostEqual(scalar, sample.value)
                ? nil : "expected scalar \(shown(scalar)) but got \(shown(sample.value))"
        case .string(let text, _):
            return isEqualBytewise(expected.string ?? "", text)
                ? nil : "expected string \"\(expected.string ?? "")\" but got \"\(text)\""
        case .vector(let elements): return fault(in: elements)
        case .matrix(let series): return fault(in: series)
        }
    }

    // MARK: Instant vectors

    private func fault(in elements: [VectorElement]) -> String? {
        if expected.scalar != nil { return "expected scalar result, but got vector" }
        var seen: Set<Labels> = []
        for (position, element) in elements.enumerated() {
            guard
                let wanted = expected.series.firstIndex(where: { $0.labels == element.labels })
            else {
                return "unexpected metric \(element.labels) in result, has value \(shown(element))"
            }
            if expected.isOrdered, wanted != position {
                return "expected metric \(element.labels) at position \(wanted + 1) but was at "
                    + "\(position + 1)"
            }
            if let fault = fault(expected.series[wanted].values.first, element) { return fault }
            seen.insert(element.labels)
        }
        return missing(seen)
    }

    private func fault(_ wanted: SeriesValue?, _ element: VectorElement) -> String? {
        let found = "for \(element.labels) but got \(shown(element))"
        switch wanted {
        case .histogram(let histogram, let comparesHints):
            guard let actual = element.histogram,
                areAlmostEqual(histogram, actual, comparesHints: comparesHints)
            else { return "expected \(histogram.scriptNotation) \(found)" }
            return nil
        case .float(let value):
            return element.histogram == nil && areAlmostEqual(value, element.value)
                ? nil : "expected \(shown(value)) \(found)"
        case .omitted, nil:
            return element.histogram == nil && element.value == 0
                ? nil : "expected no value \(found)"
        }
    }

    private func missing(_ seen: Set<Labels>) -> String? {
        for wanted in expected.series where !seen.contains(wanted.labels) {
            return "expected metric \(wanted.labels) not found"
        }
        return nil
    }

    // MARK: Range vectors

    private func fault(in series: [ResultSeries]) -> String? {
        if expected.isOrdered { return "expected ordered result, but query returned a matrix" }
        if expected.scalar != nil { return "expected scalar result, but got matrix" }
        if let fault = sortFault(series) { return fault }
        var seen: Set<Labels> = []
        for result in series {
            guard let wanted = expected.series.first(where: { $0.labels == result.labels })
            else {
                return "unexpected metric \(result.labels) in result, has \(points(result))"
            }
            if let fault = fault(wanted.values, result) { return fault }
            seen.insert(result.labels)
        }
        return missing(seen)
    }

    private func fault(_ values: [SeriesValue], _ result: ResultSeries) -> String? {
        let points = expected.points ?? .init(start: start, end: end, step: step)
        var floats: [(time: Timestamp, value: Double)] = []
        var histograms: [(time: Timestamp, value: FloatHistogram, comparesHints: Bool)] = []
        for (index, value) in values.enumerated() {
            let time = points.start + Int64(index) * points.step
            if time > points.end {
                return "expected \(values.count) points for \(result.labels), but query time "
                    + "range cannot return this many points"
            }
            switch value {
            case .omitted: continue
            case .float(let number): floats.append((time, number))
            case .histogram(let histogram, let given): histograms.append((time, histogram, given))
            }
        }
        let found = "for \(result.labels), but got \(self.points(result))"
        if floats.map(\.time) != result.timestamps
            || histograms.map(\.time) != result.histogramTimestamps
        {
            return "expected \(floats.count) float points and \(histograms.count) histogram "
                + "points at the times given \(found)"
        }
        for (wanted, actual) in zip(floats, result.values)
        where !areAlmostEqual(wanted.value, actual) {
            return "expected \(shown(wanted.value)) at t=\(wanted.time) \(found)"
        }
        for (wanted, actual) in zip(histograms, result.histograms)
        where !areAlmostEqual(wanted.value, actual, comparesHints: wanted.comparesHints) {
            return "expected \(wanted.value.scriptNotation) at t=\(wanted.time) \(found)"
        }
        return nil
    }

    private func points(_ series: ResultSeries) -> String {
        let floats = zip(series.timestamps, series.values).map { "\(shown($1)) @[\($0)]" }
        let histograms = zip(series.histogramTimestamps, series.histograms).map {
            "\($1.scriptNotation) @[\($0)]"
        }
        return "[" + (floats + histograms).joined(separator: " ") + "]"
    }

    // MARK: Annotations

    func annotationFault(_ warnings: [String], _ infos: [String]) -> String? {
        if expected.needsWarning, warnings.isEmpty { return "expected warnings but got none" }
        if expected.needsInfo, infos.isEmpty { return "expected info annotations but got none" }
        if let fault = Self.fault("warn", expected.warnings, warnings) { return fault }
        if let fault = Self.fault("info", expected.infos, infos) { return fault }
        if expected.forbidsWarnings, !warnings.isEmpty {
            return "unexpected warning annotations: \(warnings)"
        }
        if expected.forbidsInfos, !infos.isEmpty { return "unexpected info annotations: \(infos)" }
        return nil
    }

    private static func fault(
        _ name: String, _ wanted: [TextPattern], _ found: [String]
    ) -> String? {
        if wanted.isEmpty { return nil }
        if found.isEmpty { return "expected \(name) annotations but none were found" }
        for pattern in wanted where !found.contains(where: pattern.matches) {
            return "expected \(name) annotation \(pattern) was not found: \(found)"
        }
        for text in found where !wanted.contains(where: { $0.matches(text) }) {
            return "unexpected \(name) annotation \"\(text)\""
        }
        return nil
    }
}

/// Range results come sorted by labels.
func sortFault(_ series: [ResultSeries]) -> String? {
    for (first, second) in zip(series, series.dropFirst()) where second.labels < first.labels {
        return "matrix results should always be sorted by labels, but \(second.labels) comes "
            + "after \(first.labels)"
    }
    return nil
}
