// SPDX-License-Identifier: Apache-2.0

internal import Model
internal import Storage

/// Where a function over ranges gets its samples from: a selector, or a subquery whose results are
/// taken as samples.
protocol ColumnSource {
    var rows: [RowLabels] { get }
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

    var rows: [RowLabels] { selection.rows }
    var isStored: Bool { true }

    func forEach(
        _ consume: (Int, inout SampleColumns) throws(QueryError) -> Void
    ) throws(QueryError) {
        var columns = SampleColumns()
        for index in selection.rows.indices {
            try evaluation.checkpoint()
            if try read(index, into: &columns) { try consume(index, &columns) }
        }
    }

    /// Reads one series; false where it has no sample.
    func read(_ index: Int, into columns: inout SampleColumns) throws(QueryError) -> Bool {
        try selection.read(index, range, into: &columns)
        columns.dropStaleMarkers()
        if stripsBuckets { columns.stripBuckets() }
        return !columns.isEmpty
    }
}

/// The results of an expression, evaluated on steps of its own, as samples.
struct SubqueryColumns: ColumnSource {
    let input: any VectorOperator

    var rows: [RowLabels] { input.rows }
    var isStored: Bool { false }

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
