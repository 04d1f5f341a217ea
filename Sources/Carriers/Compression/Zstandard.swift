// SPDX-License-Identifier: Apache-2.0

internal import CCompression

/// Zstandard, in which WAL records may be compressed.
package enum Zstandard {
    /// Unpacks `input` (one frame or several) into `room` and returns how many bytes came out.
    package static func decode(
        _ input: RawSpan, into room: inout [UInt8], limit: Int
    ) throws(CompressionError) -> Int {
        let declared = unsafe input.withUnsafeBytes {
            unsafe ZSTD_getFrameContentSize($0.baseAddress, $0.count)
        }
        // The two highest values stand for a size that is not given and for a bad frame.
        let unknown = UInt64.max - 1
        if declared < unknown, declared > UInt64(limit) { throw .tooLarge(limit: limit) }
        let guess = declared < unknown ? Int(declared) : input.byteCount * 4
        grow(&room, to: max(guess, 64), limit: limit)
        while true {
            let code = unsafe input.withUnsafeBytes { source in
                unsafe room.withUnsafeMutableBytes { target in
                    unsafe ZSTD_decompress(
                        target.baseAddress, min(target.count, limit), source.baseAddress,
                        source.count)
                }
            }
            if ZSTD_isError(code) == 0 { return code }
            guard narthex_zstd_needs_room(code) != 0 else {
                throw .corrupt("zstd: \(unsafe String(cString: ZSTD_getErrorName(code)))")
            }
            guard let next = larger(room.count, limit: limit) else {
                throw .tooLarge(limit: limit)
            }
            grow(&room, to: next, limit: limit)
        }
    }

    package static func decode(_ input: RawSpan, limit: Int) throws(CompressionError) -> [UInt8] {
        var room: [UInt8] = []
        let count = try decode(input, into: &room, limit: limit)
        room.removeLast(room.count - count)
        return room
    }

    package static func encode(_ input: RawSpan, level: Int = 3) -> [UInt8] {
        let bound = ZSTD_compressBound(input.byteCount)
        return unsafe [UInt8](unsafeUninitializedCapacity: bound) { output, count in
            count = unsafe input.withUnsafeBytes { source in
                unsafe ZSTD_compress(
                    output.baseAddress, bound, source.baseAddress, source.count, Int32(level))
            }
            precondition(ZSTD_isError(count) == 0, "the bound of zstd holds")
        }
    }
}
