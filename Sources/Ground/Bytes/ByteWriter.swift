// SPDX-License-Identifier: Apache-2.0

/// Builds bytes in memory: the counterpart of `ByteReader`.
package struct ByteWriter: Sendable {
    package var bytes: [UInt8]

    package init(capacity: Int = 0) {
        bytes = []
        bytes.reserveCapacity(capacity)
    }

    package var count: Int { bytes.count }

    package mutating func removeAll() { bytes.removeAll(keepingCapacity: true) }
    package mutating func uint8(_ value: UInt8) { bytes.append(value) }

    private mutating func word<T: FixedWidthInteger>(_ value: T) {
        unsafe withUnsafeBytes(of: value) { unsafe bytes.append(contentsOf: $0) }
    }

    package mutating func uint16BE(_ value: UInt16) { word(value.bigEndian) }
    package mutating func uint32BE(_ value: UInt32) { word(value.bigEndian) }
    package mutating func uint64BE(_ value: UInt64) { word(value.bigEndian) }
    package mutating func uint32LE(_ value: UInt32) { word(value.littleEndian) }
    package mutating func uint64LE(_ value: UInt64) { word(value.littleEndian) }

    package mutating func uvarint(_ value: UInt64) {
        var rest = value
        while rest >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(rest))
    }

    package mutating func varint(_ value: Int64) {
        uvarint(UInt64(bitPattern: (value << 1) ^ (value >> 63)))
    }

    package mutating func append(_ text: String) { bytes.append(contentsOf: text.utf8) }
    package mutating func append(_ run: [UInt8]) { bytes.append(contentsOf: run) }
    package mutating func append(_ run: RawSpan) {
        unsafe run.withUnsafeBytes { unsafe bytes.append(contentsOf: $0) }
    }

    package mutating func lengthPrefixed(_ text: String) {
        uvarint(UInt64(text.utf8.count))
        append(text)
    }
}
