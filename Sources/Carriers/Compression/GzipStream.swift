// SPDX-License-Identifier: Apache-2.0

internal import CCompression

/// Writes one gzip member piece by piece, for answers that are not in memory as a whole (clients
/// such as browsers read only the first member, so pieces cannot be members of their own). Holds
/// 256 kB. Not for use by two threads at once.
@safe package final class GzipStream {
    private let stream: UnsafeMutablePointer<z_stream>

    /// `level` from 1, fast, to 9, dense.
    package init(level: Int) {
        precondition((1...9).contains(level), "a gzip stream has the levels 1 to 9")
        unsafe stream = .allocate(capacity: 1)
        unsafe stream.initialize(to: z_stream())
        let code = unsafe narthex_gzip_start(stream, Int32(level))
        precondition(code == Z_OK, "out of memory")
    }

    deinit {
        unsafe deflateEnd(stream)
        unsafe stream.deallocate()
    }

    /// Takes a piece and appends to `output` what is ready; zlib keeps the rest.
    package func write(_ piece: RawSpan, to output: inout [UInt8]) {
        if piece.byteCount > 0 { run(piece, Z_NO_FLUSH, &output) }
    }

    /// As `write`, but everything taken so far can be read from what has been put out.
    package func flush(to output: inout [UInt8]) { run(RawSpan(), Z_SYNC_FLUSH, &output) }

    /// Ends the member. Nothing is to be written afterwards.
    package func finish(to output: inout [UInt8]) { run(RawSpan(), Z_FINISH, &output) }

    private func run(_ piece: RawSpan, _ mode: Int32, _ output: inout [UInt8]) {
        unsafe piece.withUnsafeBytes { input in
            let start = unsafe input.baseAddress?.assumingMemoryBound(to: UInt8.self)
            unsafe stream.pointee.next_in = UnsafeMutablePointer(mutating: start)
            unsafe stream.pointee.avail_in = UInt32(input.count)
            var isFull = true
            while isFull {
                let room = max(4096, input.count / 4)
                let before = output.count
                output.append(contentsOf: repeatElement(0, count: room))
                unsafe output.withUnsafeMutableBufferPointer { all in
                    unsafe stream.pointee.next_out = all.baseAddress! + before
                    unsafe stream.pointee.avail_out = UInt32(room)
                    unsafe _ = deflate(stream, mode)
                }
                let left = unsafe Int(stream.pointee.avail_out)
                output.removeLast(left)
                isFull = left == 0
            }
        }
    }
}
