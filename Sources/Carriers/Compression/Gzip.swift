// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import CCompression

/// Reads gzip (all members of it, as Go does) and zlib, whole buffers at a time. Not for use by two
/// threads at once; making one costs a few microseconds, so keep it where many bodies are read.
@safe package final class GzipDecoder {
    private let decoder: OpaquePointer

    package init() {
        guard let decoder = unsafe libdeflate_alloc_decompressor() else {
            preconditionFailure("out of memory")
        }
        unsafe self.decoder = decoder
    }

    deinit { unsafe libdeflate_free_decompressor(decoder) }

    /// Unpacks `input` into `room` and returns how many bytes came out.
    package func decode(
        gzip input: RawSpan, into room: inout [UInt8], limit: Int
    ) throws(CompressionError) -> Int {
        var consumed = 0
        var produced = 0
        repeat {
            let member = input.extracting(consumed..<input.byteCount)
            try checkHeader(member)
            let step: (consumed: Int, produced: Int)
            do throws(CompressionError) {
                step = try decodeMember(
                    member, after: produced, into: &room, limit: limit,
                    guess: declaredSize(input) ?? 0)
            } catch .corrupt {
                throw .corrupt(gzipFault(member, limit: limit))
            }
            consumed += step.consumed
            produced += step.produced
        } while consumed < input.byteCount
        return produced
    }

    /// Unpacks a zlib stream (`Content-Encoding: deflate`).
    package func decode(
        zlib input: RawSpan, into room: inout [UInt8], limit: Int
    ) throws(CompressionError) -> Int {
        try unsafe attempt(after: 0, into: &room, limit: limit, guess: input.byteCount * 4) {
            target, capacity, used in
            unsafe input.withUnsafeBytes { source in
                unsafe libdeflate_zlib_decompress(
                    self.decoder, source.baseAddress, source.count, target, capacity, &used)
            }
        }
    }

    /// The size of the last member as its trailer gives it, if it can be true: deflate makes at
    /// most 1032 bytes of one.
    private func declaredSize(_ input: RawSpan) -> Int? {
        guard input.byteCount >= 18 else { return nil }
        var size = 0
        for index in 0..<4 { size |= Int(input[input.byteCount - 4 + index]) << (8 * index) }
        return size <= input.byteCount.multipliedReportingOverflow(by: 1032).partialValue
            ? size : nil
    }

    private func checkHeader(_ input: RawSpan) throws(CompressionError) {
        guard input.byteCount >= 18 else {
            throw .corrupt(input.byteCount == 0 ? "EOF" : "unexpected EOF")
        }
        guard input[0] == 0x1F, input[1] == 0x8B, input[2] == 8 else {
            throw .corrupt("gzip: invalid header")
        }
    }

    private func decodeMember(
        _ member: RawSpan, after produced: Int, into room: inout [UInt8], limit: Int, guess: Int
    ) throws(CompressionError) -> (consumed: Int, produced: Int) {
        var consumed = 0
        let count = try unsafe attempt(after: produced, into: &room, limit: limit, guess: guess) {
            target, capacity, used in
            unsafe member.withUnsafeBytes { source in
                unsafe libdeflate_gzip_decompress_ex(
                    self.decoder, source.baseAddress, source.count, target, capacity, &consumed,
                    &used)
            }
        }
        return (consumed, count)
    }

    /// Calls `unpack` with ever more room behind the first `produced` bytes.
    private func attempt(
        after produced: Int, into room: inout [UInt8], limit: Int, guess: Int,
        _ unpack: (UnsafeMutableRawPointer, Int, inout Int) -> libdeflate_result
    ) throws(CompressionError) -> Int {
        grow(&room, to: produced + max(guess, 64), limit: limit)
        while true {
            var used = 0
            // One spare byte where the limit leaves none: the address must exist.
            if room.isEmpty { room.append(0) }
            let capacity = max(0, min(room.count, limit) - produced)
            let result = unsafe room.withUnsafeMutableBytes { all in
                unsafe unpack(all.baseAddress! + min(produced, all.count), capacity, &used)
            }
            switch result {
            case LIBDEFLATE_SUCCESS: return used
            case LIBDEFLATE_INSUFFICIENT_SPACE:
                guard let next = larger(room.count, limit: limit) else {
                    throw .tooLarge(limit: limit)
                }
                grow(&room, to: next, limit: limit)
            default: throw .corrupt("gzip: corrupt input")
            }
        }
    }
}

/// Writes gzip: one member for a whole buffer. Not for use by two threads at once.
@safe package final class GzipEncoder {
    private let encoder: OpaquePointer

    /// `level` from 1, fast, to 12, dense.
    package init(level: Int) {
        precondition((1...12).contains(level), "gzip has the levels 1 to 12")
        guard let encoder = unsafe libdeflate_alloc_compressor(Int32(level)) else {
            preconditionFailure("out of memory")
        }
        unsafe self.encoder = encoder
    }

    deinit { unsafe libdeflate_free_compressor(encoder) }

    package func encode(_ input: RawSpan) -> [UInt8] {
        let bound = unsafe libdeflate_gzip_compress_bound(encoder, input.byteCount)
        return unsafe [UInt8](unsafeUninitializedCapacity: bound) { output, count in
            count = unsafe input.withUnsafeBytes { source in
                unsafe libdeflate_gzip_compress(
                    encoder, source.baseAddress, source.count, output.baseAddress!, bound)
            }
            precondition(count > 0, "the bound of libdeflate holds")
        }
    }
}
