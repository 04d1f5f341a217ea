// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import Glibc
internal import Model

/// A set of label names that label sets are cut down with. Works on the packed bytes: both sides
/// are in bytewise order, so that one pass over both decides every label without making a string.
struct LabelNameSet {
    /// The names that say what a metric is, which no longer holds for the result of an operation.
    static let metadata = LabelNameSet(metadataNames)
    static let metadataNames = [LabelName.metric, LabelName.type, LabelName.unit]

    /// All names one after the other, ascending, and where each ends.
    private let bytes: [UInt8]
    private let ends: [Int]

    init(_ names: [String]) {
        var bytes: [UInt8] = []
        var ends: [Int] = []
        var last: String?
        for name in names.sorted(by: isOrderedBytewise) {
            if let last, isEqualBytewise(last, name) { continue }
            bytes.append(contentsOf: name.utf8)
            ends.append(bytes.count)
            last = name
        }
        self.bytes = bytes
        self.ends = ends
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
        unsafe labels.packed.withUnsafeBytes { source in
            unsafe bytes.withUnsafeBytes { names in
                var at = 0
                var next = 0
                while at < source.count {
                    let start = at
                    let name = unsafe Self.field(source, &at)
                    _ = unsafe Self.field(source, &at)
                    var isMember = false
                    while next < ends.count {
                        let from = next == 0 ? 0 : ends[next - 1]
                        let candidate = from..<ends[next]
                        let order = unsafe Self.compare(names, candidate, source, name)
                        if order > 0 { break }
                        next += 1
                        if order == 0 {
                            isMember = true
                            break
                        }
                    }
                    if isMember == keepsMembers {
                        unsafe packed.append(contentsOf: source[start..<at])
                    }
                }
            }
        }
    }

    /// The next field behind its length; `Labels` vouches for the form.
    @inline(__always)
    private static func field(_ source: UnsafeRawBufferPointer, _ at: inout Int) -> Range<Int> {
        var length = unsafe Int(source[at])
        at += 1
        if length == 255 {
            length = unsafe Int(source[at]) | Int(source[at + 1]) << 8 | Int(source[at + 2]) << 16
            at += 3
        }
        let start = at
        at += length
        return start..<at
    }

    @inline(__always)
    private static func compare(
        _ left: UnsafeRawBufferPointer, _ leftRange: Range<Int>, _ right: UnsafeRawBufferPointer,
        _ rightRange: Range<Int>
    ) -> Int {
        let shared = min(leftRange.count, rightRange.count)
        if shared > 0 {
            let order = unsafe memcmp(
                left.baseAddress! + leftRange.lowerBound,
                right.baseAddress! + rightRange.lowerBound, shared)
            if order != 0 { return Int(order) }
        }
        return leftRange.count - rightRange.count
    }
}
