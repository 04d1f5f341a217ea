// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import Model
internal import PromQLSyntax

/// Which group of an aggregation each row belongs to. Worked out once, from the packed label bytes:
/// what `by` or `without` leaves of them is at once the key of the group and its labels.
struct Grouping {
    /// The group of each row.
    private(set) var groupOf: [Int] = []
    /// The groups in the order of their first rows.
    private(set) var groups: [RowLabels] = []

    init(_ rows: [RowLabels], by names: [String], without: Bool) {
        let set = LabelNameSet(without ? names + [LabelName.metric] : names)
        var table = LabelSetTable()
        var key: [UInt8] = []
        groupOf.reserveCapacity(rows.count)
        for row in rows {
            key.removeAll(keepingCapacity: true)
            if without {
                set.appendOthers(of: row.labels, to: &key)
            } else if !names.isEmpty {
                set.appendMembers(of: row.labels, to: &key)
            }
            let group = table.insert(key)
            if group == groups.count { groups.append(RowLabels(table.sets[group])) }
            if row.dropsName { groups[group].dropsName = true }
            groupOf.append(group)
        }
    }
}
