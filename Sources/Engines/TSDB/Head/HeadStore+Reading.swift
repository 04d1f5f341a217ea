// SPDX-License-Identifier: Apache-2.0

internal import ChunkEncoding
internal import Model
internal import Storage

extension HeadStore {
    /// Before this time nothing is shown: it is in blocks, or was never valid.
    var visibleStart: Timestamp { max(bounds.minValidTime, restart.lastTruncation) }

    var chunkCount: Int { samples.series.chunkCount + openChunkCount }

    private var openChunkCount: Int {
        var count = 0
        labels.live.forEach { if samples.series.states[$0].hasOpenChunk { count += 1 } }
        return count
    }

    /// Whether the head has samples in the closed range.
    func overlaps(_ range: TimeRange) -> Bool {
        !bounds.isEmpty && range.start <= bounds.maxTime && range.end >= bounds.minTime
    }

    /// The series that fulfil the matchers and have a chunk in the closed range, in label order.
    func members(_ matchers: [Matcher], _ range: TimeRange) -> [SelectedSeries] {
        guard overlaps(range), range.start <= range.end else { return [] }
        var slots = labels.slots(matchers)
        var dropped: [UInt32] = []
        slots.forEach { if !hasChunk($0, in: range) { dropped.append($0) } }
        for slot in dropped { slots.remove(slot) }
        return labels.inLabelOrder(slots).map {
            SelectedSeries(slot: $0, newest: samples.series.states[$0].encoder.timestamp)
        }
    }

    private func hasChunk(_ slot: UInt32, in range: TimeRange) -> Bool {
        let state = samples.series.states[slot]
        guard state.hasSamples, state.encoder.timestamp >= range.start else { return false }
        if state.encoder.timestamp <= range.end { return true }
        if state.hasOpenChunk, samples.pieces.firstTimestamp(state) <= range.end { return true }
        var isThere = false
        samples.series.forEachChunk(slot) { chunk in
            if chunk.end < range.start { return false }
            isThere = chunk.start <= range.end
            return !isThere
        }
        return isThere
    }

    /// The bytes of the series' chunks in the closed range, the newest first.
    func sources(
        _ slot: UInt32, _ range: TimeRange
    ) throws(StorageError) -> [ChunkSource] {
        var sources: [ChunkSource] = []
        let state = samples.series.states[slot]
        if state.hasOpenChunk, state.encoder.timestamp >= range.start,
            samples.pieces.firstTimestamp(state) <= range.end
        {
            var bytes: [UInt8] = []
            bytes.reserveCapacity(state.encoder.byteCount)
            samples.pieces.copy(state, to: &bytes)
            let open = TimeRange(
                start: samples.pieces.firstTimestamp(state), end: state.encoder.timestamp)
            let encoding = EncodedChunk.Encoding.xor.rawValue
            sources.append(ChunkSource(range: open, place: .memory(bytes, encoding: encoding)))
        }
        var isComplete = true
        samples.series.forEachChunk(slot) { chunk in
            if chunk.end < range.start { return false }
            guard chunk.start <= range.end else { return true }
            let place = HeadChunkFiles.Place(file: chunk.file, offset: chunk.offset)
            if let source = files.source(place) {
                sources.append(ChunkSource(range: chunk.range, place: source))
            } else {
                isComplete = false
            }
            return isComplete
        }
        guard isComplete else {
            throw StorageError(.damaged, "a head chunk file cannot be read any more")
        }
        return sources
    }
}
