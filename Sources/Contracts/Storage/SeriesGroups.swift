// SPDX-License-Identifier: Apache-2.0

package import Model

/// Which labels count when series are put into groups: those with certain names, or all others.
package struct LabelCut: Sendable, Hashable {
    package let names: [String]
    package let keepsNamed: Bool

    package static func by(_ names: [String]) -> LabelCut {
        LabelCut(names: names, keepsNamed: true)
    }

    package static func without(_ names: [String]) -> LabelCut {
        LabelCut(names: names, keepsNamed: false)
    }
}

/// The series of a selection in groups: those of a group have the same labels, as far as these
/// count.
package struct SeriesGroups: Sendable {
    /// The group of each series.
    package private(set) var groupOf: [Int32] = []
    /// The labels that count of each group. Groups are in the order of their first series.
    package private(set) var labels: [Labels] = []

    package init(expecting count: Int) { groupOf.reserveCapacity(count) }

    /// Adds the next series to a group that is there.
    package mutating func append(toGroup group: Int) {
        groupOf.append(Int32(truncatingIfNeeded: group))
    }

    /// Adds the next series and with it a group.
    package mutating func append(newGroup labels: Labels) {
        self.labels.append(labels)
        append(toGroup: self.labels.count - 1)
    }
}
