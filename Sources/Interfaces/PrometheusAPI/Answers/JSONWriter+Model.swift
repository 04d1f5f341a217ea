// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import JSON
internal import Model

extension JSONWriter {
    /// A label set as an object.
    mutating func labels(_ labels: Labels) {
        beginObject()
        labels.forEachSpan { name, value in label(name, value) }
        endObject()
    }

    /// A time as Go prints it in UTC: `2026-01-01T00:00:00.5Z`. nil is Go's zero time.
    mutating func time(_ timestamp: Timestamp?) {
        string(timestamp.map(TimeText.format) ?? "0001-01-01T00:00:00Z")
    }

    /// A native histogram: its count, sum and non-empty buckets from the lowest bound to the
    /// highest. The first number of a bucket tells which of its bounds belong to it: 0 the upper, 1
    /// the lower, 2 none, 3 both.
    mutating func histogram(_ histogram: FloatHistogram) {
        beginObject()
        key("count")
        floatText(histogram.count)
        key("sum")
        floatText(histogram.sum)
        let buckets = histogram.allBuckets.filter { $0.count != 0 }
        if !buckets.isEmpty {
            key("buckets")
            array(buckets) { json, bucket in
                json.beginArray()
                json.integer(bucket.rule)
                json.floatText(bucket.lower)
                json.floatText(bucket.upper)
                json.floatText(bucket.count)
                json.endArray()
            }
        }
        endObject()
    }
}

extension HistogramBucket {
    /// Which bounds belong to it.
    fileprivate var rule: Int64 {
        switch (includesLower, includesUpper) {
        case (false, true): 0
        case (true, false): 1
        case (false, false): 2
        case (true, true): 3
        }
    }
}
