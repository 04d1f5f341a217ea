// SPDX-License-Identifier: Apache-2.0

internal import Bytes

/// Builds a message field by field. A message inside it is built on its own and added as bytes.
package struct ProtobufWriter: Sendable {
    private var writer: ByteWriter

    package init(capacity: Int = 0) { writer = ByteWriter(capacity: capacity) }

    package var bytes: [UInt8] { writer.bytes }

    private mutating func key(_ number: UInt64, _ type: WireType) {
        writer.uvarint(number << 3 | UInt64(type.rawValue))
    }

    package mutating func uint64(_ number: UInt64, _ value: UInt64) {
        key(number, .varint)
        writer.uvarint(value)
    }

    package mutating func int64(_ number: UInt64, _ value: Int64) {
        uint64(number, UInt64(bitPattern: value))
    }

    package mutating func double(_ number: UInt64, _ value: Double) {
        key(number, .eightBytes)
        writer.uint64LE(value.bitPattern)
    }

    package mutating func text(_ number: UInt64, _ value: String) {
        key(number, .lengthDelimited)
        writer.lengthPrefixed(value)
    }

    package mutating func bytes(_ number: UInt64, _ value: [UInt8]) {
        key(number, .lengthDelimited)
        writer.uvarint(UInt64(value.count))
        writer.append(value)
    }

    package mutating func message(_ number: UInt64, _ value: ProtobufWriter) {
        bytes(number, value.bytes)
    }
}
