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
// Source: https://github.com/prometheus/prometheus/blob/main/tsdb/chunkenc/xor2.go

internal import Bytes
internal import Model

private struct XOR2Decoder: ~Escapable {
    private var reader: BitReader
    private let promised: Int
    private var samplesRead = 0
    private(set) var timestamp: Timestamp = 0
    private(set) var value = 0.0
    private var delta: UInt64 = 0
    private var last = XORValue()
    private var starts: StartTimestamps

    @_lifetime(copy chunk)
    init(_ chunk: RawSpan) {
        promised = promisedSampleCount(chunk, .xor2)
        starts = StartTimestamps(header: chunk.byteCount >= 3 ? chunk[2] : 0)
        reader = BitReader(chunk, at: 3)
    }

    var startTimestamp: Timestamp { starts.current }

    /// Reads the next sample; false at the end.
    @_lifetime(self: copy self)
    mutating func next() throws(ChunkError) -> Bool {
        guard samplesRead < promised else { return false }
        let previous = timestamp
        switch samplesRead {
        case 0:
            timestamp = reader.varint()
            value = reader.double()
            if !StaleMarker.isStale(value) { last.bits = value.bitPattern }
        case 1:
            delta = reader.uvarint()
            timestamp &+= Timestamp(bitPattern: delta)
            readValue()
        default: readJointly()
        }
        starts.read(&reader, sample: samplesRead, time: timestamp, previous: previous)
        if reader.isExhausted {
            throw .truncated(samplesRead: samplesRead, samplesPromised: promised)
        }
        if reader.isMalformed { throw .malformedWindow(sample: samplesRead) }
        samplesRead += 1
        return true
    }

    @_lifetime(self: copy self)
    private mutating func readJointly() {
        let control = reader.ones(upTo: 5)
        if (2...4).contains(control) {
            let change = reader.signedBits(control == 2 ? 13 : control == 3 ? 20 : 64)
            delta &+= UInt64(bitPattern: change)
        }
        timestamp &+= Timestamp(bitPattern: delta)
        switch control {
        case 0: value = last.value
        case 1:
            if reader.bits(1) == 1 { reader.readWindow(&last) }
            reader.readSignificant(&last)
            value = last.value
        case 5: value = StaleMarker.value
        default: readValue()
        }
    }

    @_lifetime(self: copy self)
    private mutating func readValue() {
        let control = reader.ones(upTo: 3)
        if control == 3 {
            value = StaleMarker.value
            return
        }
        if control == 2 { reader.readWindow(&last) }
        if control > 0 { reader.readSignificant(&last) }
        value = last.value
    }
}

/// Appends the samples of an XOR2 chunk that lie within the closed `range` to two parallel columns,
/// without start timestamps. On an error the columns are as they were.
func decodeXOR2(
    _ chunk: RawSpan, within range: TimeRange, _ timestamps: inout [Timestamp],
    _ values: inout [Double]
) throws(ChunkError) {
    let before = (timestamps.count, values.count)
    do throws(ChunkError) {
        var decoder = XOR2Decoder(chunk)
        while try decoder.next(), decoder.timestamp <= range.end {
            guard decoder.timestamp >= range.start else { continue }
            timestamps.append(decoder.timestamp)
            values.append(decoder.value)
        }
    } catch {
        timestamps.removeLast(timestamps.count - before.0)
        values.removeLast(values.count - before.1)
        throw error
    }
}

/// Appends the samples of an XOR2 chunk that lie within the closed `range` to three parallel
/// columns. A start timestamp of 0 means none. On an error the columns are as they were.
func decodeXOR2(
    _ chunk: RawSpan, within range: TimeRange, _ timestamps: inout [Timestamp],
    _ values: inout [Double], startTimestamps: inout [Timestamp]
) throws(ChunkError) {
    let before = (timestamps.count, values.count, startTimestamps.count)
    do throws(ChunkError) {
        var decoder = XOR2Decoder(chunk)
        while try decoder.next(), decoder.timestamp <= range.end {
            guard decoder.timestamp >= range.start else { continue }
            timestamps.append(decoder.timestamp)
            values.append(decoder.value)
            startTimestamps.append(decoder.startTimestamp)
        }
    } catch {
        timestamps.removeLast(timestamps.count - before.0)
        values.removeLast(values.count - before.1)
        startTimestamps.removeLast(startTimestamps.count - before.2)
        throw error
    }
}
