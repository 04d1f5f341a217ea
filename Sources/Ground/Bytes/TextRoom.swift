// SPDX-License-Identifier: Apache-2.0

internal import Glibc

/// A stretch of memory at the end of a `ByteWriter` that was reserved in one go, so that several
/// short texts cost one check of capacity. Lives only inside `ByteWriter.withRoom`. Writing more
/// than was reserved traps.
@safe package struct TextRoom: ~Copyable {
    private let start: UnsafeMutableRawPointer
    private let capacity: Int
    private(set) var count = 0

    @inline(__always)
    init(_ start: UnsafeMutableRawPointer, capacity: Int) {
        unsafe self.start = start
        self.capacity = capacity
    }

    /// The place for the next `size` bytes.
    @inline(__always)
    private func place(_ size: Int) -> UnsafeMutableRawPointer {
        precondition(count + size <= capacity, "more text than was reserved")
        return unsafe start + count
    }

    @inline(__always)
    package mutating func byte(_ byte: UInt8) {
        unsafe place(1).storeBytes(of: byte, as: UInt8.self)
        count += 1
    }

    /// Copies `size` bytes of which `length` are the text. Bound: `size` bytes can be read.
    @inline(__always)
    mutating func copy(_ source: UnsafeRawPointer, _ size: Int, length: Int) {
        unsafe place(size).copyMemory(from: source, byteCount: size)
        count += length
    }

    /// Writes the text again that begins at `offset`, of up to 32 bytes; needs room for 32 bytes.
    /// Bound: there are at least `length` bytes from `offset` on.
    @inline(__always)
    mutating func repeatText(at offset: Int, length: Int) {
        let target = unsafe place(32)
        let words = unsafe (start + offset).loadUnaligned(as: SIMD4<UInt64>.self)
        unsafe target.storeBytes(of: words, as: SIMD4<UInt64>.self)
        count += length
    }

    /// Up to 20 digits; needs room for 32 bytes.
    @inline(__always)
    package mutating func decimal(_ value: UInt64) {
        guard value < 100_000_000_000_000_000 else { return longDecimal(value) }
        let digits = DecimalDigits(value)
        plain(digits, value == 0 ? 0 : digits.count + digits.droppedZeros - 1)
    }

    private mutating func longDecimal(_ value: UInt64) {
        decimal(value / 1000)
        threeDigits(value % 1000)
    }

    /// A number below 1000 with leading zeros.
    @inline(__always)
    package mutating func threeDigits(_ value: UInt64) {
        byte(zero &+ UInt8(truncatingIfNeeded: value / 100 % 10))
        byte(zero &+ UInt8(truncatingIfNeeded: value / 10 % 10))
        byte(zero &+ UInt8(truncatingIfNeeded: value % 10))
    }

    /// Needs room for `floatWidth(style)` bytes.
    @inline(__always)
    package mutating func float(_ value: Double, style: FloatStyle) {
        guard value.isFinite else { return special(value) }
        if value.sign == .minus { byte(UInt8(ascii: "-")) }
        let magnitude = value.magnitude
        let decimal = ShortestDecimal(magnitude)
        let digits = DecimalDigits(decimal.significand)
        // The power of ten of the first digit.
        let exponent =
            magnitude == 0 ? 0 : decimal.exponent + digits.droppedZeros + digits.count - 1
        let isScientific =
            switch style {
            case .plain: false
            case .general: exponent < -4 || exponent >= 6
            case .json: magnitude != 0 && (magnitude < 1e-6 || magnitude >= 1e21)
            case .exponent: true
            }
        if isScientific {
            scientific(digits, exponent)
        } else {
            plain(digits, exponent)
        }
    }

    private mutating func special(_ value: Double) {
        for byte in (value.isNaN ? "NaN" : value < 0 ? "-Inf" : "+Inf").utf8 { self.byte(byte) }
    }

    /// `digits` with the decimal point after the first one, times ten to `exponent`.
    @inline(__always)
    private mutating func plain(_ digits: DecimalDigits, _ exponent: Int) {
        let significant = digits.count
        let whole = exponent + 1
        if whole <= 0 {
            let zeros = 2 - whole
            let target = unsafe place(zeros + DecimalDigits.width)
            unsafe target.initializeMemory(as: UInt8.self, repeating: zero, count: zeros)
            unsafe target.storeBytes(of: point, toByteOffset: 1, as: UInt8.self)
            unsafe digits.write(to: target + zeros)
            count += zeros + significant
        } else if significant <= whole {
            let target = unsafe place(max(whole, DecimalDigits.width))
            unsafe digits.write(to: target)
            if significant < whole {
                unsafe (target + significant).initializeMemory(
                    as: UInt8.self, repeating: zero, count: whole - significant)
            }
            count += whole
        } else {
            let target = unsafe place(DecimalDigits.width + 1)
            unsafe digits.write(to: target)
            unsafe memmove(target + whole + 1, target + whole, significant - whole)
            unsafe target.storeBytes(of: point, toByteOffset: whole, as: UInt8.self)
            count += significant + 1
        }
    }

    private mutating func scientific(_ digits: DecimalDigits, _ exponent: Int) {
        let target = unsafe place(DecimalDigits.width + 1)
        unsafe digits.write(to: target + 1)
        let first = unsafe target.load(fromByteOffset: 1, as: UInt8.self)
        unsafe target.storeBytes(of: first, as: UInt8.self)
        unsafe target.storeBytes(of: point, toByteOffset: 1, as: UInt8.self)
        count += digits.count == 1 ? 1 : digits.count + 1
        byte(UInt8(ascii: "e"))
        byte(exponent < 0 ? UInt8(ascii: "-") : UInt8(ascii: "+"))
        let magnitude = UInt64(exponent.magnitude)
        if magnitude >= 100 { byte(zero + UInt8(magnitude / 100)) }
        byte(zero + UInt8(magnitude / 10 % 10))
        byte(zero + UInt8(magnitude % 10))
    }
}

private let zero = UInt8(ascii: "0")
private let point = UInt8(ascii: ".")

extension ByteWriter {
    /// Lets `body` write up to `size` bytes at the end.
    @inline(__always)
    package mutating func withRoom(_ size: Int, _ body: (inout TextRoom) -> Void) {
        bytes.append(addingCapacity: size) { output in
            unsafe output.withUnsafeMutableBufferPointer { buffer, initialized in
                let end = unsafe UnsafeMutableRawPointer(buffer.baseAddress! + initialized)
                var room = unsafe TextRoom(end, capacity: size)
                body(&room)
                initialized += room.count
            }
        }
    }
}
