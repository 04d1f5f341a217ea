// SPDX-License-Identifier: Apache-2.0

internal import Glibc

extension Snappy {
    /// Executes the elements of `source`. True where they are well formed and fill `target`
    /// exactly. Every element is checked against both ends before its bytes move; the wide moves
    /// below stay inside because the distance to the ends is checked for the width that is written.
    static func unpack(
        _ source: UnsafeRawBufferPointer, into target: UnsafeMutableRawBufferPointer
    ) -> Bool {
        guard var from = source.baseAddress, source.count > 0 else {
            return target.count == 0
        }
        let sourceEnd = unsafe from + source.count
        guard let start = target.baseAddress else { return false }
        var to = unsafe start
        let targetEnd = unsafe start + target.count
        while unsafe from < sourceEnd {
            let tag = unsafe Int(from.load(as: UInt8.self))
            unsafe from += 1
            let isGood =
                if tag & 3 == 0 {
                    unsafe literal(tag, &from, sourceEnd, &to, targetEnd)
                } else {
                    unsafe copy(tag, &from, sourceEnd, &to, (start, targetEnd))
                }
            guard isGood else { return false }
        }
        return unsafe to == targetEnd
    }

    @inline(__always)
    private static func literal(
        _ tag: Int, _ from: inout UnsafeRawPointer, _ sourceEnd: UnsafeRawPointer,
        _ to: inout UnsafeMutableRawPointer, _ targetEnd: UnsafeMutableRawPointer
    ) -> Bool {
        var length = tag >> 2
        let sourceLeft = unsafe sourceEnd - from
        let targetLeft = unsafe targetEnd - to
        if length < 16, sourceLeft >= 16, targetLeft >= 16 {
            // The common short literal: one move of 16 bytes, of which `length + 1` count.
            let words = unsafe from.loadUnaligned(as: SIMD2<UInt64>.self)
            unsafe to.storeBytes(of: words, as: SIMD2<UInt64>.self)
            unsafe from += length + 1
            unsafe to += length + 1
            return true
        }
        if length >= 60 {
            let width = length - 59
            guard sourceLeft >= width else { return false }
            length = 0
            for index in 0..<width {
                length |=
                    unsafe Int(from.load(fromByteOffset: index, as: UInt8.self)) << (8 * index)
            }
            unsafe from += width
        }
        length += 1
        guard unsafe length <= sourceEnd - from, length <= targetLeft else { return false }
        unsafe memcpy(to, from, length)
        unsafe from += length
        unsafe to += length
        return true
    }

    @inline(__always)
    private static func copy(
        _ tag: Int, _ from: inout UnsafeRawPointer, _ sourceEnd: UnsafeRawPointer,
        _ to: inout UnsafeMutableRawPointer,
        _ target: (start: UnsafeMutableRawPointer, end: UnsafeMutableRawPointer)
    ) -> Bool {
        var length = tag >> 2 + 1
        let offset: Int
        let sourceLeft = unsafe sourceEnd - from
        switch tag & 3 {
        case 1:
            guard sourceLeft >= 1 else { return false }
            length = (tag >> 2) & 7 + 4
            offset = unsafe (tag >> 5) << 8 | Int(from.load(as: UInt8.self))
            unsafe from += 1
        case 2:
            guard sourceLeft >= 2 else { return false }
            offset = unsafe Int(UInt16(littleEndian: from.loadUnaligned(as: UInt16.self)))
            unsafe from += 2
        default:
            guard sourceLeft >= 4 else { return false }
            offset = unsafe Int(UInt32(littleEndian: from.loadUnaligned(as: UInt32.self)))
            unsafe from += 4
        }
        let targetLeft = unsafe target.end - to
        guard offset > 0, unsafe offset <= to - target.start, length <= targetLeft else {
            return false
        }
        unsafe repeatBytes(to, offset: offset, length: length, room: targetLeft)
        unsafe to += length
        return true
    }

    /// Moves `length` (at most 64) bytes from `offset` behind `to`; `room` bytes may be written.
    @inline(__always)
    private static func repeatBytes(
        _ to: UnsafeMutableRawPointer, offset: Int, length: Int, room: Int
    ) {
        if offset >= 16, room >= 64 {
            var done = 0
            repeat {
                let words = unsafe (to - offset + done).loadUnaligned(as: SIMD2<UInt64>.self)
                unsafe (to + done).storeBytes(of: words, as: SIMD2<UInt64>.self)
                done += 16
            } while done < length
        } else if offset >= 8, room >= 64 {
            var done = 0
            repeat {
                let word = unsafe (to - offset + done).loadUnaligned(as: UInt64.self)
                unsafe (to + done).storeBytes(of: word, as: UInt64.self)
                done += 8
            } while done < length
        } else {
            // Bytes just written are read again: the pattern repeats.
            for index in 0..<length {
                let byte = unsafe (to - offset).load(fromByteOffset: index, as: UInt8.self)
                unsafe to.storeBytes(of: byte, toByteOffset: index, as: UInt8.self)
            }
        }
    }
}
