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
    /// The byte at `offset`; traps outside the span. Inlined into other modules, because it stands in
    /// loops over bytes.
    @inlinable @inline(__always)
    package subscript(offset: Int) -> UInt8 {
        precondition(offset >= 0 && offset < byteCount, "offset outside the span")
        return unsafe unsafeLoad(fromUncheckedByteOffset: offset, as: UInt8.self)
    }
}
