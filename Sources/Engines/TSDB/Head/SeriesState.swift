// SPDX-License-Identifier: Apache-2.0

internal import ChunkEncoding
internal import Model

/// What a commit reads and writes of a series: 32 bytes, two series a cache line.
struct SeriesState {
    /// The last sample, and how the next one is encoded. Its count is zero before the first sample.
    var encoder = XORState()
    /// The last piece of the open chunk; 0 where no chunk is open.
    var piece: UInt32 = 0

    var hasSamples: Bool { encoder.count > 0 }
    var hasOpenChunk: Bool { piece != 0 }

    /// A series whose newest sample lies in a full chunk.
    static func closed(lastTimestamp: Timestamp, lastValue: Double) -> SeriesState {
        var state = SeriesState()
        unsafe withUnsafeTemporaryAllocation(byteCount: 64, alignment: 8) { scratch in
            _ = unsafe state.encoder.append(
                lastTimestamp, lastValue, to: scratch.baseAddress!, capacity: 64)
        }
        return state
    }
}

/// A chunk that is full and lies in a head chunk file (or in the buffer in front of it).
struct FullChunk {
    var start: Timestamp
    var offset: UInt32
    /// The time from the first to the last sample.
    var duration: UInt32
    /// The next older chunk of the series, 0 for none.
    var previous: UInt32
    var file: UInt32

    var end: Timestamp { start &+ Timestamp(duration) }
    var range: TimeRange { TimeRange(start: start, end: end) }
}
