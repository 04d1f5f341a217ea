// SPDX-License-Identifier: Apache-2.0

internal import Model
internal import PromQLSyntax
internal import Storage

/// The series that a selector of a query selects. Selectors with equal matchers and times share
/// one.
final class Selection {
    let series: any SeriesSet
    /// Gathered where somebody asks: aggregations mostly make do with groups.
    private(set) lazy var rows = (0..<series.count).map { RowLabels(series.labels(at: $0)) }

    init(_ series: any SeriesSet) { self.series = series }

    var count: Int { series.count }

    /// Which group each series belongs to, and the labels that the cut leaves of each group.
    func grouping(_ cut: LabelCut) -> Grouping {
        if let groups = series.groups(cut) { return Grouping(groups) }
        return Grouping(rows, cut)
    }

    func read(_ index: Int, _ range: TimeRange, into columns: inout SampleColumns)
        throws(QueryError)
    {
        columns.removeAll()
        do {
            try series.read(index, range, into: &columns)
        } catch {
            throw .storage(error)
        }
    }
}

/// The selections made so far in a query.
struct SelectionCache {
    private struct Key: Hashable {
        let matchers: [Matcher]
        let range: TimeRange
    }

    private var found: [Key: Selection] = [:]

    mutating func selection(
        of matchers: [Matcher], over range: TimeRange, _ evaluation: Evaluation
    ) throws(QueryError) -> Selection {
        let key = Key(matchers: matchers, range: range)
        if let selection = found[key] { return selection }
        let selection = Selection(try evaluation.select(matchers, over: range))
        found[key] = selection
        return selection
    }
}
