// SPDX-License-Identifier: Apache-2.0

/// Remembers what stands for a series by the fingerprint of its labels; 36 bytes an entry at the
/// usual filling. Bounded: at the limit the younger half stays, and what was asked for since the
/// last time counts as young. A value, to be kept behind its user's lock.
package struct FingerprintCache: Sendable {
    private var young = FingerprintTable()
    private var old = FingerprintTable()
    private let limit: Int
    /// Of no meaning; without it `approach` would do nothing, and be left out.
    private var touched: UInt64 = 0

    /// Holds at most `limit` entries.
    package init(limit: Int) { self.limit = max(2, limit) }

    package var count: Int { young.count + old.count }

    /// Looks at the places of some fingerprints, so that their memory, which may lie anywhere,
    /// arrives at the same time and not one after the other in `find`.
    package mutating func approach(_ series: ArraySlice<WriteRequest.Series>) {
        for one in series { touched ^= young.firstWord(one.fingerprint) }
    }

    package mutating func find(_ fingerprint: LabelFingerprint) -> UInt64? {
        if let value = young.find(fingerprint) { return value }
        guard old.count > 0, let value = old.find(fingerprint) else { return nil }
        insert(fingerprint, value)
        return value
    }

    /// Forgets what was not asked for since the last but one time: series that are gone would else
    /// stay until the limit is reached.
    package mutating func age() {
        old = young
        young = FingerprintTable()
    }

    /// Replaces what was kept for the fingerprint.
    package mutating func insert(_ fingerprint: LabelFingerprint, _ value: UInt64) {
        if young.count >= limit / 2 { age() }
        young.insert(fingerprint, value)
    }
}

/// An open-addressing table with linear probing, at most two thirds full.
private struct FingerprintTable: Sendable {
    private struct Slot {
        var low: UInt64 = 0
        var high: UInt64 = 0
        var value: UInt64 = 0
        var isFree: Bool { low == 0 && high == 0 }
    }

    private var slots: [Slot] = []
    private(set) var count = 0

    /// Part of the slot where the search for a fingerprint begins.
    @inline(__always)
    func firstWord(_ fingerprint: LabelFingerprint) -> UInt64 {
        if slots.isEmpty { return 0 }
        return slots[Int(truncatingIfNeeded: fingerprint.low) & (slots.count - 1)].low
    }

    func find(_ fingerprint: LabelFingerprint) -> UInt64? {
        guard !slots.isEmpty else { return nil }
        let slot = slots[position(fingerprint)]
        return slot.isFree ? nil : slot.value
    }

    /// Where the fingerprint is, or where it belongs.
    private func position(_ fingerprint: LabelFingerprint) -> Int {
        let mask = slots.count - 1
        var index = Int(truncatingIfNeeded: fingerprint.low) & mask
        while true {
            let slot = slots[index]
            if slot.isFree || (slot.low == fingerprint.low && slot.high == fingerprint.high) {
                return index
            }
            index = (index + 1) & mask
        }
    }

    mutating func insert(_ fingerprint: LabelFingerprint, _ value: UInt64) {
        if (count + 1) * 3 > slots.count * 2 { grow() }
        let index = position(fingerprint)
        if slots[index].isFree { count += 1 }
        slots[index] = Slot(low: fingerprint.low, high: fingerprint.high, value: value)
    }

    private mutating func grow() {
        let before = slots
        slots = [Slot](repeating: Slot(), count: max(64, before.count * 2))
        for slot in before where !slot.isFree {
            slots[position(LabelFingerprint(low: slot.low, high: slot.high))] = slot
        }
    }
}
