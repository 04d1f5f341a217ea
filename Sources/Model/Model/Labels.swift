// SPDX-License-Identifier: Apache-2.0

internal import Bytes

/// A label: a name and its value.
package struct Label: Sendable, Hashable {
    package var name: String
    package var value: String

    package init(_ name: String, _ value: String) {
        self.name = name
        self.value = value
    }
}

/// Names with a meaning of their own.
package enum LabelName {
    package static let metric = "__name__"
    package static let bucket = "le"
    package static let quantile = "quantile"
    package static let job = "job"
    package static let instance = "instance"
    package static let type = "__type__"
    package static let unit = "__unit__"
}

/// A label set: distinct names in bytewise order, no empty values. One flat run of bytes, each name
/// and value behind its length (one byte, or 255 and three bytes little-endian), so that equality
/// is a comparison of bytes and `stableHash` equals upstream's.
package struct Labels: Sendable, Hashable {
    package private(set) var packed: [UInt8]

    package static let empty = Labels(packed: [])

    /// Takes over bytes that already are in the packed form; the caller vouches for order.
    package init(packed: [UInt8]) { self.packed = packed }

    /// Sorts by name; of equal names the last counts; empty values are dropped.
    package init(_ labels: [Label]) {
        var builder = LabelsBuilder()
        for label in labels { builder.set(label.name, label.value) }
        self = builder.labels()
    }

    package init(_ labels: KeyValuePairs<String, String>) {
        self.init(labels.map { Label($0.key, $0.value) })
    }

    package var isEmpty: Bool { packed.isEmpty }

    package var count: Int {
        var count = 0
        forEachSpan { _, _ in count += 1 }
        return count
    }

    /// xxHash64 of the packed form: the hash that upstream uses for sharding and `limit_ratio`.
    package var stableHash: UInt64 { xxHash64(packed.raw) }

    /// Calls `body` for each label in order, without making strings.
    package func forEachSpan<Failure: Error>(
        _ body: (_ name: RawSpan, _ value: RawSpan) throws(Failure) -> Void
    ) throws(Failure) {
        let bytes = packed.raw
        var at = 0
        while at < bytes.byteCount {
            let name = Labels.field(bytes, &at)
            let value = Labels.field(bytes, &at)
            try body(bytes.extracting(name), bytes.extracting(value))
        }
    }

    /// The range of the next length-prefixed field; moves `at` behind it.
    package static func field(_ bytes: RawSpan, _ at: inout Int) -> Range<Int> {
        var length = Int(bytes[at])
        at += 1
        if length == 255 {
            length = Int(bytes[at]) | Int(bytes[at + 1]) << 8 | Int(bytes[at + 2]) << 16
            at += 3
        }
        defer { at += length }
        return at..<(at + length)
    }

    /// How many fields from the first on two packed label sets have in common, and where those end.
    package static func sharedFields(
        _ left: RawSpan, _ right: RawSpan
    ) -> (count: Int, end: Int) {
        let shorter = Swift.min(left.byteCount, right.byteCount)
        var equal = 0
        while equal &+ 8 <= shorter {
            let words = unsafe (
                left.unsafeLoadUnaligned(fromUncheckedByteOffset: equal, as: UInt64.self),
                right.unsafeLoadUnaligned(fromUncheckedByteOffset: equal, as: UInt64.self)
            )
            if words.0 != words.1 { break }
            equal &+= 8
        }
        while equal < shorter, left[equal] == right[equal] { equal &+= 1 }
        var count = 0
        var end = 0
        while end < equal {
            // A length of three bytes counts only where all of them are equal.
            if left[end] == 255, end + 4 > equal { break }
            var next = end
            _ = field(left, &next)
            if next > equal { break }
            end = next
            count += 1
        }
        return (count, end)
    }

    package static func appendField(_ field: RawSpan, to packed: inout [UInt8]) {
        appendLength(field.byteCount, to: &packed)
        unsafe field.withUnsafeBytes { unsafe packed.append(contentsOf: $0) }
    }

    package static func appendField(_ field: String, to packed: inout [UInt8]) {
        appendLength(field.utf8.count, to: &packed)
        packed.append(contentsOf: field.utf8)
    }

    private static func appendLength(_ length: Int, to packed: inout [UInt8]) {
        precondition(
            length < 1 << 24, "a label of 16 MiB or more must be refused before it gets here")
        if length < 255 { return packed.append(UInt8(length)) }
        packed.append(255)
        for shift in [0, 8, 16] { packed.append(UInt8(truncatingIfNeeded: length >> shift)) }
    }

    /// The value of a label; nil where the set has no such label.
    package subscript(name: String) -> String? {
        guard let range = valueRange(name) else { return nil }
        return String(decoding: packed[range], as: UTF8.self)
    }

    package func has(_ name: String) -> Bool { valueRange(name) != nil }

    /// Calls `body` with the bytes of the value, empty where the set has no such label.
    package func withValue<Result>(_ name: String, _ body: (RawSpan) -> Result) -> Result {
        let bytes = packed.raw
        guard let range = valueRange(name) else { return body(bytes.extracting(0..<0)) }
        return body(bytes.extracting(range))
    }

    private func valueRange(_ name: String) -> Range<Int>? {
        var name = name
        return name.withUTF8 { wanted in
            let wanted = unsafe RawSpan(_unsafeBytes: UnsafeRawBufferPointer(wanted))
            let bytes = packed.raw
            var at = 0
            while at < bytes.byteCount {
                let found = Labels.field(bytes, &at)
                let value = Labels.field(bytes, &at)
                let order = compareBytes(bytes.extracting(found), wanted)
                if order == 0 { return value }
                if order > 0 { return nil }
            }
            return nil
        }
    }

    package var metricName: String? { self[LabelName.metric] }

    /// The labels whose names `isKept` accepts.
    package func filtered(_ isKept: (RawSpan) -> Bool) -> Labels {
        var kept: [UInt8] = []
        kept.reserveCapacity(packed.count)
        forEachSpan { name, value in
            guard isKept(name) else { return }
            Labels.appendField(name, to: &kept)
            Labels.appendField(value, to: &kept)
        }
        return Labels(packed: kept)
    }

    package func removing(_ name: String) -> Labels {
        guard has(name) else { return self }
        var builder = LabelsBuilder(self)
        builder.remove(name)
        return builder.labels()
    }

    package func setting(_ name: String, _ value: String) -> Labels {
        var builder = LabelsBuilder(self)
        builder.set(name, value)
        return builder.labels()
    }
}

extension Labels: Sequence {
    package struct Iterator: IteratorProtocol {
        let packed: [UInt8]
        var at = 0

        package mutating func next() -> Label? {
            guard at < packed.count else { return nil }
            var next = at
            let name = Labels.field(packed.raw, &next)
            let value = Labels.field(packed.raw, &next)
            at = next
            return Label(
                String(decoding: packed[name], as: UTF8.self),
                String(decoding: packed[value], as: UTF8.self))
        }
    }

    package func makeIterator() -> Iterator { Iterator(packed: packed) }
}

extension Labels: Comparable {
    /// By name and value, label after label, bytewise; of two sets where one begins with the other
    /// the shorter comes first.
    package static func < (left: Labels, right: Labels) -> Bool {
        let leftBytes = left.packed.raw
        let rightBytes = right.packed.raw
        var leftAt = 0
        var rightAt = 0
        while leftAt < leftBytes.byteCount, rightAt < rightBytes.byteCount {
            let leftField = field(leftBytes, &leftAt)
            let rightField = field(rightBytes, &rightAt)
            let order = compareBytes(
                leftBytes.extracting(leftField), rightBytes.extracting(rightField))
            if order != 0 { return order < 0 }
        }
        return leftAt >= leftBytes.byteCount && rightAt < rightBytes.byteCount
    }
}

extension Labels: CustomStringConvertible {
    /// The set in PromQL's notation, the metric name among the labels.
    package var description: String {
        let inner = map { label in
            let name = isLegacyLabelName(label.name) ? label.name : quoted(label.name)
            return "\(name)=\(quoted(label.value))"
        }
        return "{\(inner.joined(separator: ", "))}"
    }
}

/// Collects labels in any order and hands them out as a set.
package struct LabelsBuilder: Sendable {
    /// Kept in bytewise order of names.
    private var entries: [Label] = []

    package init() {}
    package init(_ base: Labels) { entries = Array(base) }

    private func position(_ name: String) -> (index: Int, found: Bool) {
        var low = 0
        var high = entries.count
        while low < high {
            let middle = (low + high) / 2
            if isOrderedBytewise(entries[middle].name, name) {
                low = middle + 1
            } else {
                high = middle
            }
        }
        return (low, low < entries.count && isEqualBytewise(entries[low].name, name))
    }

    package subscript(name: String) -> String? {
        let (index, found) = position(name)
        return found ? entries[index].value : nil
    }

    /// Sets a label; an empty value removes it.
    package mutating func set(_ name: String, _ value: String) {
        if value.isEmpty { return remove(name) }
        let (index, found) = position(name)
        if found {
            entries[index].value = value
        } else {
            entries.insert(Label(name, value), at: index)
        }
    }

    package mutating func remove(_ name: String) {
        let (index, found) = position(name)
        if found { entries.remove(at: index) }
    }

    package var isEmpty: Bool { entries.isEmpty }
    package var all: [Label] { entries }

    package func labels() -> Labels {
        var packed: [UInt8] = []
        packed.reserveCapacity(
            entries.reduce(0) { $0 + $1.name.utf8.count + $1.value.utf8.count + 2 })
        for entry in entries {
            Labels.appendField(entry.name, to: &packed)
            Labels.appendField(entry.value, to: &packed)
        }
        return Labels(packed: packed)
    }
}
