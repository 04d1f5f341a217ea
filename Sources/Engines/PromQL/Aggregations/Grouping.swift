// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import Model
internal import PromQLSyntax
internal import Storage

/// Which group of an aggregation each row belongs to. Worked out once: by the storage, or from the
/// packed label bytes, where what a cut leaves of them is at once the key of the group and its
/// labels.
struct Grouping {
    /// The group of each row.
    private(set) var groupOf: [Int32] = []
    /// The groups in the order of their first rows.
    private(set) var groups: [RowLabels] = []

    /// The groups that the storage found; their names stay.
    init(_ found: SeriesGroups) {
        groupOf = found.groupOf
        groups = found.labels.map { RowLabels($0) }
    }

    init(_ rows: [RowLabels], _ cut: LabelCut) {
        let set = LabelNameSet(cut.names)
        var table = LabelSetTable()
        var key: [UInt8] = []
        groupOf.reserveCapacity(rows.count)
        for row in rows {
            key.removeAll(keepingCapacity: true)
            if !cut.keepsNamed {
                set.appendOthers(of: row.labels, to: &key)
            } else if !cut.names.isEmpty {
                set.appendMembers(of: row.labels, to: &key)
            }
            let group = table.insert(key)
            if group == groups.count { groups.append(RowLabels(table.sets[group])) }
            if row.dropsName { groups[group].dropsName = true }
            groupOf.append(Int32(truncatingIfNeeded: group))
        }
    }

    /// The same groups, whose names go when the query ends.
    mutating func dropNames() {
        for group in groups.indices { groups[group].dropsName = true }
    }

    subscript(row: Int) -> Int { Int(groupOf[row]) }
}

extension LabelCut {
    /// What `by` or `without` leaves. Without some labels the metric's name goes, too.
    static func of(_ names: [String], without: Bool) -> LabelCut {
        without ? .without(names + [LabelName.metric]) : .by(names)
    }
}
