// SPDX-License-Identifier: Apache-2.0

extension [UInt8] {
    /// The bytes as a span that borrows the array.
    package var raw: RawSpan {
        @_lifetime(borrow self)
        @inline(__always)
        get { unsafe span.bytes }
    }
}

extension RawSpan {
    /// The byte at `offset`; traps outside the span. Inlined into other modules, because it stands
    /// in loops over bytes.
    @inlinable @inline(__always)
    package subscript(offset: Int) -> UInt8 {
        precondition(offset >= 0 && offset < byteCount, "offset outside the span")
        return unsafe unsafeLoad(fromUncheckedByteOffset: offset, as: UInt8.self)
    }
}

extension RawSpan {
    /// The bytes as text; what is not UTF-8 becomes U+FFFD.
    package var text: String {
        unsafe withUnsafeBytes { unsafe String(decoding: $0, as: UTF8.self) }
    }
}

extension String {
    /// Calls `body` with the UTF-8 of the text, which is lent for the call.
    @inline(__always)
    package func withRawSpan<Result>(_ body: (RawSpan) -> Result) -> Result {
        var copy = self
        return copy.withUTF8 { unsafe body(RawSpan(_unsafeBytes: UnsafeRawBufferPointer($0))) }
    }
}
