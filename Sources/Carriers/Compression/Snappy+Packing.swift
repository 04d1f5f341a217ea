// SPDX-License-Identifier: Apache-2.0
//
// Greedy packing in fragments of 64 KiB. A table maps a hash of four bytes to the position where
// they were last seen; where the four bytes agree, the agreement is extended and becomes a copy.
// The longer nothing agrees, the larger the steps, so that incompressible bytes pass quickly.

internal import Glibc

extension Snappy {
    private static let fragmentSize = 1 << 16
    private static let mostBits: UInt32 = 14

    /// Writes the packed form of `source` and returns its length. `target` has 32 bytes more than
    /// 7/6 of the source, the most that the format can need.
    static func pack(
        _ source: UnsafeRawBufferPointer, into target: UnsafeMutableRawBufferPointer
    ) -> Int {
        var output = unsafe PackedOutput(next: target.baseAddress!)
        unsafe output.uvarint(source.count)
        if let base = source.baseAddress {
            unsafe withUnsafeTemporaryAllocation(of: UInt16.self, capacity: 1 << Int(mostBits)) {
                table in
                var done = 0
                while done < source.count {
                    let size = min(fragmentSize, source.count - done)
                    // A small fragment needs no large table, which would have to be cleared.
                    let bits = min(
                        mostBits, max(8, UInt32(size.bitWidth - size.leadingZeroBitCount)))
                    unsafe table.baseAddress!.initialize(repeating: 0, count: 1 << Int(bits))
                    unsafe packFragment(base + done, size, table.baseAddress!, bits, &output)
                    done += size
                }
            }
        }
        return unsafe output.next - target.baseAddress!
    }

    /// `size` is at most 64 KiB, so that positions fit the table and offsets two bytes.
    private static func packFragment(
        _ base: UnsafeRawPointer, _ size: Int, _ table: UnsafeMutablePointer<UInt16>,
        _ tableBits: UInt32, _ output: inout PackedOutput
    ) {
        var position = 1
        var literalStart = 0
        // Eight bytes are read at any position below this.
        let end = size - 8
        while position < end {
            let word = unsafe (base + position).loadUnaligned(as: UInt32.self)
            let slot = Int((word &* 0x9E37_79B1) &>> (32 &- tableBits))
            let candidate = unsafe Int(table[slot])
            unsafe table[slot] = UInt16(truncatingIfNeeded: position)
            guard unsafe (base + candidate).loadUnaligned(as: UInt32.self) == word else {
                position += 1 + (position - literalStart) >> 6
                continue
            }
            if literalStart < position {
                unsafe output.literal(
                    base + literalStart, position - literalStart, readable: size - literalStart)
            }
            let length = unsafe 4 + agreement(base, candidate + 4, position + 4, size)
            unsafe output.copy(offset: position - candidate, length: length)
            position += length
            literalStart = position
            // What the copy went over is not in the table; two positions of it are enough.
            if position < end {
                let last = unsafe (base + position - 2).loadUnaligned(as: UInt32.self)
                let lastSlot = Int((last &* 0x9E37_79B1) &>> (32 &- tableBits))
                unsafe table[lastSlot] = UInt16(truncatingIfNeeded: position - 2)
            }
        }
        if literalStart < size {
            unsafe output.literal(
                base + literalStart, size - literalStart, readable: size - literalStart)
        }
    }

    /// How many bytes at `early` and `late` agree before `size`.
    @inline(__always)
    private static func agreement(
        _ base: UnsafeRawPointer, _ early: Int, _ late: Int, _ size: Int
    ) -> Int {
        var count = 0
        while late + count + 8 <= size {
            let left = unsafe (base + early + count).loadUnaligned(as: UInt64.self)
            let right = unsafe (base + late + count).loadUnaligned(as: UInt64.self)
            if left != right {
                return count + UInt64(littleEndian: left ^ right).trailingZeroBitCount / 8
            }
            count += 8
        }
        while late + count < size,
            unsafe (base + early + count).load(as: UInt8.self)
                == (base + late + count).load(as: UInt8.self)
        {
            count += 1
        }
        return count
    }
}

/// Where the next element goes. The caller has made the room, and 16 bytes more.
@unsafe struct PackedOutput {
    var next: UnsafeMutableRawPointer

    @inline(__always)
    mutating func byte(_ value: Int) {
        unsafe next.storeBytes(of: UInt8(truncatingIfNeeded: value), as: UInt8.self)
        unsafe next += 1
    }

    mutating func uvarint(_ value: Int) {
        var rest = value
        while rest >= 0x80 {
            unsafe byte(rest | 0x80)
            rest >>= 7
        }
        unsafe byte(rest)
    }

    /// At most 64 KiB. `readable` bytes can be read from `start` on.
    @inline(__always)
    mutating func literal(_ start: UnsafeRawPointer, _ length: Int, readable: Int) {
        let coded = length - 1
        if coded < 60 {
            unsafe byte(coded << 2)
        } else if coded < 256 {
            unsafe byte(60 << 2)
            unsafe byte(coded)
        } else {
            unsafe byte(61 << 2)
            unsafe byte(coded)
            unsafe byte(coded >> 8)
        }
        if length <= 16, readable >= 16 {
            // The common short literal: one move of 16 bytes, of which `length` count.
            let words = unsafe start.loadUnaligned(as: SIMD2<UInt64>.self)
            unsafe next.storeBytes(of: words, as: SIMD2<UInt64>.self)
        } else {
            unsafe memcpy(next, start, length)
        }
        unsafe next += length
    }

    @inline(__always)
    mutating func copy(offset: Int, length: Int) {
        var length = length
        // A rest of less than four bytes has no short form, so the last cut leaves at least that.
        while length > 64 {
            let part = length >= 68 ? 64 : 60
            unsafe wideCopy(offset, part)
            length -= part
        }
        if length < 12, offset < 2048 {
            unsafe byte((offset >> 8) << 5 | (length - 4) << 2 | 1)
            unsafe byte(offset)
        } else {
            unsafe wideCopy(offset, length)
        }
    }

    @inline(__always)
    private mutating func wideCopy(_ offset: Int, _ length: Int) {
        unsafe byte((length - 1) << 2 | 2)
        unsafe byte(offset)
        unsafe byte(offset >> 8)
    }
}
