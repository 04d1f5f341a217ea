// SPDX-License-Identifier: Apache-2.0
//
// The reading side of XOR chunks (the format is drawn in XORState.swift): a whole chunk at once
// into columns. XOR2 chunks are read by the same steps, but for the control bits of a sample, which
// XOR2Decoder.swift has.
//
// Every read takes 64 bits from a byte position, so up to nine bytes, and a sample takes up to
// nineteen, or 28 with a start timestamp. The chunk is therefore read in two stretches: in place
// while at least `margin` bytes are left, then the rest from a copy on the stack that ends in
// zeros. No read is checked; after each sample the position is compared with the end of the data.

internal import Bytes
internal import Model

/// How much a sample may read beyond the position it begins at.
private let margin = 40

/// Samples that repeat are written four at once, so up to three more than there are.
private let excess = 3

/// The state of reading, between two stretches.
struct XORReader {
    let encoding: FloatEncoding
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
    /// Of XOR2 chunks.
    var starts = XORStarts()

    init(_ encoding: FloatEncoding) { self.encoding = encoding }
}

/// The 64 bits from a bit position. Bound: reads nine bytes from the position's byte.
@inline(__always)
func window(_ base: UnsafeRawPointer, _ position: Int) -> UInt64 {
    let at = unsafe base + (position &>> 3)
    let offset = UInt64(truncatingIfNeeded: position & 7)
    let word = unsafe UInt64(bigEndian: at.loadUnaligned(as: UInt64.self))
    let next = unsafe UInt64(at.load(fromByteOffset: 8, as: UInt8.self))
    return (word &<< offset) | (next &>> (8 &- offset))
}

/// The 57 bits from a bit position, and up to seven more, which may be zeros in place of others.
/// Bound: reads eight bytes from the position's byte.
@inline(__always)
func prefix(_ base: UnsafeRawPointer, _ position: Int) -> UInt64 {
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
                // Not beyond the first sample behind the limit.
                let room = bitLimit &- state.position &+ 2
                let run = min(bits.leadingZeroBitCount, 56, room) &>> 1
                unsafe state.repeatSamples(
                    min(run, count &- state.samplesRead), bitsEach: 2, timestamps, values)
                continue
            }
            if bits &>> 61 == 0b010, state.windowLength <= 54 {
                unsafe state.readRun(
                    base, bits, control: 0b010, bitLimit: bitLimit, count: count, end: end,
                    timestamps, values)
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

    /// Zero bits, one or two a sample, say: same delta, same value. They come in runs.
    @inline(__always)
    mutating func repeatSamples(
        _ run: Int, bitsEach: Int, _ timestamps: UnsafeMutablePointer<Timestamp>,
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
        position &+= bitsEach &* run
    }

    /// Values that fit into the last window, each at the same distance in time from the one before:
    /// they come in runs, too, and are most of a series whose values change. Each begins with the
    /// three bits `control`. `bits` are those of the first one; the window is no longer than 54.
    @inline(__always)
    mutating func readRun(
        _ base: UnsafeRawPointer, _ bits: UInt64, control: UInt64, bitLimit: Int, count: Int,
        end: Timestamp,
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
        } while bits &>> 61 == control
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
            unsafe readInWindow(base, bits, behind: 2)
        } else {
            unsafe readWithWindow(base, bits, behind: 2)
        }
    }

    /// A value in the last window, whose bits come behind so many others of `bits`, which are those
    /// from `position` on: 57 are valid.
    @inline(__always)
    mutating func readInWindow(_ base: UnsafeRawPointer, _ bits: UInt64, behind count: Int) {
        if windowLength <= 54 {
            let field = (bits &<< UInt64(truncatingIfNeeded: count)) &>> (64 &- windowLength)
            valueBits ^= field &<< windowShift
        } else {
            let field = unsafe window(base, position &+ count) &>> (64 &- windowLength)
            valueBits ^= field &<< windowShift
        }
        position &+= count &+ Int(truncatingIfNeeded: windowLength)
    }

    /// A value with a window of its own: five bits of leading zeros, six of the length, where 0
    /// means 64.
    @inline(__always)
    mutating func readWithWindow(_ base: UnsafeRawPointer, _ bits: UInt64, behind count: Int) {
        let bits = bits &<< UInt64(truncatingIfNeeded: count)
        let leading = bits &>> 59
        windowLength = (((bits &>> 53) &- 1) & 63) &+ 1
        if leading &+ windowLength > 64 { isMalformed = true }
        windowShift = (64 &- leading &- windowLength) & 63
        let field = unsafe window(base, position &+ count &+ 11) &>> (64 &- windowLength)
        valueBits ^= field &<< windowShift
        position &+= count &+ 11 &+ Int(truncatingIfNeeded: windowLength)
    }

    /// The first one or two samples, whose times are integers of whole bytes.
    mutating func readEarly(_ chunk: RawSpan, count: Int) -> Bool {
        let start = encoding == .xor ? 2 : 3
        guard chunk.byteCount > start else { return false }
        var reader = ByteReader(chunk, at: start)
        do {
            timestamp = try reader.varint()
            valueBits = try reader.uint64BE()
            if encoding == .xor2 {
                starts = XORStarts(header: chunk[2])
                if starts.isFirstKnown { starts.current = timestamp &- (try reader.varint()) }
            }
            samplesRead = 1
            if count > 1 { delta = try reader.uvarint() }
        } catch {
            return false
        }
        position = reader.offset * 8
        return true
    }
}

/// Appends the samples of an XOR or XOR2 chunk that lie within the closed `range`, and, where
/// `keepsStarts` says so, a start timestamp for each, 0 for none.
func decodeXOR(
    _ chunk: RawSpan, _ encoding: FloatEncoding, within range: TimeRange,
    _ timestamps: inout [Timestamp], _ values: inout [Double],
    _ startTimestamps: inout [Timestamp], keepsStarts: Bool
) throws(ChunkError) {
    let count = promisedSampleCount(chunk, .xor)
    guard count > 0 else { return }
    // A sample takes a bit at least, but for the first.
    guard count <= 1 + chunk.byteCount * 8 else {
        throw .truncated(samplesRead: 0, samplesPromised: count)
    }
    var reader = XORReader(encoding)
    guard reader.readEarly(chunk, count: count) else {
        throw .truncated(samplesRead: reader.samplesRead, samplesPromised: count)
    }
    var isComplete = false
    var starts: [Timestamp] = []
    let hasStarts = keepsStarts && reader.starts.areThere
    if hasStarts { starts = [Timestamp](repeating: reader.starts.current, count: count) }
    var kept = 0..<0
    timestamps.append(addingCapacity: count + excess) { times in
        values.append(addingCapacity: count + excess) { floats in
            unsafe times.withUnsafeMutableBufferPointer { times, timeCount in
                unsafe floats.withUnsafeMutableBufferPointer { floats, floatCount in
                    let times = unsafe times.baseAddress! + timeCount
                    let floats = unsafe floats.baseAddress! + floatCount
                    isComplete = unsafe starts.withUnsafeMutableBufferPointer {
                        unsafe reader.readAll(
                            chunk, count: count, end: range.end, times, floats,
                            hasStarts ? $0.baseAddress : nil)
                    }
                    guard isComplete else { return }
                    kept = unsafe keep(range, times, floats, reader.samplesRead)
                    timeCount += kept.count
                    floatCount += kept.count
                }
            }
        }
    }
    guard isComplete else {
        if reader.isMalformed { throw .malformedWindow(sample: reader.samplesRead - 1) }
        throw .truncated(samplesRead: reader.samplesRead - 1, samplesPromised: count)
    }
    if hasStarts {
        startTimestamps += starts[kept]
    } else if keepsStarts {
        startTimestamps += repeatElement(0, count: kept.count)
    }
}

/// Moves the samples within the closed range to the front. Returns which they were.
@inline(__always)
private func keep(
    _ range: TimeRange, _ times: UnsafeMutablePointer<Timestamp>,
    _ floats: UnsafeMutablePointer<Double>, _ count: Int
) -> Range<Int> {
    var upper = count
    while upper > 0, unsafe times[upper - 1] > range.end { upper -= 1 }
    guard upper > 0, unsafe times[0] < range.start else { return 0..<upper }
    let lower = unsafe firstIndex(notBefore: range.start, times, upper)
    unsafe times.update(from: times + lower, count: upper - lower)
    unsafe floats.update(from: floats + lower, count: upper - lower)
    return lower..<upper
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
    /// where the chunk is damaged. `starts`, of an XOR2 chunk where they are wanted, is filled with
    /// the start of the first sample.
    fileprivate mutating func readAll(
        _ chunk: RawSpan, count: Int, end: Timestamp,
        _ timestamps: UnsafeMutablePointer<Timestamp>, _ values: UnsafeMutablePointer<Double>,
        _ starts: UnsafeMutablePointer<Timestamp>?
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
                unsafe readSecond(base, timestamps, values, starts)
                isSecond = false
                unsafe runEither(
                    base, bitLimit: inPlace * 8, count: count, end: end, timestamps, values,
                    starts)
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
                    unsafe readSecond(view, timestamps, values, starts)
                }
                unsafe runEither(
                    view, bitLimit: limit, count: count, end: end, timestamps, values, starts)
                return !isMalformed && position <= limit
                    && (samplesRead == count || timestamp > end)
            }
        }
    }

    @inline(__always)
    private mutating func runEither(
        _ base: UnsafeRawPointer, bitLimit: Int, count: Int, end: Timestamp,
        _ timestamps: UnsafeMutablePointer<Timestamp>, _ values: UnsafeMutablePointer<Double>,
        _ starts: UnsafeMutablePointer<Timestamp>?
    ) {
        switch encoding {
        case .xor:
            unsafe run(base, bitLimit: bitLimit, count: count, end: end, timestamps, values)
        case .xor2:
            unsafe runJointly(
                base, bitLimit: bitLimit, count: count, end: end, timestamps, values, starts)
        }
    }

    private mutating func readSecond(
        _ base: UnsafeRawPointer,
        _ timestamps: UnsafeMutablePointer<Timestamp>, _ values: UnsafeMutablePointer<Double>,
        _ starts: UnsafeMutablePointer<Timestamp>?
    ) {
        let first = timestamp
        timestamp &+= Timestamp(bitPattern: delta)
        let bits = unsafe prefix(base, position)
        switch encoding {
        case .xor:
            unsafe readValue(base, bits)
            unsafe values[1] = Double(bitPattern: valueBits)
        case .xor2:
            // A stale marker is no predecessor of what follows.
            if StaleMarker.isStale(Double(bitPattern: valueBits)) { valueBits = 0 }
            let bits = unsafe readValueOrStale(base, bits)
            unsafe values[1] = Double(bitPattern: bits)
            if self.starts.quietCount <= 1 { unsafe readStart(base, after: first, starts) }
        }
        unsafe timestamps[1] = timestamp
        samplesRead = 2
    }
}
