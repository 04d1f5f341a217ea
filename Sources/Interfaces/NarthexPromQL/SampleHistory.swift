// SPDX-License-Identifier: Apache-2.0

internal import Model
internal import PromQL
internal import Storage

/// The samples of one series as columns. Floats and native histograms are separate lists, each in
/// ascending order of time; a time appears in one of them at most. Times are milliseconds since
/// 1970.
public struct SampleHistory: Sendable, Hashable {
    public private(set) var timestamps: [Int64] = []
    public private(set) var values: [Double] = []
    public private(set) var histogramTimestamps: [Int64] = []
    public private(set) var histograms: [NativeHistogram] = []

    /// The value that says that a series ended at this time. Queries stop seeing it there instead
    /// of looking back for older samples.
    public static let staleMarker = StaleMarker.value

    public init() {}

    public var isEmpty: Bool { timestamps.isEmpty && histogramTimestamps.isEmpty }

    /// Adds a sample, which must be newer than all others.
    public mutating func append(_ value: Double, at timestamp: Int64) {
        precondition(timestamp > newest ?? .min, "samples are appended in the order of their times")
        timestamps.append(timestamp)
        values.append(value)
    }

    /// Adds a histogram, which must be newer than all other samples.
    public mutating func append(_ histogram: NativeHistogram, at timestamp: Int64) {
        precondition(timestamp > newest ?? .min, "samples are appended in the order of their times")
        histogramTimestamps.append(timestamp)
        histograms.append(histogram)
    }

    /// The time of the newest sample.
    public var newest: Int64? {
        guard let float = timestamps.last else { return histogramTimestamps.last }
        return histogramTimestamps.last.map { max($0, float) } ?? float
    }
}

extension SampleHistory {
    init(_ series: ResultSeries) {
        timestamps = series.timestamps
        values = series.values
        histogramTimestamps = series.histogramTimestamps
        histograms = series.histograms.map { NativeHistogram($0) }
    }

    func columns() throws(InvalidHistogram) -> SampleColumns {
        var columns = SampleColumns()
        try append(to: &columns, .min, .max)
        return columns
    }

    /// Appends what lies between two times, both included.
    func append(
        to columns: inout SampleColumns, _ start: Int64, _ end: Int64
    ) throws(InvalidHistogram) {
        for (time, value) in zip(timestamps, values) where time >= start && time <= end {
            columns.timestamps.append(time)
            columns.values.append(value)
        }
        for (time, histogram) in zip(histogramTimestamps, histograms)
        where time >= start && time <= end {
            columns.histogramTimestamps.append(time)
            columns.histograms.append(try histogram.floatHistogram())
        }
    }
}
