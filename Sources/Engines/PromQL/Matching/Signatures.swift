// SPDX-License-Identifier: Apache-2.0

internal import Model
internal import PromQLSyntax

/// Numbers the signatures of both sides of an operation between vectors: what `on` keeps or
/// `ignoring` leaves of the labels. Rows with equal numbers match.
struct Signatures {
    private(set) var left: [Int] = []
    private(set) var right: [Int] = []
    let count: Int

    init(_ matching: VectorMatching, left: [RowLabels], right: [RowLabels]) {
        let names = LabelNameSet(
            matching.isOn ? matching.labels : matching.labels + [LabelName.metric])
        var table = LabelSetTable(expecting: left.count + right.count)
        var key: [UInt8] = []
        func number(_ row: RowLabels) -> Int {
            key.removeAll(keepingCapacity: true)
            if matching.isOn {
                names.appendMembers(of: row.labels, to: &key)
            } else {
                names.appendOthers(of: row.labels, to: &key)
            }
            return table.insert(key)
        }
        self.left = left.map(number)
        self.right = right.map(number)
        count = table.count
    }
}

extension VectorMatching {
    /// The labels by which two series match, as error texts and filled-in series show them.
    func matchLabels(of labels: Labels) -> Labels {
        var packed: [UInt8] = []
        if isOn {
            LabelNameSet(self.labels).appendMembers(of: labels, to: &packed)
        } else {
            LabelNameSet(self.labels + [LabelName.metric]).appendOthers(of: labels, to: &packed)
        }
        return Labels(packed: packed)
    }
}
