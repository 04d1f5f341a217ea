// SPDX-License-Identifier: Apache-2.0

internal import ChunkEncoding
internal import Instrumentation
internal import Model

/// The lanes of the series whose last sample is a histogram; few series have one.
struct HistogramLanes {
    private var lanes: [UInt32: HistogramLane] = [:]

    var isEmpty: Bool { lanes.isEmpty }
    var count: Int { lanes.count }
    /// Buckets of the last samples together.
    var bucketCount: Int { lanes.values.reduce(0) { $0 + $1.bucketCount } }
    var openCount: Int { lanes.values.reduce(0) { $0 + ($1.openRange == nil ? 0 : 1) } }

    subscript(slot: UInt32) -> HistogramLane? {
        get { lanes[slot] }
        set { lanes[slot] = newValue }
    }

    mutating func remove(_ slot: UInt32) -> HistogramLane? { lanes.removeValue(forKey: slot) }

    mutating func append(
        _ slot: UInt32, _ timestamp: Timestamp, _ value: HistogramValue, start: Timestamp,
        _ end: inout Timestamp, _ form: HistogramLane.Form
    ) -> HistogramLane.Outcome {
        lanes[slot, default: HistogramLane(isFloat: value.isFloat)].append(
            timestamp, value, start: start, &end, form)
    }
}

extension SampleStore {
    /// Adds a histogram that is newer than the series' last sample and was checked. The bound: a
    /// full chunk was reserved.
    mutating func append(
        _ slot: UInt32, _ timestamp: Timestamp, _ value: HistogramValue, start: Timestamp
    ) {
        var end = series.chunkEnds[slot]
        let form = HistogramLane.Form(blockRange: blockRange, storesStarts: hasHistogramStarts)
        let outcome = lanes.append(slot, timestamp, value, start: start, &end, form)
        finishFloats(slot)
        if let finished = outcome.finished { add(slot, finished) }
        series.chunkEnds[slot] = end
        series.states[slot] = .closed(lastTimestamp: timestamp, lastValue: 0)
        series.endSteadiness(slot)
        if outcome.beganChunk { chunksCreated.increment() }
    }

    /// Moves a full chunk of histograms to the files.
    private mutating func add(_ slot: UInt32, _ chunk: EncodedChunk) {
        let place = files.append(
            series.refs[slot], chunk.range, chunk.encoding, length: chunk.bytes.count
        ) { $0 += chunk.bytes }
        series.addChunk(slot, chunk.range, place)
    }

    /// Ends the open chunk of histograms, if there is one, and the lane: floats follow.
    mutating func finishLane(_ slot: UInt32) {
        guard let chunk = lanes.remove(slot)?.openChunk else { return }
        add(slot, chunk)
    }

    // MARK: Open chunks of either kind

    /// From the first to the last sample of the open chunk of a series, if it has one.
    func openRange(_ slot: UInt32) -> TimeRange? {
        let state = series.states[slot]
        if state.hasOpenChunk {
            return TimeRange(
                start: pieces.firstTimestamp(state), end: state.encoder.timestamp)
        }
        return lanes.isEmpty ? nil : lanes[slot]?.openRange
    }

    /// The open chunk of a series of histograms, if it has one.
    func openLane(_ slot: UInt32) -> EncodedChunk? {
        lanes.isEmpty ? nil : lanes[slot]?.openChunk
    }
}
