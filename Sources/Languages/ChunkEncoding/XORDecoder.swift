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

/// Samples that repeat are written four at once, so up to three more than there are.
private let excess = 3

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
    /// `timestamps` and `values` have room for `count` and `excess`.
    mutating func run(
        _ base: UnsafeRawPointer, bitLimit: Int, count: Int, end: Timestamp,
        _ timestamps: UnsafeMutablePointer<Timestamp>, _ values: UnsafeMutablePointer<Double>
    ) {
        var state = self
        while state.samplesRead < count, state.position <= bitLimit, state.timestamp <= end {
            // The first 57 of these bits are valid at least: enough for all but long values.
            var bits = unsafe prefix(base, state.position)
            if bits &>> 62 == 0 {
                let run = min(bits.leadingZeroBitCount, 56) &>> 1
                unsafe state.repeatSamples(
                    min(run, count &- state.samplesRead), timestamps, values)
                continue
            }
            if bits &>> 61 == 0b010, state.windowLength <= 54 {
                unsafe state.readRun(
                    base, bits, bitLimit: bitLimit, count: count, end: end, timestamps, values)
                continue
            }
            if bits &>> 63 == 0 {
                bits &<<= 1
                state.position &+= 1
            } else {
                unsafe state.readChange(base, bits)
                unsafe bits = prefix(base, state.position)
            }
            unsafe state.readValue(base, bits)
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
        let four = SIMD4(repeating: Double(bitPattern: valueBits))
        let step = Timestamp(bitPattern: delta)
        var times = SIMD4(repeating: timestamp) &+ SIMD4(1, 2, 3, 4) &* step
        let times4 = SIMD4(repeating: 4 &* step)
        let stop = samplesRead &+ run
        var next = samplesRead
        while next < stop {
            unsafe UnsafeMutableRawPointer(timestamps + next).storeBytes(of: times, as: SIMD4.self)
            unsafe UnsafeMutableRawPointer(values + next).storeBytes(of: four, as: SIMD4.self)
            times &+= times4
            next &+= 4
        }
        samplesRead = stop
        timestamp &+= Timestamp(run) &* step
        position &+= 2 &* run
    }

    /// Values that fit into the last window, each at the same distance in time from the one before:
    /// they come in runs, too, and are most of a series whose values change. `bits` are those of
    /// the first one; the window is no longer than 54.
    @inline(__always)
    private mutating func readRun(
        _ base: UnsafeRawPointer, _ bits: UInt64, bitLimit: Int, count: Int, end: Timestamp,
        _ timestamps: UnsafeMutablePointer<Timestamp>, _ values: UnsafeMutablePointer<Double>
    ) {
        let spare = 64 &- windowLength
        let shift = windowShift
        let length = 3 &+ Int(truncatingIfNeeded: windowLength)
        let step = Timestamp(bitPattern: delta)
        var (bits, at, next) = (bits, position, samplesRead)
        var (time, value) = (timestamp, valueBits)
        repeat {
            value ^= ((bits &<< 3) &>> spare) &<< shift
            time &+= step
            unsafe timestamps[next] = time
            unsafe values[next] = Double(bitPattern: value)
            at &+= length
            next &+= 1
            if next == count || at > bitLimit || time > end { break }
            bits = unsafe prefix(base, at)
        } while bits &>> 61 == 0b010
        (position, samplesRead, timestamp, valueBits) = (at, next, time, value)
    }

    /// A change of the delta, which begins with a one bit. Moves behind it.
    @inline(__always)
    private mutating func readChange(_ base: UnsafeRawPointer, _ bits: UInt64) {
        let ones = (~bits).leadingZeroBitCount
        if ones >= 4 {
            delta &+= unsafe window(base, position &+ 4)
            position &+= 68
            return
        }
        // 10 + 14, 110 + 17, 1110 + 20 bits
        let prefix = UInt64(truncatingIfNeeded: ones &+ 1)
        let length = 11 &+ 3 &* UInt64(truncatingIfNeeded: ones)
        let field = (bits &<< prefix) &>> (64 &- length)
        let half = UInt64(1) &<< (length &- 1)
        delta &+= field > half ? field &- (half &<< 1) : field
        position &+= Int(truncatingIfNeeded: prefix &+ length)
    }

    /// A value; `bits` are those from `position` on, of which 56 are valid. Moves behind it.
    @inline(__always)
    private mutating func readValue(_ base: UnsafeRawPointer, _ bits: UInt64) {
        if bits &>> 63 == 0 {
            position &+= 1
        } else if bits &>> 62 == 0b10 {
            if windowLength <= 54 {
                valueBits ^= ((bits &<< 2) &>> (64 &- windowLength)) &<< windowShift
            } else {
                let field = unsafe window(base, position &+ 2) &>> (64 &- windowLength)
                valueBits ^= field &<< windowShift
            }
            position &+= 2 &+ Int(truncatingIfNeeded: windowLength)
        } else {
            let leading = (bits &>> 57) & 31
            // 0 means 64.
            windowLength = (((bits &>> 51) &- 1) & 63) &+ 1
            if leading &+ windowLength > 64 { isMalformed = true }
            windowShift = (64 &- leading &- windowLength) & 63
            let field = unsafe window(base, position &+ 13) &>> (64 &- windowLength)
            valueBits ^= field &<< windowShift
            position &+= 13 &+ Int(truncatingIfNeeded: windowLength)
        }
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
    var isComplete = false
    timestamps.append(addingCapacity: count + excess) { times in
        values.append(addingCapacity: count + excess) { floats in
            unsafe times.withUnsafeMutableBufferPointer { times, timeCount in
                unsafe floats.withUnsafeMutableBufferPointer { floats, floatCount in
                    let times = unsafe times.baseAddress! + timeCount
                    let floats = unsafe floats.baseAddress! + floatCount
                    isComplete = unsafe reader.readAll(
                        chunk, count: count, end: range.end, times, floats)
                    guard isComplete else { return }
                    let kept = unsafe keep(range, times, floats, reader.samplesRead)
                    timeCount += kept
                    floatCount += kept
                }
            }
        }
    }
    if isComplete { return }
    if reader.isMalformed { throw .malformedWindow(sample: reader.samplesRead - 1) }
    throw .truncated(samplesRead: reader.samplesRead, samplesPromised: count)
}

/// Moves the samples within the closed range to the front. Returns how many there are.
@inline(__always)
private func keep(
    _ range: TimeRange, _ times: UnsafeMutablePointer<Timestamp>,
    _ floats: UnsafeMutablePointer<Double>, _ count: Int
) -> Int {
    var upper = count
    while upper > 0, unsafe times[upper - 1] > range.end { upper -= 1 }
    guard upper > 0, unsafe times[0] < range.start else { return upper }
    let lower = unsafe firstIndex(notBefore: range.start, times, upper)
    unsafe times.update(from: times + lower, count: upper - lower)
    unsafe floats.update(from: floats + lower, count: upper - lower)
    return upper - lower
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
        unsafe readValue(base, prefix(base, position))
        unsafe timestamps[1] = timestamp
        unsafe values[1] = Double(bitPattern: valueBits)
        samplesRead = 2
    }
}
