// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import Model

/// A set of label names that label sets are cut down with. Works on the packed bytes: both sides are
/// in bytewise order, so that one pass over both decides every label without making a string.
struct LabelNameSet {
    private let names: [[UInt8]]

    init(_ names: [String]) {
        let sorted = names.sorted(by: isOrderedBytewise).map { Array($0.utf8) }
        var distinct: [[UInt8]] = []
        for name in sorted where distinct.last != name { distinct.append(name) }
        self.names = distinct
    }

    /// Appends the labels whose names are in the set, packed.
    func appendMembers(of labels: Labels, to packed: inout [UInt8]) {
        filter(labels, keepsMembers: true, to: &packed)
    }

    /// Appends the labels whose names are not in the set, packed.
    func appendOthers(of labels: Labels, to packed: inout [UInt8]) {
        filter(labels, keepsMembers: false, to: &packed)
    }

    private func filter(_ labels: Labels, keepsMembers: Bool, to packed: inout [UInt8]) {
        let bytes = labels.packed.raw
        var next = 0
        var at = 0
        while at < bytes.byteCount {
            let start = at
            let name = bytes.extracting(Labels.field(bytes, &at))
            _ = Labels.field(bytes, &at)
            var isMember = false
            while next < names.count {
                let candidate = names[next]
                let order = compareBytes(candidate.raw, name)
                if order > 0 { break }
                next += 1
                if order == 0 {
                    isMember = true
                    break
                }
            }
            guard isMember == keepsMembers else { continue }
            unsafe bytes.extracting(start..<at).withUnsafeBytes {
                unsafe packed.append(contentsOf: $0)
            }
        }
    }
}
