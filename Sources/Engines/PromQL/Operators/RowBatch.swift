// SPDX-License-Identifier: Apache-2.0
//
// Selected series are read, decoded and evaluated on several threads at once: that is most of the
// work of a query, and what becomes of one series does not depend on another. Runs of series are
// the pieces (`OrderedWork`). Everything whose order can be seen (sums, limits, warnings, errors)
// happens on the thread of the query when a row is handed on, so the answer is the same to the last
// bit whether there was help or not.

internal import Model
internal import Platform
internal import Storage

/// What became of a run of series that were evaluated ahead.
struct RowBatch: Sendable {
    enum Outcome: Sendable {
        /// No samples.
        case empty
        /// The row of this series is complete, and its windows are counted where it has any.
        case row(WindowCounts?)
        /// Has to be evaluated on the query's own thread: it has histograms, or there is an error
        /// to be told.
        case left
        /// The query was interrupted meanwhile.
        case stopped
    }

    private(set) var outcomes: [Outcome] = []
    /// One for each outcome; more may be there to be used again.
    private(set) var rows: [Row] = []
    var windows = WindowCache.Counts()
    /// What the thread that filled it allocated meanwhile, where that is not the query's own.
    var allocated = 0

    /// Evaluates a run of series with `evaluate`, which may leave the row undefined.
    mutating func fill(
        _ series: Range<Int>, width: Int, _ evaluate: (Int, inout Row) -> Outcome
    ) {
        outcomes.removeAll(keepingCapacity: true)
        while rows.count < series.count { rows.append(Row(width: width)) }
        for (place, index) in series.enumerated() {
            if rows[place].width != width { rows[place] = Row(width: width) }
            rows[place].histograms.removeAll()
            outcomes.append(evaluate(index, &rows[place]))
        }
    }

    /// Lends a row.
    mutating func withRow<Failure: Error>(
        _ place: Int, _ body: (inout Row) throws(Failure) -> Void
    ) throws(Failure) {
        try body(&rows[place])
    }
}

/// The balance of the allocator on a thread that helps; the query's own is known.
struct HelperMemory: Sendable {
    private let meter: (@Sendable () -> Int?)?

    init(_ configuration: EngineConfiguration, isHelper: Bool) {
        meter = isHelper ? configuration.memoryMeter : nil
    }

    /// Runs `body` and returns what it allocated, less what it freed.
    func allocated(by body: () -> Void) -> Int {
        guard let meter, let before = meter() else {
            body()
            return 0
        }
        body()
        return (meter() ?? before) - before
    }
}

/// How the series of a selection are cut into runs.
struct SeriesRuns {
    let seriesCount: Int
    let length: Int
    /// Nil where the work is not worth waking a thread.
    let helpers: Helpers?

    /// `range` is what is read of each series, `window` what each step looks at of it.
    init(
        _ seriesCount: Int, _ steps: Steps, _ range: TimeRange, _ evaluation: Evaluation,
        window: (width: Milliseconds, costOfSample: Int) = (0, 0)
    ) {
        self.seriesCount = seriesCount
        // Nanoseconds, roughly: samples come each 15 seconds, in chunks of 120.
        let span = range.end.advancedClamped(by: 0 &- range.start)
        let samples = max(120, span / 15_000)
        let covered = Int(min(max(0, window.width) / 15_000, 1 << 24))
        let stepCost = 4 + covered * window.costOfSample
        let cost = 1000 + Int(min(samples, 1 << 32)) * 6 + steps.count * stepCost
        let most = max(1, min(128, 200_000 / cost, (1 << 15) / max(1, steps.count)))
        // A power of two: storages keep neighbouring series in groups.
        let length = 1 << (Int.bitWidth - 1 - most.leadingZeroBitCount)
        let isLarge = seriesCount > 2 * length && seriesCount * cost > 1_000_000
        helpers = isLarge ? evaluation.configuration.helpers : nil
        self.length = helpers == nil ? 1 : length
    }

    var count: Int { (seriesCount + length - 1) / length }

    subscript(run: Int) -> Range<Int> {
        run * length..<min(seriesCount, run * length + length)
    }
}
