// SPDX-License-Identifier: Apache-2.0

internal import Bytes

extension FloatHistogram: CustomStringConvertible {
    /// Count, sum and the populated buckets in ascending order, as `count_values` labels them:
    /// `{count:3, sum:4.5, [-0.001,0.001]:1, (1,2]:2}`.
    package var description: String {
        var text = "{count:\(number(count)), sum:\(number(sum))"
        for bucket in negativeSide.reversed() where bucket.count != 0 {
            text += ", \(bucket)"
        }
        if zeroCount != 0 { text += ", \(zeroBucket)" }
        for bucket in positiveSide where bucket.count != 0 { text += ", \(bucket)" }
        return text + "}"
    }
}

extension HistogramBucket: CustomStringConvertible {
    package var description: String {
        let open = includesLower ? "[" : "("
        let close = includesUpper ? "]" : ")"
        return "\(open)\(number(lower)),\(number(upper))\(close):\(number(count))"
    }
}

/// As Go's `%g` prints it.
private func number(_ value: Double) -> String {
    formatFloat(value, style: value.magnitude >= 1e6 ? .exponent : .general)
}
