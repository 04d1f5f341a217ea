// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import HTTP
internal import JSON
internal import Model
internal import PromQL

/// Results of queries, written straight from their columns.
extension JSONWriter {
    mutating func queryData(
        _ value: QueryValue, _ statistics: QueryStatistics?, _ plan: PlanNode?,
        _ body: BodyWriter
    ) throws(ClientGone) {
        beginObject()
        key("resultType")
        switch value {
        case .scalar(let sample):
            string("scalar")
            key("result")
            pair(sample.timestamp) { $0.floatText(sample.value, .plain) }
        case .string(let text, let timestamp):
            string("string")
            key("result")
            pair(timestamp) { $0.string(text, .htmlSafeShort) }
        case .vector(let elements):
            string("vector")
            key("result")
            try vector(elements, body)
        case .matrix(let series):
            string("matrix")
            key("result")
            try matrix(series, body)
        }
        if let statistics {
            key("stats")
            self.statistics(statistics)
        }
        if let plan {
            key("explain")
            self.plan(plan)
        }
        endObject()
    }

    /// Scalars and strings show their time as Go prints a float64, without trailing zeros.
    private mutating func pair(_ timestamp: Timestamp, _ value: (inout JSONWriter) -> Void) {
        beginArray()
        number(Double(timestamp) / 1000)
        value(&self)
        endArray()
    }

    private mutating func vector(
        _ elements: [VectorElement], _ body: BodyWriter
    ) throws(ClientGone) {
        beginArray()
        for element in elements {
            beginObject()
            key("metric")
            labels(element.labels)
            if let histogram = element.histogram {
                key("histogram")
                beginArray()
                timestamp(element.timestamp)
                self.histogram(histogram)
                endArray()
            } else {
                key("value")
                sample(element.timestamp, element.value)
            }
            endObject()
            try body.flush(whenFull: &output.bytes)
        }
        endArray()
    }

    private mutating func matrix(
        _ series: [ResultSeries], _ body: BodyWriter
    ) throws(ClientGone) {
        var times = SampleTimes()
        beginArray()
        for one in series {
            beginObject()
            key("metric")
            labels(one.labels)
            if !one.timestamps.isEmpty {
                key("values")
                times.take(one.timestamps)
                try samples(one, times, body)
            }
            if !one.histogramTimestamps.isEmpty {
                key("histograms")
                try histograms(one, body)
            }
            endObject()
            try body.flush(whenFull: &output.bytes)
        }
        endArray()
    }

    /// In runs that stay below a piece, so that the inner loop only writes.
    private mutating func samples(
        _ series: ResultSeries, _ times: SampleTimes, _ body: BodyWriter
    ) throws(ClientGone) {
        let run = 512
        let count = series.values.count
        beginArray()
        for start in stride(from: 0, to: count, by: run) {
            samples(series.values, start..<min(start + run, count), at: times)
            try body.flush(whenFull: &output.bytes)
        }
        endArray()
    }

    private mutating func histograms(
        _ series: ResultSeries, _ body: BodyWriter
    ) throws(ClientGone) {
        beginArray()
        for index in series.histogramTimestamps.indices {
            beginArray()
            timestamp(series.histogramTimestamps[index])
            histogram(series.histograms[index])
            endArray()
            try body.flush(whenFull: &output.bytes)
        }
        endArray()
    }
}
