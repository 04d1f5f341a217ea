// SPDX-License-Identifier: Apache-2.0

package import Model

/// Something that answers selections over a time range: the TSDB, an in-memory store, a remote.
package protocol Queryable: Sendable {
    /// A consistent view of everything committed before this call. `range` is closed at both ends.
    func querier(over range: TimeRange) throws(StorageError) -> any Querier
}

/// A consistent view over one time range. Any thread may use it; it holds what it reads from alive
/// until it is released.
package protocol Querier: Sendable {
    /// The series that fulfil all matchers, sorted by labels unless the hints allow otherwise.
    func select(_ matchers: [Matcher], hints: SelectHints) throws(StorageError) -> any SeriesSet

    /// The sorted names of labels of the series that fulfil all matchers (all series for none).
    func labelNames(_ matchers: [Matcher]) throws(StorageError) -> [String]

    /// The sorted values of one label among the series that fulfil all matchers.
    func labelValues(_ name: String, _ matchers: [Matcher]) throws(StorageError) -> [String]
}

/// What a storage may use to do less; it may ignore any of it.
package struct SelectHints: Sendable {
    /// The samples that the query will look at: a closed range inside the querier's.
    package var range: TimeRange
    /// Only the labels are wanted, no samples.
    package var labelsOnly = false
    /// The series must come in label order. Upstream's answers show series of the head alone in the
    /// order in which they were created where nothing else asks for an order.
    package var needsOrder = true

    package init(range: TimeRange) { self.range = range }
}

/// The result of a selection: a fixed list of series, in label order unless the hints allowed
/// otherwise, whose samples are decoded on request, whole columns at a time. Reads of different
/// series may run at once on different threads.
package protocol SeriesSet: Sendable {
    var count: Int { get }
    func labels(at index: Int) -> Labels
    /// Appends the labels of the series at `index`, as `Labels` packs them.
    func appendLabels(at index: Int, to packed: inout [UInt8])
    /// Whether the series at `index` has just these packed labels: for a comparison they need not
    /// be gathered.
    func hasLabels(_ packed: [UInt8], at index: Int) -> Bool
    /// A stretch of time through which the series has samples, all of them floats, no two further
    /// apart than `steadyGap`, and no staleness marker among them. It ends with the last sample of
    /// the series. Nil where that is not known without decoding.
    func steadyRun(_ index: Int) -> TimeRange?
    /// The series in groups, where the storage can tell them apart without gathering their labels.
    func groups(_ cut: LabelCut) -> SeriesGroups?
    /// Appends the samples of the series within the closed `range`, in time order, to `columns`
    /// (which it does not clear).
    func read(_ index: Int, _ range: TimeRange, into columns: inout SampleColumns)
        throws(StorageError)
    /// As `read`, but may leave out all samples but the newest.
    func readNewest(_ index: Int, _ range: TimeRange, into columns: inout SampleColumns)
        throws(StorageError)
}

extension SeriesSet {
    package func readNewest(
        _ index: Int, _ range: TimeRange, into columns: inout SampleColumns
    ) throws(StorageError) {
        try read(index, range, into: &columns)
    }

    package func appendLabels(at index: Int, to packed: inout [UInt8]) {
        packed += labels(at: index).packed
    }

    package func hasLabels(_ packed: [UInt8], at index: Int) -> Bool {
        labels(at: index).packed == packed
    }

    package func steadyRun(_ index: Int) -> TimeRange? { nil }

    package func groups(_ cut: LabelCut) -> SeriesGroups? { nil }
}

/// How far apart the samples of a steady run may be, in milliseconds.
@inlinable package var steadyGap: Int64 { 120_000 }

/// Decoded samples of one series as columns. Floats and histograms are separate lists, each in time
/// order; a time appears in one of them at most.
package struct SampleColumns: Sendable {
    package var timestamps: [Timestamp] = []
    package var values: [Double] = []
    /// Parallel to `timestamps`, or empty where no sample has a start timestamp; 0 means none.
    package var startTimestamps: [Timestamp] = []

    package var histogramTimestamps: [Timestamp] = []
    package var histograms: [FloatHistogram] = []
    package var histogramStartTimestamps: [Timestamp] = []

    package init() {}

    package var isEmpty: Bool { timestamps.isEmpty && histogramTimestamps.isEmpty }

    /// Empties the columns and keeps their memory.
    package mutating func removeAll() {
        timestamps.removeAll(keepingCapacity: true)
        values.removeAll(keepingCapacity: true)
        startTimestamps.removeAll(keepingCapacity: true)
        histogramTimestamps.removeAll(keepingCapacity: true)
        histograms.removeAll(keepingCapacity: true)
        histogramStartTimestamps.removeAll(keepingCapacity: true)
    }
}

/// Why a storage could not do what it was asked for.
package struct StorageError: Error, Sendable, CustomStringConvertible {
    package enum Code: Sendable, Hashable {
        /// Not ready, read-only, or closed.
        case unavailable
        /// A file holds something else than it should; the message names file and offset.
        case damaged
        /// The operating system refused: no space, no permission.
        case inputOutput
        /// A bound of ours was exceeded.
        case limit
        /// Memory is short.
        case noMemory
        /// The task that asked went away.
        case cancelled
        /// The data needs a feature that is not there.
        case unsupported
    }

    package var code: Code
    package var message: String

    package init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    package var description: String { message }
}
