// SPDX-License-Identifier: Apache-2.0
//
// Native histograms as test scripts write them: `{{schema:1 sum:3 buckets:[1 2] offset:-1}}`, keys
// in any order, what is left out 0 or empty.

internal import Bytes
package import Model

extension SeriesParser {
    /// A histogram, and whether it names a counter reset hint.
    mutating func parseHistogram() throws(ParseError) -> (FloatHistogram, hintIsGiven: Bool) {
        _ = try expect(.openHistogram)
        var histogram = FloatHistogram()
        var offsets: [HistogramKey: Int32] = [:]
        var seen: Set<HistogramKey> = []
        if try accept(.space) == nil, try accept(.closeHistogram) == nil {
            repeat {
                if try accept(.closeHistogram) != nil { break }
                let token = try next()
                guard case .histogramKey(let key) = token.kind else {
                    throw error(
                        "unexpected \(token.kind.described(text(token))) in histogram "
                            + "description, expected histogram description key, e.g. "
                            + "buckets:[5 10 7]", token.source)
                }
                _ = try expect(.colon)
                if !seen.insert(key).inserted {
                    throw error(
                        "duplicate key \(quoted(key.rawValue)) in histogram", token.source)
                }
                if key == .offset || key == .negativeOffset {
                    offsets[key] = try parseInteger()
                } else {
                    try parse(key, into: &histogram)
                }
            } while try separator()
        } else if seen.isEmpty {
            _ = try accept(.closeHistogram)
        }
        histogram.positiveSpans = Self.spans(histogram.positiveBuckets, offsets[.offset])
        histogram.negativeSpans = Self.spans(histogram.negativeBuckets, offsets[.negativeOffset])
        return (histogram, seen.contains(.counterResetHint))
    }

    /// Whether the histogram goes on behind a key.
    private mutating func separator() throws(ParseError) -> Bool {
        if try accept(.space) != nil { return true }
        if try accept(.closeHistogram) != nil { return false }
        throw try unexpected(
            ErrorContext(
                place: "histogram description",
                expected: "histogram description key, e.g. buckets:[5 10 7]"))
    }

    private mutating func parse(
        _ key: HistogramKey, into histogram: inout FloatHistogram
    ) throws(ParseError) {
        switch key {
        case .schema: histogram.schema = try parseInteger()
        case .sum: histogram.sum = try parseNumber()
        case .count: histogram.count = try parseNumber()
        case .zeroBucket: histogram.zeroCount = try parseNumber()
        case .zeroBucketWidth: histogram.zeroThreshold = try parseNumber()
        case .buckets: histogram.positiveBuckets = try parseBuckets()
        case .negativeBuckets: histogram.negativeBuckets = try parseBuckets()
        case .customValues: histogram.customBounds = try parseBuckets()
        case .counterResetHint:
            guard case .resetHint(let hint) = try next().kind else {
                throw try unexpected(ErrorContext(place: "series values", expected: ""))
            }
            histogram.counterResetHint = hint
        case .offset, .negativeOffset: return
        }
    }

    /// Numbers in brackets.
    private mutating func parseBuckets() throws(ParseError) -> [Double] {
        _ = try accept(.space)
        _ = try expect(.leftBracket)
        var buckets = [try parseNumber()]
        while try accept(.rightBracket) == nil {
            _ = try expect(.space)
            if try accept(.rightBracket) != nil { break }
            buckets.append(try parseNumber())
        }
        return buckets
    }

    private static func spans(_ buckets: [Double], _ offset: Int32?) -> [BucketSpan] {
        buckets.isEmpty ? [] : [BucketSpan(offset: offset ?? 0, length: UInt32(buckets.count))]
    }
}

extension FloatHistogram {
    /// The histogram in the notation of test scripts; gaps between spans are written as zeros.
    package var scriptNotation: String {
        var parts: [String] = []
        func add(_ name: String, _ value: Double) {
            if value != 0 { parts.append("\(name):\(formatFloat(value, style: .general))") }
        }
        func list(_ values: [Double]) -> String {
            "[" + values.map { formatFloat($0, style: .general) }.joined(separator: " ") + "]"
        }
        if schema != 0 { parts.append("schema:\(schema)") }
        add("count", count)
        add("sum", sum)
        add("z_bucket", zeroCount)
        add("z_bucket_w", zeroThreshold)
        if !customBounds.isEmpty { parts.append("custom_values:\(list(customBounds))") }
        switch counterResetHint {
        case .unknown: break
        case .reset: parts.append("counter_reset_hint:reset")
        case .notReset: parts.append("counter_reset_hint:not_reset")
        case .gauge: parts.append("counter_reset_hint:gauge")
        }
        for (prefix, spans, buckets) in [
            ("", positiveSpans, positiveBuckets), ("n_", negativeSpans, negativeBuckets),
        ] {
            guard let first = spans.first, !buckets.isEmpty else { continue }
            if first.offset != 0 { parts.append("\(prefix)offset:\(first.offset)") }
            parts.append("\(prefix)buckets:\(list(Self.flattened(spans, buckets)))")
        }
        return "{{\(parts.joined(separator: " "))}}"
    }

    private static func flattened(_ spans: [BucketSpan], _ buckets: [Double]) -> [Double] {
        var result: [Double] = []
        var rest = buckets[...]
        for (index, span) in spans.enumerated() {
            if index > 0 {
                result += [Double](repeating: 0, count: min(10_000, max(0, Int(span.offset))))
            }
            result += rest.prefix(Int(span.length))
            rest = rest.dropFirst(Int(span.length))
        }
        return result
    }
}
