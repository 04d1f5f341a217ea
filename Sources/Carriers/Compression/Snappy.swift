// SPDX-License-Identifier: Apache-2.0
//
// The snappy block format: the length of the plain bytes as a uvarint, then elements. The two low
// bits of an element's first byte, its tag, say what follows:
//
//     00  literal     length - 1 in the high six bits, or 60…63: in the 1…4 bytes behind the tag
//     01  short copy  length - 4 in bits 2–4; offset: bits 5–7 and one byte (11 bits)
//     10  copy        length - 1 in the high six bits; offset: two bytes, little-endian
//     11  long copy   as above with an offset of four bytes
//
// A copy repeats bytes that lie `offset` back in the output; it may reach into what it writes.
// Source: https://github.com/google/snappy/blob/main/format_description.txt

/// The codec of remote write and of WAL records.
package enum Snappy {
    /// The plain length that `input` declares; more than `limit` is refused, and so is more than
    /// the densest element, 64 bytes from three, could make of the input.
    private static func declaredLength(
        _ input: RawSpan, limit: Int
    ) throws(CompressionError) -> (length: Int, start: Int) {
        var length: UInt64 = 0
        var index = 0
        while true {
            guard index < min(input.byteCount, 5) else { throw corrupt }
            let byte = unsafe input.unsafeLoad(fromUncheckedByteOffset: index, as: UInt8.self)
            length |= UInt64(byte & 0x7F) << UInt64(7 * index)
            index += 1
            if byte < 0x80 { break }
        }
        guard length <= UInt64(UInt32.max) else { throw corrupt }
        guard length <= UInt64(limit) else { throw .tooLarge(limit: limit) }
        guard Int(length) <= (input.byteCount - index) * 22 else { throw corrupt }
        return (Int(length), index)
    }

    private static var corrupt: CompressionError { .corrupt("snappy: corrupt input") }

    /// Unpacks `input` into `room` and returns how many bytes came out.
    package static func decode(
        _ input: RawSpan, into room: inout [UInt8], limit: Int
    ) throws(CompressionError) -> Int {
        let (length, start) = try declaredLength(input, limit: limit)
        grow(&room, to: length, limit: limit)
        let isWhole = unsafe input.withUnsafeBytes { source in
            unsafe room.withUnsafeMutableBytes { target in
                unsafe unpack(
                    UnsafeRawBufferPointer(rebasing: source[start...]),
                    into: UnsafeMutableRawBufferPointer(rebasing: target[..<length]))
            }
        }
        guard isWhole else { throw corrupt }
        return length
    }

    package static func decode(_ input: RawSpan, limit: Int) throws(CompressionError) -> [UInt8] {
        let (length, start) = try declaredLength(input, limit: limit)
        var isWhole = false
        let plain = unsafe [UInt8](unsafeUninitializedCapacity: length) { output, count in
            isWhole = unsafe input.withUnsafeBytes { source in
                unsafe unpack(
                    UnsafeRawBufferPointer(rebasing: source[start...]),
                    into: UnsafeMutableRawBufferPointer(
                        start: output.baseAddress, count: length))
            }
            count = isWhole ? length : 0
        }
        guard isWhole else { throw corrupt }
        return plain
    }

    package static func encode(_ input: RawSpan) -> [UInt8] {
        let bound = packedBound(input)
        return unsafe [UInt8](unsafeUninitializedCapacity: bound) { output, count in
            unsafe count = input.withUnsafeBytes { source in
                unsafe pack(source, into: UnsafeMutableRawBufferPointer(output))
            }
        }
    }

    /// Packs `input` into `room` and returns how many bytes came out.
    package static func encode(_ input: RawSpan, into room: inout [UInt8]) -> Int {
        grow(&room, to: packedBound(input), limit: .max)
        return unsafe room.withUnsafeMutableBytes { target in
            unsafe input.withUnsafeBytes { source in unsafe pack(source, into: target) }
        }
    }

    /// The most bytes that packing takes, and 16 that it may touch behind them. An incompressible
    /// run costs its tags: under a sixth, and the header.
    static func packedBound(_ input: RawSpan) -> Int {
        precondition(input.byteCount <= Int(UInt32.max), "snappy packs less than 4 GiB")
        return 32 + input.byteCount + input.byteCount / 6
    }
}
