// SPDX-License-Identifier: Apache-2.0
//
// Decodes frames (DenseFrame.swift). Every code is read from a byte position, 24 bytes at most for
// a run and its value, so a payload is read in two stretches: in place while `margin` bytes are
// left in the chunk, then the rest from a copy on the stack that ends in zeros. No read is checked;
// the position is compared with the end of the payload at the end.

internal import Bytes

/// How many bytes one step may read from the position it begins at.
private let margin = 32

/// Calls `body` with the first `wanted` values of a frame of which `head` was read from `bytes`.
/// False, without a call, where the payload is damaged.
func withDenseFrame(
    _ head: DenseFrameHead, of bytes: RawSpan, wanted: Int, _ body: (Span<Int64>) -> Void
) -> Bool {
    precondition(wanted <= DenseFrame.capacity, "more than a frame holds")
    return unsafe withUnsafeTemporaryAllocation(of: Int64.self, capacity: DenseFrame.capacity) {
        values in
        let base = values.baseAddress!
        guard unsafe decode(head, bytes, wanted, base) else { return false }
        unsafe integrate(head, wanted, base)
        body(unsafe UnsafeBufferPointer(start: base, count: wanted).span)
        return true
    }
}

/// How the integers of a frame become floats.
enum DenseConversion {
    /// `least + integer * unit`, divided or multiplied by a factor.
    case decimals(least: Int64, unit: Int64, factor: Double, divides: Bool)
    case bits
}

/// Appends the floats of the values `kept` of a frame, whose head was read from `bytes`. False,
/// with nothing appended, where the payload is damaged.
func appendDenseFrame(
    _ head: DenseFrameHead, of bytes: RawSpan, _ kept: Range<Int>,
    _ conversion: DenseConversion, to floats: inout [Double]
) -> Bool {
    precondition(kept.upperBound <= DenseFrame.capacity, "more than a frame holds")
    return unsafe withUnsafeTemporaryAllocation(of: Int64.self, capacity: DenseFrame.capacity) {
        values in
        let base = values.baseAddress!
        guard unsafe decode(head, bytes, kept.upperBound, base) else { return false }
        unsafe integrate(head, kept.upperBound, base)
        // The floats replace the integers they are made of.
        switch conversion {
        case .bits:
            for index in kept {
                unsafe base[index] = Int64(bitPattern: DenseChunk.bits(base[index]))
            }
        case .decimals(let least, let unit, let factor, let divides):
            @inline(__always)
            func replace(_ float: (Double) -> Double) {
                for index in kept {
                    let value = unsafe float(Double(least &+ base[index] &* unit))
                    unsafe base[index] = Int64(bitPattern: value.bitPattern)
                }
            }
            if factor == 1 {
                replace { $0 }
            } else if divides {
                replace { $0 / factor }
            } else {
                replace { $0 * factor }
            }
        }
        unsafe base.withMemoryRebound(to: Double.self, capacity: kept.upperBound) { base in
            unsafe floats.append(
                contentsOf: UnsafeBufferPointer(start: base + kept.lowerBound, count: kept.count))
        }
        return true
    }
}

/// Puts the residuals of the values before `wanted` to their places. Bound: `values` has room for
/// a whole frame; the copied rest is shorter than two margins, and three are there.
private func decode(
    _ head: DenseFrameHead, _ bytes: RawSpan, _ wanted: Int,
    _ values: UnsafeMutablePointer<Int64>
) -> Bool {
    unsafe values.initialize(repeating: 0, count: max(wanted, 2))
    if head.coding == .zeros || wanted <= head.order { return true }
    var codes = DenseCodes(head, wanted: wanted)
    return unsafe bytes.withUnsafeBytes { bytes in
        let base = bytes.baseAddress!
        codes.position = head.payload.lowerBound * 8
        let inPlace = min(head.payload.upperBound, bytes.count - margin)
        if head.payload.lowerBound <= inPlace {
            unsafe codes.run(base, bitLimit: inPlace * 8, values)
            if codes.isComplete { return codes.position <= head.payload.upperBound * 8 }
        }
        let start = codes.position >> 3
        guard start <= head.payload.upperBound else { return false }
        let rest = head.payload.upperBound - start
        guard rest < 2 * margin else { return false }
        return unsafe withUnsafeTemporaryAllocation(byteCount: 3 * margin, alignment: 8) { tail in
            unsafe tail.initializeMemory(as: UInt8.self, repeating: 0)
            unsafe tail.baseAddress!.copyMemory(from: base + start, byteCount: rest)
            codes.position -= start * 8
            unsafe codes.run(
                UnsafeRawPointer(tail.baseAddress!), bitLimit: rest * 8, values)
            return codes.isComplete && codes.position <= rest * 8
        }
    }
}

/// The state of reading codes, between two stretches.
private struct DenseCodes {
    private let wanted: Int
    private let coding: DenseFrame.Coding
    private let lowBits: UInt64
    private let lowBitsOfRuns: UInt64
    private let usual: UInt64
    /// The next residual's place.
    private var next: Int
    /// In bits.
    var position = 0

    init(_ head: DenseFrameHead, wanted: Int) {
        self.wanted = wanted
        coding = head.coding
        lowBits = UInt64(head.lowBits & 63)
        lowBitsOfRuns = UInt64(head.lowBitsOfRuns & 63)
        usual = head.usual
        next = head.order
    }

    var isComplete: Bool { next >= wanted }

    /// Reads codes until all wanted are read or the position is beyond `bitLimit`. Bound: `base`
    /// has `margin` readable bytes behind the byte of `bitLimit`; no place from `wanted` on is
    /// written.
    mutating func run(
        _ base: UnsafeRawPointer, bitLimit: Int, _ values: UnsafeMutablePointer<Int64>
    ) {
        var state = self
        if coding != .rice {
            while state.next < wanted, state.position <= bitLimit {
                let short = unsafe code(base, lowBitsOfRuns, &state.position)
                let run = DenseFrame.run(ofCode: short, usual: usual)
                if run >= UInt64(wanted &- state.next) {
                    state.next = wanted
                    break
                }
                state.next &+= Int(truncatingIfNeeded: run)
                let value = unsafe code(base, lowBits, &state.position) &+ 1
                unsafe values[state.next] = Int64(bitPattern: value)
                state.next &+= 1
            }
        } else {
            unsafe state.runShort(base, bitLimit, values)
            while state.next < wanted, state.position <= bitLimit {
                let value = unsafe code(base, lowBits, &state.position)
                unsafe values[state.next] = Int64(bitPattern: value)
                state.next &+= 1
            }
        }
        self = state
    }

    /// Reads codes that mostly are short: as many as lie in one word are taken from a register.
    /// Stops before a code that needs more than this.
    @inline(__always)
    private mutating func runShort(
        _ base: UnsafeRawPointer, _ bitLimit: Int, _ values: UnsafeMutablePointer<Int64>
    ) {
        guard lowBits <= 24 else { return }
        let low = lowBits
        let tail = 63 &- low
        while next < wanted, position <= bitLimit {
            var bits = unsafe word57(base, position)
            var left: UInt64 = 57
            let before = next
            repeat {
                let upper = UInt64(truncatingIfNeeded: bits.leadingZeroBitCount)
                let length = upper &+ 1 &+ low
                if length > left || upper >= DenseFrame.escape { break }
                let rest = bits &<< (upper &+ 1)
                unsafe values[next] = Int64(
                    bitPattern: upper &<< low | (rest &>> 1) &>> tail)
                next &+= 1
                bits = rest &<< low
                left &-= length
            } while next < wanted
            position &+= 57 &- Int(truncatingIfNeeded: left)
            if next == before {
                // One that does not fit: an upper part of 24 or more.
                let value = unsafe code(base, low, &position)
                unsafe values[next] = Int64(bitPattern: value)
                next &+= 1
            }
        }
    }
}

/// The 57 bits from a bit position, then zeros or others. Bound: reads eight bytes from the
/// position's byte.
@inline(__always)
private func word57(_ base: UnsafeRawPointer, _ position: Int) -> UInt64 {
    let at = unsafe base + (position &>> 3)
    let word = unsafe UInt64(bigEndian: at.loadUnaligned(as: UInt64.self))
    return word &<< UInt64(truncatingIfNeeded: position & 7)
}

/// Reads a Rice code with `low` low bits, 63 at most, and moves behind it. Bound: reads sixteen
/// bytes from the position's byte.
@inline(__always)
private func code(_ base: UnsafeRawPointer, _ low: UInt64, _ position: inout Int) -> UInt64 {
    let bits = unsafe word57(base, position)
    let upper = bits.leadingZeroBitCount
    if upper >= DenseFrame.escape {
        let value = unsafe word(base, position &+ DenseFrame.escape)
        position &+= DenseFrame.escape &+ 64
        return value
    }
    let head = UInt64(truncatingIfNeeded: upper)
    let rest =
        low <= 32 ? bits &<< (head &+ 1) : unsafe word(base, position &+ upper &+ 1)
    position &+= upper &+ 1 &+ Int(truncatingIfNeeded: low)
    return head &<< low | (rest &>> 1) &>> (63 &- low)
}

/// The 64 bits from a bit position. Bound: reads nine bytes from the position's byte.
@inline(__always)
private func word(_ base: UnsafeRawPointer, _ position: Int) -> UInt64 {
    let at = unsafe base + (position &>> 3)
    let offset = UInt64(truncatingIfNeeded: position & 7)
    let word = unsafe UInt64(bigEndian: at.loadUnaligned(as: UInt64.self))
    let next = unsafe UInt64(at.load(fromByteOffset: 8, as: UInt8.self))
    return (word &<< offset) | (next &>> (8 &- offset))
}

/// Makes values of the residuals that stand in their places. Bound: two places at least.
private func integrate(
    _ head: DenseFrameHead, _ count: Int, _ values: UnsafeMutablePointer<Int64>
) {
    @inline(__always)
    func residual(_ index: Int) -> Int64 {
        let stored = unsafe values[index]
        let plain = head.isUnsigned ? stored : DenseFrame.unfolded(UInt64(bitPattern: stored))
        return plain &+ head.centre
    }
    switch head.order {
    case 0:
        for index in 0..<count { unsafe values[index] = residual(index) }
    case 1:
        var value = head.base
        unsafe values[0] = value
        for index in 1..<max(1, count) {
            value &+= residual(index)
            unsafe values[index] = value
        }
    default:
        var slope = head.slope
        var value = head.base &+ slope
        unsafe values[0] = head.base
        unsafe values[1] = value
        for index in 2..<max(2, count) {
            slope &+= residual(index)
            value &+= slope
            unsafe values[index] = value
        }
    }
}
