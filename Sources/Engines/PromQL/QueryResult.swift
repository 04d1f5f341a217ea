// SPDX-License-Identifier: Apache-2.0

package import Model

/// What a query came to.
package struct QueryResult: Sendable {
    package var value: QueryValue
    /// Texts as the HTTP API shows them, each once, with the position in the query.
    package var warnings: [String]
    package var infos: [String]
    package var statistics: QueryStatistics
    /// Counts the memory of the value for as long as it is kept beside it.
    package var memory: MemoryHold?
    /// Where it was asked for.
    package var plan: PlanNode?

    package init(
        value: QueryValue, warnings: [String], infos: [String], statistics: QueryStatistics
    ) {
        self.value = value
        self.warnings = warnings
        self.infos = infos
        self.statistics = statistics
    }
}

/// How much a query looked at and how long it took.
package struct QueryStatistics: Sendable {
    /// Samples taken into account, once for every step that used them.
    package var totalSamples = 0
    /// Samples read from storage, once.
    package var samplesRead = 0
    /// The most samples that were held at once, as upstream counts them.
    package var peakSamples = 0
    /// The same step by step, for statistics in detail.
    package var totalSamplesPerStep: [Int]?
    package var samplesReadPerStep: [Int]?
    /// The time of the first of these steps and the distance between two, in milliseconds.
    package var steps: (start: Timestamp, interval: Milliseconds) = (0, 1)
    package var timings = QueryTimings()

    package init() {}
}

/// How long the parts of a query took, in seconds.
package struct QueryTimings: Sendable {
    /// Waiting until it was this query's turn.
    package var queue = 0.0
    /// Opening the storage.
    package var preparation = 0.0
    package var innerEvaluation = 0.0
    package var sorting = 0.0
    /// All of that but the queue.
    package var evaluation = 0.0
    /// All of it.
    package var execution = 0.0

    package init() {}
}

package enum QueryValue: Sendable {
    case scalar(Sample)
    case string(String, Timestamp)
    case vector([VectorElement])
    case matrix([ResultSeries])
}

/// One series at one time. Counts as a float unless it has a histogram.
package struct VectorElement: Sendable {
    package var labels: Labels
    package var timestamp: Timestamp
    package var value: Double
    package var histogram: FloatHistogram?

    package init(
        labels: Labels, timestamp: Timestamp, value: Double, histogram: FloatHistogram? = nil
    ) {
        self.labels = labels
        self.timestamp = timestamp
        self.value = value
        self.histogram = histogram
    }
}

/// One series over time; floats and histograms are separate lists, each in time order.
package struct ResultSeries: Sendable {
    package var labels: Labels
    package var timestamps: [Timestamp]
    package var values: [Double]
    package var histogramTimestamps: [Timestamp] = []
    package var histograms: [FloatHistogram] = []

    package init(labels: Labels, timestamps: [Timestamp], values: [Double]) {
        self.labels = labels
        self.timestamps = timestamps
        self.values = values
    }
}
