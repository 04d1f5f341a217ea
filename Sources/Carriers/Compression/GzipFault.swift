// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import CCompression

/// What is wrong with gzip that could not be unpacked, in the words of Go's reader. libdeflate,
/// which is fast, says only that something is; zlib reads the bytes once more to find out what.
/// Looks at no more than makes `limit` bytes.
func gzipFault(_ input: RawSpan, limit: Int) -> String {
    var stream = unsafe z_stream()
    guard unsafe narthex_gunzip_start(&stream) == Z_OK else { return "gzip: corrupt input" }
    defer { unsafe inflateEnd(&stream) }
    var scratch = [UInt8](repeating: 0, count: 64 << 10)
    return unsafe input.withUnsafeBytes { input in
        let start = unsafe input.baseAddress?.assumingMemoryBound(to: UInt8.self)
        unsafe stream.next_in = UnsafeMutablePointer(mutating: start)
        unsafe stream.avail_in = UInt32(clamping: input.count)
        while true {
            let code = unsafe scratch.withUnsafeMutableBufferPointer { room in
                unsafe stream.next_out = room.baseAddress
                unsafe stream.avail_out = UInt32(room.count)
                return unsafe inflate(&stream, Z_NO_FLUSH)
            }
            switch code {
            case Z_OK where unsafe stream.total_out < limit: continue
            case Z_BUF_ERROR: return "unexpected EOF"
            case Z_DATA_ERROR: return unsafe dataFault(stream)
            default: return "gzip: corrupt input"
            }
        }
    }
}

private func dataFault(_ stream: z_stream) -> String {
    let message = unsafe stream.msg.map { unsafe String(cString: $0) } ?? ""
    if ["incorrect data check", "incorrect length check"].contains(message) {
        return "gzip: invalid checksum"
    }
    if message.contains("header") || message == "unknown compression method" {
        return "gzip: invalid header"
    }
    // The usual gzip header takes 10 bytes; the place is that of the compressed bytes behind it.
    return unsafe "flate: corrupt input before offset \(max(0, Int(stream.total_in) - 10))"
}
