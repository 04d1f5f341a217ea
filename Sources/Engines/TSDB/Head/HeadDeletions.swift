// SPDX-License-Identifier: Apache-2.0

internal import Model

/// What is deleted of the head's series, by slot. Empty most of the time.
///
/// Deleted samples stay where they are; they are taken out of what is read, and out of the blocks
/// that are cut from the head. A deletion reaches no further than to the newest sample that the
/// series had at the time, so that later samples are not touched.
struct HeadDeletions: Sendable {
    private var bySlot: [UInt32: DeletedRanges] = [:]

    var isEmpty: Bool { bySlot.isEmpty }

    @inline(__always)
    subscript(slot: UInt32) -> DeletedRanges? { bySlot.isEmpty ? nil : bySlot[slot] }

    mutating func add(_ range: TimeRange, to slot: UInt32) {
        bySlot[slot, default: DeletedRanges()].add(range)
    }

    /// Forgets a series that left the head.
    mutating func remove(_ slot: UInt32) {
        if !bySlot.isEmpty { bySlot[slot] = nil }
    }

    /// Forgets what ends before a time, but for some slots.
    mutating func removeAll(endingBefore time: Timestamp, except isKept: (UInt32) -> Bool) {
        guard !bySlot.isEmpty else { return }
        for slot in Array(bySlot.keys) where !isKept(slot) {
            guard var rest = bySlot[slot] else { continue }
            rest.removeAll(endingBefore: time)
            bySlot[slot] = rest.isEmpty ? nil : rest
        }
    }

    func forEach(_ body: (_ slot: UInt32, _ deleted: DeletedRanges) -> Void) {
        for (slot, deleted) in bySlot { body(slot, deleted) }
    }
}
