// SPDX-License-Identifier: Apache-2.0

internal import Exposition
internal import Model
internal import Storage

/// What is remembered of a target from scrape to scrape: what its expositions look like, and which
/// series of the storage each line stands for. The layout is shared between targets; what is the
/// target's own is eight bytes a series.
struct SeriesTable: Sendable {
    /// Stands in for the ref of a series that relabelling drops.
    static let dropped = SeriesRef(slot: .max, generation: .max)

    var layout: Layout
    /// The header that the layout's dialect was read from.
    var contentType = ""
    /// The series of each sample of the layout, then those of the reports.
    var refs: [SeriesRef] = []
    var droppedCount = 0
    /// Series of the last scrape that the storage did not create since memory was short.
    var refusedCount = 0
    /// Samples that were in the last scrape that could be used; the others of the layout are kept
    /// in case they come back.
    var present = OrdinalSet.all
    /// Samples that get a staleness marker when they are not in the next scrape.
    var tracked = OrdinalSet.none
    /// Series of a layout that was given up, to be marked stale by the next scrape.
    var orphans: [SeriesRef] = []
    /// Scrapes since the body was last like the layout, and how many of them are put up with before
    /// the layout is made anew. Grows where making it anew did not help.
    var deviations = 0
    var patience = SeriesTable.initialPatience

    static let initialPatience = 4
    static let longestPatience = 1024

    /// What most tables begin with, and what stands in for one that is being worked on.
    private static let emptyLayout = Layout(emptyFor: .text)

    init(dialect: TextDialect = .text) {
        layout = dialect == .text ? Self.emptyLayout : Layout(emptyFor: dialect)
    }

    var sampleCount: Int { layout.sampleCount }
    var hasReportRefs: Bool { refs.count > sampleCount }

    /// Begins anew with another dialect; the series so far become orphans.
    mutating func restart(_ dialect: TextDialect) {
        var orphans = orphans
        for ordinal in 0..<sampleCount
        where tracked.has(ordinal) && refs[ordinal] != Self.dropped {
            orphans.append(refs[ordinal])
        }
        let reports = refs[sampleCount...]
        self = SeriesTable(dialect: dialect)
        refs = Array(reports)
        self.orphans = orphans
    }
}
