// SPDX-License-Identifier: Apache-2.0
//
// Start timestamps within chunks (encodings 4, 5 and 6). A byte in the chunk's head tells whether
// the first sample has one (top bit) and at which sample it changes first (the other bits, 0 for
// never). Nothing can change first behind the 127th sample, so there it counts as changed.
//
//     first sample              varint of time - start, where the top bit is set
//     the one of the change     signed integer of variable width: time of the sample before - start
//     those behind it           the change of that difference
//
// All stand behind what else there is of their sample. Where nothing is said, the start stays.
// Source: https://github.com/prometheus/prometheus/blob/main/tsdb/chunkenc/st.go

internal import Model

/// The reading side of start timestamps.
struct StartTimestamps {
    private let isFirstKnown: Bool
    private let firstChange: Int
    private var difference: Int64 = 0
    /// That of the last sample, 0 for none.
    private(set) var current: Timestamp = 0

    /// `header` is zero in chunks without them.
    init(header: UInt8) {
        isFirstKnown = header & 0x80 != 0
        firstChange = Int(header & 0x7F)
    }

    /// Reads that of the sample with this index, which is at `time`.
    @_lifetime(reader: copy reader)
    mutating func read(
        _ reader: inout BitReader, sample: Int, time: Timestamp, previous: Timestamp
    ) {
        if sample == 0 {
            if isFirstKnown { current = time &- reader.varint() }
            return
        }
        guard firstChange > 0, sample >= firstChange else { return }
        let read = reader.varbitSigned()
        difference = sample == firstChange ? read : difference &+ read
        current = previous &- difference
    }
}

/// The writing side, for chunks that a `BitWriter` makes.
struct StartTimestampWriter: Sendable {
    /// The third byte of the chunk.
    private(set) var header: UInt8 = 0
    private var last: Timestamp = 0
    private var distance: Int64 = 0

    /// Writes that of the sample with this index, 0 for none, behind what else there is of it.
    mutating func write(
        _ start: Timestamp, sample: Int, time: Timestamp, previous: Timestamp,
        to writer: inout BitWriter
    ) {
        defer { last = start }
        if sample == 0 {
            guard start != 0 else { return }
            header = 0x80
            return writer.put(varint: time &- start)
        }
        let next = previous &- start
        if header & 0x7F != 0 {
            writer.putVarbit(signed: next &- distance)
        } else if start != last || sample == XORState.lastFirstChange {
            header |= UInt8(sample)
            writer.putVarbit(signed: next)
        } else {
            return
        }
        distance = next
    }
}
