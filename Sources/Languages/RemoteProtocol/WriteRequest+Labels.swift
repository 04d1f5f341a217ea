// SPDX-License-Identifier: Apache-2.0

internal import Bytes
package import Model
internal import Protobuf

/// Why a series is left out. Remote write 1.0 drops such series without a word to the sender; the
/// sentences are for the log.
package enum LabelFault: Error, Sendable, Hashable, CustomStringConvertible {
    /// No metric name, an empty name, or something that is no UTF-8.
    case invalid
    case duplicate(name: String)

    package var description: String {
        switch self {
        case .invalid: "Invalid metric names or labels"
        case .duplicate(let name): "Invalid labels for series: duplicated label \(name)"
        }
    }
}

extension WriteRequest.Series {
    private typealias Field = (name: Range<Int>, value: Range<Int>)

    /// The labels out of the request's bytes: brought into order, the empty ones left out.
    package func makeLabels(_ bytes: RawSpan) throws(LabelFault) -> Labels {
        var (fields, isSorted) = readFields(bytes)
        if !isSorted {
            fields.sort {
                compareBytes(bytes.extracting($0.name), bytes.extracting($1.name)) < 0
            }
        }
        try check(fields, bytes)
        var packed: [UInt8] = []
        packed.reserveCapacity(labels.count)
        for field in fields where !field.value.isEmpty {
            Labels.appendField(bytes.extracting(field.name), to: &packed)
            Labels.appendField(bytes.extracting(field.value), to: &packed)
        }
        return Labels(packed: packed)
    }

    /// The fields as they come. `decode` has seen that they are well formed, so that nothing is
    /// thrown.
    private func readFields(_ bytes: RawSpan) -> (fields: [Field], isSorted: Bool) {
        var fields: [Field] = []
        fields.reserveCapacity(16)
        var isSorted = true
        var reader = ProtobufReader(bytes, labels)
        while let field = try? reader.next() {
            guard field.number == 1, let range = try? reader.range(field) else {
                guard (try? reader.skip(field)) != nil else { break }
                continue
            }
            var label: Field = (0..<0, 0..<0)
            var inner = ProtobufReader(bytes, range)
            while let part = try? inner.next() {
                switch part.number {
                case 1: label.name = (try? inner.range(part)) ?? 0..<0
                case 2: label.value = (try? inner.range(part)) ?? 0..<0
                default: try? inner.skip(part)
                }
            }
            if let last = fields.last {
                let order = compareBytes(
                    bytes.extracting(last.name), bytes.extracting(label.name))
                isSorted = isSorted && order < 0
            }
            fields.append(label)
        }
        return (fields, isSorted)
    }

    private func check(_ fields: [Field], _ bytes: RawSpan) throws(LabelFault) {
        var hasName = false
        for field in fields {
            // The packed form of a label set has three bytes for a length.
            guard !field.name.isEmpty, max(field.name.count, field.value.count) < 1 << 24,
                isValidUTF8(bytes.extracting(field.name)),
                isValidUTF8(bytes.extracting(field.value))
            else { throw .invalid }
            if isMetricName(bytes.extracting(field.name)) {
                guard !field.value.isEmpty else { throw .invalid }
                hasName = true
            }
        }
        guard hasName else { throw .invalid }
        for index in fields.indices.dropFirst() {
            let name = bytes.extracting(fields[index].name)
            if compareBytes(bytes.extracting(fields[index - 1].name), name) == 0 {
                throw .duplicate(
                    name: unsafe name.withUnsafeBytes {
                        unsafe String(decoding: $0, as: UTF8.self)
                    })
            }
        }
    }

    private func isMetricName(_ name: RawSpan) -> Bool {
        let wanted: StaticString = "__name__"
        guard name.byteCount == wanted.utf8CodeUnitCount else { return false }
        return wanted.withUTF8Buffer {
            compareBytes(unsafe RawSpan(_unsafeBytes: UnsafeRawBufferPointer($0)), name) == 0
        }
    }
}
