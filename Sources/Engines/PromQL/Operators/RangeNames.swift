// SPDX-License-Identifier: Apache-2.0

internal import Model
internal import Storage

/// What the rows of a function over ranges are called. Most are never asked for their labels: they
/// are added up by groups, which the storage may know without gathering labels.
final class RangeNames {
    private let evaluation: Evaluation
    private let source: any ColumnSource
    private let keepsName: Bool

    /// What the series say of their metrics.
    private(set) lazy var metrics = source.grouping(.by(LabelNameSet.metadataNames))

    private(set) lazy var rows: [RowLabels] = source.rows.map { row in
        if !keepsName { return evaluation.droppingName(row) }
        return row.dropsName && !evaluation.delaysNameRemoval
            ? RowLabels(row.labels.withoutMetadata) : row
    }

    init(_ evaluation: Evaluation, _ call: RangeCall, _ source: any ColumnSource) {
        self.evaluation = evaluation
        self.source = source
        keepsName = call.function.keepsName
    }

    func grouping(_ cut: LabelCut) -> Grouping {
        // The results of a subquery may have lost their names before.
        guard source.isStored else { return Grouping(rows, cut) }
        if keepsName { return source.grouping(cut) }
        if evaluation.delaysNameRemoval {
            var grouping = source.grouping(cut)
            grouping.dropNames()
            return grouping
        }
        let metadata = LabelNameSet.metadataNames
        if !cut.keepsNamed { return source.grouping(.without(cut.names + metadata)) }
        return source.grouping(.by(cut.names.filter { !metadata.contains($0) }))
    }

    /// The labels that rows have in common with others; nil where no two are equal. Series that say
    /// the same of their metrics differ in other labels.
    var slotsOfEqualRows: [Int]? {
        if evaluation.delaysNameRemoval { return nil }
        if source.isStored, keepsName || metrics.groups.count <= 1 { return nil }
        return MergeRows.slots(of: rows)
    }
}

/// Finds series with samples whose labels have become equal, where that is an error even if they
/// have no step in common.
struct ClashDetector {
    private let slots: [Int]?
    private var seen: [Bool] = []

    init(_ names: RangeNames) {
        slots = names.slotsOfEqualRows
        if let slots { seen = [Bool](repeating: false, count: slots.count) }
    }

    mutating func add(_ index: Int) throws(QueryError) {
        guard let slots else { return }
        if seen[slots[index]] { throw .sameLabelset }
        seen[slots[index]] = true
    }
}
