// SPDX-License-Identifier: Apache-2.0
//
// The reading side of XOR2 chunks: floats, like XOR chunks, with one control field for time and
// value and with room for start timestamps.
//
//     u16 sample count | start timestamp header | first sample | second sample | further samples
//
//     first    varint time, 64 bits of value, start
//     second   uvarint delta of time, value, start
//     others   0       same delta, same value
//              10      same delta; 0 + window, or 1 + new window
//              110     13 bits of change of the delta (two's complement), value
//              1110    20 bits, value
//              11110   64 bits, value
//              11111   same delta, stale
//     value    0 same, 10 + window, 110 + new window, 111 stale
//
// A stale marker is no predecessor of what follows: the next value is written against the last one
// before it. Start timestamps are drawn in StartTimestamps.swift, windows in XORState.swift.
//
// The steps are those of XORDecoder.swift.
//
// Source: https://github.com/prometheus/prometheus/blob/main/tsdb/chunkenc/xor2.go

internal import Model

/// The start timestamps of a chunk that is being read (StartTimestamps.swift).
struct XORStarts {
    let isFirstKnown: Bool
    /// Samples in front of this one have the start of the first, and say nothing of it.
    let quietCount: Int
    /// That of the last sample, 0 for none.
    var current: Timestamp = 0
    var difference: Int64 = 0

    /// `header` is zero in chunks without them.
    init(header: UInt8 = 0) {
        isFirstKnown = header & 0x80 != 0
        let firstChange = Int(header & 0x7F)
        quietCount = firstChange == 0 ? .max : firstChange
    }

    var areThere: Bool { isFirstKnown || quietCount < .max }
}

private let staleBits = StaleMarker.value.bitPattern

extension XORReader {
    /// As `run`, for XOR2 chunks, and with the same bounds; `starts` has room for `count`.
    mutating func runJointly(
        _ base: UnsafeRawPointer, bitLimit: Int, count: Int, end: Timestamp,
        _ timestamps: UnsafeMutablePointer<Timestamp>, _ values: UnsafeMutablePointer<Double>,
        _ starts: UnsafeMutablePointer<Timestamp>?
    ) {
        var state = self
        let quietCount = min(count, state.starts.quietCount)
        while state.samplesRead < count, state.position <= bitLimit, state.timestamp <= end {
            // The first 57 of these bits are valid at least: enough for all but long values.
            let bits = unsafe prefix(base, state.position)
            if state.samplesRead < quietCount {
                if bits &>> 63 == 0 {
                    // Not beyond the first sample behind the limit.
                    let room = bitLimit &- state.position &+ 1
                    let run = min(bits.leadingZeroBitCount, 57, room)
                    unsafe state.repeatSamples(
                        min(run, quietCount &- state.samplesRead), bitsEach: 1, timestamps,
                        values)
                    continue
                }
                if bits &>> 61 == 0b100, state.windowLength <= 54 {
                    unsafe state.readRun(
                        base, bits, control: 0b100, bitLimit: bitLimit, count: quietCount,
                        end: end, timestamps, values)
                    continue
                }
            }
            let previous = state.timestamp
            let value = unsafe state.readJointly(base, bits)
            state.timestamp &+= Timestamp(bitPattern: state.delta)
            unsafe timestamps[state.samplesRead] = state.timestamp
            unsafe values[state.samplesRead] = Double(bitPattern: value)
            if state.samplesRead >= quietCount {
                unsafe state.readStart(base, after: previous, starts)
            }
            state.samplesRead &+= 1
        }
        self = state
    }

    /// The delta and the value of a sample; `bits` are those from `position` on. Moves behind it.
    @inline(__always)
    private mutating func readJointly(_ base: UnsafeRawPointer, _ bits: UInt64) -> UInt64 {
        switch (~bits).leadingZeroBitCount {
        case 0:
            position &+= 1
            return valueBits
        case 1:
            if bits &>> 61 == 0b100 {
                unsafe readInWindow(base, bits, behind: 3)
            } else {
                unsafe readWithWindow(base, bits, behind: 3)
            }
            return valueBits
        case 2: readChange(bits, behind: 3, length: 13)
        case 3: readChange(bits, behind: 4, length: 20)
        case 4:
            delta &+= unsafe window(base, position &+ 5)
            position &+= 69
        default:
            position &+= 5
            return staleBits
        }
        return unsafe readValueOrStale(base, prefix(base, position))
    }

    /// A change of the delta in two's complement, behind so many control bits.
    @inline(__always)
    private mutating func readChange(_ bits: UInt64, behind count: Int64, length: Int64) {
        let field = Int64(bitPattern: bits) &<< count
        delta &+= UInt64(bitPattern: field &>> (64 &- length))
        position &+= Int(truncatingIfNeeded: count &+ length)
    }

    /// A value, or a stale marker, which is no predecessor of what follows; `bits` are those from
    /// `position` on. Moves behind it.
    @inline(__always)
    mutating func readValueOrStale(_ base: UnsafeRawPointer, _ bits: UInt64) -> UInt64 {
        switch (~bits).leadingZeroBitCount {
        case 0: position &+= 1
        case 1: unsafe readInWindow(base, bits, behind: 2)
        case 2: unsafe readWithWindow(base, bits, behind: 3)
        default:
            position &+= 3
            return staleBits
        }
        return valueBits
    }

    /// The start timestamp of the sample that is being read, in `starts` where that is there.
    /// Integers of variable width are drawn in HistogramState.swift.
    mutating func readStart(
        _ base: UnsafeRawPointer, after previous: Timestamp,
        _ starts: UnsafeMutablePointer<Timestamp>?
    ) {
        let ones = min((~(unsafe prefix(base, position))).leadingZeroBitCount, 8)
        position &+= min(ones &+ 1, 8)
        let width = BitReader.varbitWidth(ones)
        if width > 0 {
            let field = unsafe window(base, position) &>> UInt64(64 &- width)
            position &+= width
            self.starts.difference &+= BitReader.varbit(field, width: width)
        }
        self.starts.current = previous &- self.starts.difference
        if let starts = unsafe starts { unsafe starts[samplesRead] = self.starts.current }
    }
}
