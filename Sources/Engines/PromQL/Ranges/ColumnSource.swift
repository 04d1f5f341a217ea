// SPDX-License-Identifier: Apache-2.0

internal import Model
internal import Platform
internal import Storage

/// Where a function over ranges gets its samples from: a selector, or a subquery whose results are
/// taken as samples.
protocol ColumnSource {
    var count: Int { get }
    var rows: [RowLabels] { get }
    /// The rows in groups by what a cut leaves of their labels.
    func grouping(_ cut: LabelCut) -> Grouping
    /// Whether the samples come from the storage as they are.
    var isStored: Bool { get }
    /// Hands each series with its samples, without staleness markers, to `consume`, in order. The
    /// columns are lent for the call.
    func forEach(
        _ consume: (_ index: Int, _ columns: inout SampleColumns) throws(QueryError) -> Void
    ) throws(QueryError)
}

/// The samples of selected series within a range of time.
struct StoredColumns: ColumnSource {
    let evaluation: Evaluation
    let selection: Selection
    let range: TimeRange
    var stripsBuckets = false

    var count: Int { selection.count }
    var rows: [RowLabels] { selection.rows }
    var isStored: Bool { true }

    func grouping(_ cut: LabelCut) -> Grouping { selection.grouping(cut) }

    func forEach(
        _ consume: (Int, inout SampleColumns) throws(QueryError) -> Void
    ) throws(QueryError) {
        let runs = SeriesRuns(count, .single(range.start), range, evaluation)
        try readAhead(runs).run(
            count: runs.count, helpers: runs.helpers
        ) { (piece, batch) throws(QueryError) in
            evaluation.memory.adopt(batch.allocated)
            for (place, index) in runs[piece].enumerated() {
                try evaluation.checkpoint()
                // What failed is read again, for its error.
                let hasSamples =
                    batch.isRead[place]
                    ? prepare(&batch.columns[place])
                    : try read(index, into: &batch.columns[place])
                if hasSamples { try consume(index, &batch.columns[place]) }
            }
        }
    }

    /// How the columns of runs of series are read by any thread.
    private func readAhead(_ runs: SeriesRuns) -> OrderedWork<HelperMemory, ColumnBatch> {
        let (series, range) = (selection.series, range)
        let configuration = evaluation.configuration
        return OrderedWork(
            makeWorker: { HelperMemory(configuration, isHelper: $0) },
            makeResult: { ColumnBatch() },
            work: { memory, piece, batch in
                batch.allocated = memory.allocated {
                    batch.read(runs[piece], of: series, range)
                }
            })
    }

    private func prepare(_ columns: inout SampleColumns) -> Bool {
        if stripsBuckets { columns.stripBuckets() }
        return !columns.isEmpty
    }

    /// Reads one series; false where it has no sample.
    func read(_ index: Int, into columns: inout SampleColumns) throws(QueryError) -> Bool {
        try selection.read(index, range, into: &columns)
        columns.dropStaleMarkers()
        return prepare(&columns)
    }
}

/// The columns of a run of series.
private struct ColumnBatch: Sendable {
    /// One for each series; more may be there to be used again.
    var columns: [SampleColumns] = []
    /// Whether there was no error.
    private(set) var isRead: [Bool] = []
    /// As in `RowBatch`.
    var allocated = 0

    mutating func read(_ run: Range<Int>, of series: any SeriesSet, _ range: TimeRange) {
        isRead.removeAll(keepingCapacity: true)
        while columns.count < run.count { columns.append(SampleColumns()) }
        for (place, index) in run.enumerated() {
            columns[place].removeAll()
            do {
                try series.read(index, range, into: &columns[place])
                columns[place].dropStaleMarkers()
                isRead.append(true)
            } catch {
                isRead.append(false)
            }
        }
    }
}

/// The results of an expression, evaluated on steps of its own, as samples.
struct SubqueryColumns: ColumnSource {
    let input: any VectorOperator

    var count: Int { rows.count }
    var rows: [RowLabels] { input.rows }
    var isStored: Bool { false }

    func grouping(_ cut: LabelCut) -> Grouping { input.grouping(cut) }

    func forEach(
        _ consume: (Int, inout SampleColumns) throws(QueryError) -> Void
    ) throws(QueryError) {
        let times = input.steps.timestamps
        var columns = SampleColumns()
        try input.run { (index, row) throws(QueryError) in
            columns.removeAll()
            if row.floats.isFull {
                columns.timestamps.append(contentsOf: times)
                columns.values.append(contentsOf: row.values)
            } else {
                row.floats.forEach {
                    columns.timestamps.append(times[$0])
                    columns.values.append(row.values[$0])
                }
            }
            for (step, histogram) in row.histograms.enumerated() {
                guard var histogram else { continue }
                // The results may have left out or repeated the samples that the hints refer to.
                if histogram.counterResetHint != .gauge { histogram.counterResetHint = .unknown }
                columns.histogramTimestamps.append(times[step])
                columns.histograms.append(histogram)
            }
            try consume(index, &columns)
        }
    }
}

extension SampleColumns {
    /// Takes the samples away that only say that a series ended.
    mutating func dropStaleMarkers() {
        dropStaleFloats()
        guard histograms.contains(where: \.isStale) else { return }
        let kept = histograms.indices.filter { !histograms[$0].isStale }
        histogramTimestamps = kept.map { histogramTimestamps[$0] }
        if !histogramStartTimestamps.isEmpty {
            histogramStartTimestamps = kept.map { histogramStartTimestamps[$0] }
        }
        histograms = kept.map { histograms[$0] }
    }

    /// How many staleness markers there are. Most series have not even another NaN: one pass
    /// without branches looks for exponents of all ones with any fraction.
    private var staleFloatCount: Int {
        let values = values.span
        let infinity: UInt64 = 0x7FF0_0000_0000_0000
        var signs: UInt64 = 0
        for index in values.indices {
            let magnitude = unsafe values[unchecked: index].bitPattern & 0x7FFF_FFFF_FFFF_FFFF
            signs |= infinity &- magnitude
        }
        if signs >> 63 == 0 { return 0 }
        let marker = StaleMarker.bits
        var count = 0
        for index in values.indices where values[index].bitPattern == marker { count += 1 }
        return count
    }

    private mutating func dropStaleFloats() {
        let markers = staleFloatCount
        if markers == 0 { return }
        let hasStarts = !startTimestamps.isEmpty
        var kept = 0
        for index in values.indices where !StaleMarker.isStale(values[index]) {
            values[kept] = values[index]
            timestamps[kept] = timestamps[index]
            if hasStarts { startTimestamps[kept] = startTimestamps[index] }
            kept += 1
        }
        values.removeLast(markers)
        timestamps.removeLast(markers)
        if hasStarts { startTimestamps.removeLast(markers) }
    }
}
