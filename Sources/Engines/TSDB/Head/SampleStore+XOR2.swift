// SPDX-License-Identifier: Apache-2.0

internal import ChunkEncoding
internal import Model
internal import Storage

extension SampleStore {
    /// Makes sure that `appendToAny` can be called for each series that there is.
    mutating func reserveStarts() throws(StorageError) {
        if mayHoldXOR2 { try starts.reserve(series.end) }
    }

    /// Adds a sample that is newer than the series' last one, to a chunk of either encoding of
    /// floats. An open chunk goes on in its own, as upstream's does, but for one of XOR where start
    /// timestamps are stored. `start` is the sample's, 0 for none; XOR chunks do not keep it.
    ///
    /// The bounds of `append`, and `reserveStarts` was called.
    mutating func appendToAny(
        _ slot: Int, _ timestamp: Timestamp, _ value: Double, start: Timestamp = 0
    ) {
        var state = series.states[slot]
        defer { series.states[slot] = state }
        series.noteSteadiness(slot, timestamp, value, after: state.encoder.timestamp)
        let isOfUse = state.hasOpenChunk && (state.encoder.isXOR2 || !storesStarts)
        if isOfUse, state.encoder.byteCount <= ChunkPieces.fullAt {
            let count = Int(state.encoder.count)
            if count == samplesPerChunk / 4 { estimateChunkEnd(slot, state) }
            if timestamp < series.chunkEnds[slot], count < samplesPerChunk * 2,
                appendToOpen(slot, &state, timestamp, value, start)
            {
                return
            }
        }
        beginChunk(slot, &state, timestamp, value, start: start)
    }

    private mutating func appendToOpen(
        _ slot: Int, _ state: inout SeriesState, _ timestamp: Timestamp, _ value: Double,
        _ start: Timestamp
    ) -> Bool {
        guard state.encoder.isXOR2 else { return pieces.append(&state, timestamp, value) }
        guard storesStarts || state.encoder.hasStarts || start != 0 else {
            return pieces.appendXOR2(&state, timestamp, value, nil)
        }
        let last = state.encoder.hasStarts ? starts[slot] : 0
        guard pieces.appendXOR2(&state, timestamp, value, (start, last)) else { return false }
        starts[slot] = start
        return true
    }
}
