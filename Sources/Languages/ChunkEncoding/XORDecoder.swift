// SPDX-License-Identifier: Apache-2.0
//
// The reading side of XOR chunks (the format is drawn in XORState.swift): a whole chunk at once
// into two columns.
//
// Every read takes 64 bits from a byte position, so up to nine bytes, and a sample takes up to
// nineteen. The chunk is therefore read in two stretches: in place while at least `margin` bytes
// are left, then the rest from a copy on the stack that ends in zeros. No read is checked; after
// each sample the position is compared with the end of the data.

internal import Bytes
internal import Model

/// How much a sample may read beyond the position it begins at.
private let margin = 32

/// The state of reading, between two stretches.
private struct XORReader {
    var timestamp: Timestamp = 0
    var delta: UInt64 = 0
    var valueBits: UInt64 = 0
    /// The window of significant bits; no window yet: all 64.
    var windowLength: UInt64 = 64
    var windowShift: UInt64 = 0
    /// In bits.
    var position = 0
    var samplesRead = 0
    /// Set where a window does not fit into 64 bits: the chunk is damaged.
    var isMalformed = false
}

/// The 64 bits from a bit position. Bound: reads nine bytes from the position's byte.
@inline(__always)
private func window(_ base: UnsafeRawPointer, _ position: Int) -> UInt64 {
    let at = unsafe base + (position &>> 3)
    let offset = UInt64(truncatingIfNeeded: position & 7)
    let word = unsafe UInt64(bigEndian: at.loadUnaligned(as: UInt64.self))
    let next = unsafe UInt64(at.load(fromByteOffset: 8, as: UInt8.self))
    return (word &<< offset) | (next &>> (8 &- offset))
}

/// The 57 bits from a bit position, and up to seven more, which may be zeros in place of others.
/// Bound: reads eight bytes from the position's byte.
@inline(__always)
private func prefix(_ base: UnsafeRawPointer, _ position: Int) -> UInt64 {
    let at = unsafe base + (position &>> 3)
    let word = unsafe UInt64(bigEndian: at.loadUnaligned(as: UInt64.self))
    return word &<< UInt64(truncatingIfNeeded: position & 7)
}

extension XORReader {
    /// Reads samples until `count` are read, one is later than `end`, or the position is beyond
    /// `bitLimit`. Bound: `base` has `margin` readable bytes behind the byte of `bitLimit`;
    /// `timestamps` and `values` have room for `count`.
    mutating func run(
        _ base: UnsafeRawPointer, bitLimit: Int, count: Int, end: Timestamp,
        _ timestamps: UnsafeMutablePointer<Timestamp>, _ values: UnsafeMutablePointer<Double>
    ) {
        var state = self
        while state.samplesRead < count, state.position <= bitLimit, state.timestamp <= end {
            // The first 57 of these bits are valid at least: enough for all but long values.
            let bits = unsafe prefix(base, state.position)
            let zeros = min(bits.leadingZeroBitCount, 56)
            if zeros >= 2 {
                unsafe state.repeatSamples(
                    min(zeros &>> 1, count &- state.samplesRead), timestamps, values)
                continue
            }
            var used: UInt64 = 1
            if zeros == 0 { unsafe used = state.readChange(base, bits) }
            unsafe state.readValue(base, used == 68 ? nil : bits, used)
            state.timestamp &+= Timestamp(bitPattern: state.delta)
            unsafe timestamps[state.samplesRead] = state.timestamp
            unsafe values[state.samplesRead] = Double(bitPattern: state.valueBits)
            state.samplesRead &+= 1
        }
        self = state
    }

    /// Two zero bits say: same delta, same value. They come in runs.
    @inline(__always)
    private mutating func repeatSamples(
        _ run: Int, _ timestamps: UnsafeMutablePointer<Timestamp>,
        _ values: UnsafeMutablePointer<Double>
    ) {
        let value = Double(bitPattern: valueBits)
        let step = Timestamp(bitPattern: delta)
        let stop = samplesRead &+ run
        while samplesRead < stop {
            timestamp &+= step
            unsafe timestamps[samplesRead] = timestamp
            unsafe values[samplesRead] = value
            samplesRead &+= 1
        }
        position &+= 2 &* run
    }

    /// A change of the delta, which begins with a one bit. Returns how many bits it took.
    @inline(__always)
    private mutating func readChange(_ base: UnsafeRawPointer, _ bits: UInt64) -> UInt64 {
        let ones = (~bits).leadingZeroBitCount
        if ones >= 4 {
            delta &+= unsafe window(base, position &+ 4)
            return 68
        }
        // 10 + 14, 110 + 17, 1110 + 20 bits
        let prefix = UInt64(truncatingIfNeeded: ones &+ 1)
        let length = 11 &+ 3 &* UInt64(truncatingIfNeeded: ones)
        let field = (bits &<< prefix) &>> (64 &- length)
        let half = UInt64(1) &<< (length &- 1)
        delta &+= field > half ? field &- (half &<< 1) : field
        return prefix &+ length
    }

    /// A value `used` bits behind `position`; `known` are the bits from `position` on, of which 57
    /// are valid. Moves behind the value.
    @inline(__always)
    private mutating func readValue(_ base: UnsafeRawPointer, _ known: UInt64?, _ used: UInt64) {
        let start = position &+ Int(truncatingIfNeeded: used)
        let bits: UInt64
        var valid: UInt64 = 57
        if let known {
            bits = known &<< used
            valid = 57 &- used
        } else {
            bits = unsafe prefix(base, start)
        }
        if bits &>> 63 == 0 {
            position = start &+ 1
            return
        }
        var control: UInt64 = 2
        if bits &>> 62 != 0b10 {
            control = 13
            let leading = (bits &>> 57) & 31
            let length = (bits &>> 51) & 63
            windowLength = length == 0 ? 64 : length
            if leading &+ windowLength > 64 { isMalformed = true }
            windowShift = (64 &- leading &- windowLength) & 63
        }
        let fieldStart = start &+ Int(truncatingIfNeeded: control)
        let field: UInt64
        if control &+ windowLength <= valid {
            field = (bits &<< control) &>> (64 &- windowLength)
        } else {
            field = unsafe window(base, fieldStart) &>> (64 &- windowLength)
        }
        valueBits ^= field &<< windowShift
        position = fieldStart &+ Int(truncatingIfNeeded: windowLength)
    }

    /// The first one or two samples, whose times are integers of whole bytes.
    mutating func readEarly(_ chunk: RawSpan, count: Int) -> Bool {
        var reader = ByteReader(chunk, at: 2)
        do {
            timestamp = try reader.varint()
            valueBits = try reader.uint64BE()
            samplesRead = 1
            if count > 1 { delta = try reader.uvarint() }
        } catch {
            return false
        }
        position = reader.offset * 8
        return true
    }
}

/// Appends the samples of an XOR chunk that lie within the closed `range`.
func decodeXOR(
    _ chunk: RawSpan, within range: TimeRange,
    _ timestamps: inout [Timestamp], _ values: inout [Double]
) throws(ChunkError) {
    let count = promisedSampleCount(chunk, .xor)
    guard count > 0 else { return }
    // A sample takes two bits at least, but for the first.
    guard count <= 1 + chunk.byteCount * 4 else {
        throw .truncated(samplesRead: 0, samplesPromised: count)
    }
    var reader = XORReader()
    guard reader.readEarly(chunk, count: count) else {
        throw .truncated(samplesRead: reader.samplesRead, samplesPromised: count)
    }
    let isComplete = unsafe withUnsafeTemporaryAllocation(of: UInt64.self, capacity: 2 * count) {
        scratch in
        let base = UnsafeMutableRawPointer(scratch.baseAddress!)
        let times = unsafe base.bindMemory(to: Timestamp.self, capacity: count)
        let floats = unsafe (base + 8 * count).bindMemory(to: Double.self, capacity: count)
        guard unsafe reader.readAll(chunk, count: count, end: range.end, times, floats) else {
            return false
        }
        var lower = 0
        var upper = reader.samplesRead
        while lower < upper, unsafe times[upper - 1] > range.end { upper -= 1 }
        if lower < upper, unsafe times[lower] < range.start {
            unsafe lower = firstIndex(notBefore: range.start, times, upper)
        }
        unsafe timestamps.append(
            contentsOf: UnsafeBufferPointer(start: times + lower, count: upper - lower))
        unsafe values.append(
            contentsOf: UnsafeBufferPointer(start: floats + lower, count: upper - lower))
        return true
    }
    if isComplete { return }
    if reader.isMalformed { throw .malformedWindow(sample: reader.samplesRead - 1) }
    throw .truncated(samplesRead: reader.samplesRead, samplesPromised: count)
}

private func firstIndex(
    notBefore start: Timestamp, _ timestamps: UnsafeMutablePointer<Timestamp>, _ count: Int
) -> Int {
    var low = 0
    var high = count
    while low < high {
        let middle = (low + high) / 2
        if unsafe timestamps[middle] < start { low = middle + 1 } else { high = middle }
    }
    return low
}

extension XORReader {
    /// Everything behind the first timestamp, up to `count` samples or one later than `end`. False
    /// where the chunk is damaged.
    fileprivate mutating func readAll(
        _ chunk: RawSpan, count: Int, end: Timestamp,
        _ timestamps: UnsafeMutablePointer<Timestamp>, _ values: UnsafeMutablePointer<Double>
    ) -> Bool {
        unsafe timestamps[0] = timestamp
        unsafe values[0] = Double(bitPattern: valueBits)
        guard count > 1 else { return true }
        // The second sample has a whole delta and then a value like the others: a change of zero.
        let bitCount = chunk.byteCount * 8
        return unsafe chunk.withUnsafeBytes { bytes in
            let base = bytes.baseAddress!
            var isSecond = true
            let inPlace = bytes.count - margin
            if position <= inPlace * 8 {
                unsafe readSecond(base, timestamps, values)
                isSecond = false
                unsafe run(
                    base, bitLimit: inPlace * 8, count: count, end: end, timestamps, values)
                if isMalformed { return false }
                if samplesRead == count || timestamp > end { return position <= bitCount }
            }
            // The rest, from a copy that ends in zeros.
            let start = min(position >> 3, bytes.count)
            return unsafe withUnsafeTemporaryAllocation(byteCount: 3 * margin, alignment: 8) {
                tail in
                let tailBase = tail.baseAddress!
                unsafe tail.initializeMemory(as: UInt8.self, repeating: 0)
                unsafe tailBase.copyMemory(from: base + start, byteCount: bytes.count - start)
                position -= start * 8
                let limit = bitCount - start * 8
                let view = UnsafeRawPointer(tailBase)
                if isSecond {
                    unsafe readSecond(view, timestamps, values)
                }
                unsafe run(view, bitLimit: limit, count: count, end: end, timestamps, values)
                return !isMalformed && position <= limit
                    && (samplesRead == count || timestamp > end)
            }
        }
    }

    private mutating func readSecond(
        _ base: UnsafeRawPointer,
        _ timestamps: UnsafeMutablePointer<Timestamp>, _ values: UnsafeMutablePointer<Double>
    ) {
        timestamp &+= Timestamp(bitPattern: delta)
        unsafe readValue(base, nil, 0)
        unsafe timestamps[1] = timestamp
        unsafe values[1] = Double(bitPattern: valueBits)
        samplesRead = 2
    }
}
