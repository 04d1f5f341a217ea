// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import HTTP
internal import JSON
internal import Model
internal import Platform
internal import PromQL

/// Results of queries, written straight from their columns.
extension JSONWriter {
    mutating func queryData(
        _ value: QueryValue, _ statistics: QueryStatistics?, _ plan: PlanNode?,
        _ body: BodyWriter, helpers: Helpers? = nil
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
            try matrix(series, body, helpers)
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
        for index in elements.indices {
            beginObject()
            key("metric")
            labels(elements[index].labels)
            if let histogram = elements[index].histogram {
                key("histogram")
                beginArray()
                timestamp(elements[index].timestamp)
                self.histogram(histogram)
                endArray()
            } else {
                key("value")
                sample(elements[index].timestamp, elements[index].value)
            }
            endObject()
            try body.flush(whenFull: &output.bytes)
        }
        endArray()
    }

    /// Runs of series are written by any thread and sent in order.
    private mutating func matrix(
        _ series: [ResultSeries], _ body: BodyWriter, _ helpers: Helpers?
    ) throws(ClientGone) {
        let samples = series.reduce(0) { $0 + $1.timestamps.count }
        let each = samples / max(1, series.count) + 8
        let length = max(1, min(256, 4096 / each))
        guard let helpers, samples > 50_000, series.count > 2 * length else {
            var times = SampleTimes()
            beginArray()
            for one in series { try self.series(one, &times, body) }
            return endArray()
        }
        beginArray()
        try body.flush(&output.bytes)
        let work = OrderedWork<SampleTimes, JSONWriter>(
            makeWorker: { _ in SampleTimes() }, makeResult: { JSONWriter(capacity: 1024) },
            work: { times, piece, json in
                let first = piece * length
                json.restart(isAfterValue: piece > 0)
                for index in first..<min(first + length, series.count) {
                    json.whole(series[index], &times)
                }
            })
        try work.run(
            count: (series.count + length - 1) / length, helpers: helpers
        ) { (_, json) throws(ClientGone) in try body.flush(&json.output.bytes) }
        endArray()
    }

    /// One series, sent whenever there is enough of it.
    private mutating func series(
        _ series: ResultSeries, _ times: inout SampleTimes, _ body: BodyWriter
    ) throws(ClientGone) {
        beginObject()
        key("metric")
        labels(series.labels)
        if !series.timestamps.isEmpty {
            key("values")
            times.take(series.timestamps)
            let run = 512
            let count = series.values.count
            beginArray()
            // In runs that stay below a piece.
            for start in stride(from: 0, to: count, by: run) {
                samples(series.values, start..<min(start + run, count), at: times)
                try body.flush(whenFull: &output.bytes)
            }
            endArray()
        }
        if !series.histogramTimestamps.isEmpty {
            key("histograms")
            beginArray()
            for index in series.histogramTimestamps.indices {
                histogram(of: series, index)
                try body.flush(whenFull: &output.bytes)
            }
            endArray()
        }
        endObject()
        try body.flush(whenFull: &output.bytes)
    }

    /// One series as a whole.
    private mutating func whole(_ series: ResultSeries, _ times: inout SampleTimes) {
        object { json in
            json.key("metric")
            json.labels(series.labels)
            if !series.timestamps.isEmpty {
                json.key("values")
                times.take(series.timestamps)
                json.beginArray()
                json.samples(series.values, series.values.indices, at: times)
                json.endArray()
            }
            if !series.histogramTimestamps.isEmpty {
                json.key("histograms")
                json.array(series.histogramTimestamps.indices) { $0.histogram(of: series, $1) }
            }
        }
    }

    private mutating func histogram(of series: ResultSeries, _ index: Int) {
        beginArray()
        timestamp(series.histogramTimestamps[index])
        histogram(series.histograms[index])
        endArray()
    }
}
