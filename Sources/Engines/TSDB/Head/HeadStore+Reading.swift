// SPDX-License-Identifier: Apache-2.0

internal import ChunkEncoding
internal import Model
internal import Storage

extension HeadStore {
    /// Before this time nothing is shown: it is in blocks, or was never valid.
    var visibleStart: Timestamp { max(bounds.minValidTime, restart.lastTruncation) }

    var chunkCount: Int { samples.series.chunkCount + openChunkCount + outOfOrder.chunkCount }

    private var openChunkCount: Int {
        var count = 0
        labels.live.forEach { if samples.series.states[$0].hasOpenChunk { count += 1 } }
        return count + samples.lanes.openCount
    }

    /// Whether the head has samples in the closed range.
    func overlaps(_ range: TimeRange) -> Bool {
        !bounds.isEmpty && range.start <= bounds.maxTime && range.end >= bounds.minTime
    }

    /// The series that fulfil the matchers and have samples in the closed range: those in order
    /// only from `visible` on, late ones as far as they are not hidden. With the late samples as
    /// they are now, by the position of their series. Where samples are going to be read, there may
    /// be series without any.
    func select(
        _ matchers: [Matcher], _ range: TimeRange, visible: HeadView, _ hints: SelectHints
    ) -> (members: [SelectedSeries], late: [Int: OutOfOrderSeries]) {
        let inOrder = TimeRange(start: max(range.start, visible.start), end: range.end)
        guard outOfOrder.overlaps(range), range.start <= range.end else {
            let members = members(
                matchers, inOrder, inLabelOrder: hints.needsOrder, isExact: hints.labelsOnly,
                visible)
            return (members, [:])
        }
        var slots = labels.slots(matchers)
        removeLeaving(from: &slots, visible)
        var dropped: [UInt32] = []
        let isInRange = overlaps(inOrder) && inOrder.start <= inOrder.end
        slots.forEach { slot in
            if isInRange, hasChunk(slot, in: inOrder, isExact: hints.labelsOnly) { return }
            if !hasLate(slot, in: range, after: visible.hiddenThrough) { dropped.append(slot) }
        }
        for slot in dropped { slots.remove(slot) }
        let chosen = selected(slots, inLabelOrder: hints.needsOrder)
        var late: [Int: OutOfOrderSeries] = [:]
        for (index, member) in chosen.enumerated()
        where hasLate(member.slot, in: range, after: visible.hiddenThrough) {
            late[index] = outOfOrder[member.slot]
        }
        return (chosen, late)
    }

    private func hasLate(
        _ slot: UInt32, in range: TimeRange, after hidden: HeadChunkFiles.Place
    ) -> Bool {
        guard let late = outOfOrder[slot] else { return false }
        if late.openRange?.touches(range) ?? false { return true }
        return late.chunks.contains { hidden < $0.place && $0.range.touches(range) }
    }

    func selected(
        _ slots: SlotSet, inLabelOrder isOrdered: Bool
    ) -> [SelectedSeries] {
        (isOrdered ? labels.inLabelOrder(slots) : inCreationOrder(slots)).map { slot in
            let state = samples.series.states[slot]
            let isWhole = deletions[slot] == nil
            return SelectedSeries(
                slot: slot,
                hasValue: state.hasOpenChunk && !state.encoder.hasStarts && isWhole,
                newest: state.hasSamples ? state.encoder.timestamp : .min,
                value: state.encoder.value,
                steadySince: isWhole ? samples.series.steadySince[slot] : 0)
        }
    }

    /// The series that fulfil the matchers and have a chunk in the closed range, in the order of
    /// their labels or in that in which they were created.
    func members(
        _ matchers: [Matcher], _ range: TimeRange, inLabelOrder isOrdered: Bool,
        isExact: Bool = true, _ visible: HeadView? = nil
    ) -> [SelectedSeries] {
        guard overlaps(range), range.start <= range.end else { return [] }
        var slots = labels.slots(matchers)
        if let visible { removeLeaving(from: &slots, visible) }
        var dropped: [UInt32] = []
        slots.forEach { slot in
            if !hasChunk(slot, in: range, isExact: isExact) { dropped.append(slot) }
        }
        for slot in dropped { slots.remove(slot) }
        return selected(slots, inLabelOrder: isOrdered)
    }

    /// Slots are given out ascending, but those of dropped series again.
    private func inCreationOrder(_ slots: SlotSet) -> [UInt32] {
        var ordered: [UInt32] = []
        ordered.reserveCapacity(slots.count)
        slots.forEach { ordered.append($0) }
        let refs = ordered.map { samples.series.refs[$0] }
        if zip(refs, refs.dropFirst()).allSatisfy({ $0 < $1 }) { return ordered }
        return zip(refs, ordered).sorted { $0.0 < $1.0 }.map(\.1)
    }

    /// Not exact: yes where the answer is not worth looking for the beginning of a long open chunk.
    private func hasChunk(_ slot: UInt32, in range: TimeRange, isExact: Bool) -> Bool {
        let state = samples.series.states[slot]
        guard state.hasSamples, state.encoder.timestamp >= range.start else { return false }
        let deleted = deletions[slot]
        if deleted == nil {
            if state.encoder.timestamp <= range.end { return true }
            if let full = samples.series.newestChunk(slot), full.start <= range.end {
                if full.end >= range.start || (!isExact && state.hasOpenChunk) { return true }
            }
        }
        // An open chunk may still get samples, so it counts as there whatever is deleted.
        if let open = samples.openRange(slot), open.start <= range.end { return true }
        var isThere = false
        samples.series.forEachChunk(slot) { chunk in
            if chunk.end < range.start { return false }
            isThere = chunk.start <= range.end && !(deleted?.cover(chunk.range) ?? false)
            return !isThere
        }
        return isThere
    }

    // MARK: Capturing

    /// How many series, and about how many copied bytes, are captured under one hold of the lock.
    static let captureLimit = (series: 64, bytes: 1 << 18)

    /// Captures what is in the closed range of up to `count` members: the one at `first`, and those
    /// after it as far as the limits go.
    func capture(
        _ members: [SelectedSeries], from first: Int, count: Int, _ range: TimeRange
    ) throws(StorageError) -> CapturedSeries {
        let chosen = members[first..<min(first + count, members.count)]
        var byteCount = 0
        for member in chosen {
            let state = samples.series.states[member.slot]
            samples.pieces.prefetch(state.piece)
            byteCount += state.encoder.byteCount + ChunkPieces.size
        }
        var captured = CapturedSeries(from: first, count: chosen.count, byteCount: byteCount)
        for member in chosen {
            let end = min(range.end, member.newest)
            try capture(member.slot, TimeRange(start: range.start, end: end), &captured)
            captured.finishSeries()
            if captured.byteCount > Self.captureLimit.bytes { break }
        }
        return captured
    }

    /// The chunks of one series in the closed range, the newest first.
    private func capture(
        _ slot: UInt32, _ range: TimeRange, _ captured: inout CapturedSeries
    ) throws(StorageError) {
        let state = samples.series.states[slot]
        if state.encoder.timestamp >= range.start {
            if state.hasOpenChunk {
                captured.addOpen(
                    from: range.end, last: state.encoder.timestamp, state.encoder.encoding
                ) { samples.pieces.copy(state, to: &$0) }
            } else if let open = samples.openLane(slot), open.range.start <= range.end {
                captured.addCopy(open.range, open.bytes, encoding: open.encoding.rawValue)
            }
        }
        if let deleted = deletions[slot] { captured.addDeletions(deleted) }
        var isComplete = true
        samples.series.forEachChunk(slot) { chunk in
            if chunk.end < range.start { return false }
            guard chunk.start <= range.end else { return true }
            isComplete = captured.addFull(chunk, files)
            return isComplete
        }
        guard isComplete else { throw HeadChunkFiles.unreadable }
    }
}
