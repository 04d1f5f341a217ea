// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import Model

/// Numbers distinct label sets in the order in which they come: the groups of an aggregation, the
/// signatures of a matching, the rows of a result. A hash table with open addressing over xxHash64
/// of the packed bytes; equal hashes are told apart by their bytes.
struct LabelSetTable {
    /// The distinct sets; a set's number is its index.
    private(set) var sets: [Labels] = []
    private var hashes: [UInt64] = []
    /// Numbers plus one, 0 where free; a power of two, at most half full.
    private var slots: [Int32]

    init(expecting count: Int = 16) {
        var size = 16
        while size < count * 2 { size *= 2 }
        slots = [Int32](repeating: 0, count: size)
    }

    var count: Int { sets.count }

    /// The number of the set with these packed bytes, new or old.
    mutating func insert(_ packed: [UInt8]) -> Int {
        let hash = xxHash64(packed.raw)
        let (slot, number) = find(packed, hash)
        if let number { return number }
        return add(Labels(packed: packed), hash, slot)
    }

    mutating func insert(_ labels: Labels) -> (number: Int, isNew: Bool) {
        let hash = xxHash64(labels.packed.raw)
        let (slot, number) = find(labels.packed, hash)
        if let number { return (number, false) }
        return (add(labels, hash, slot), true)
    }

    func number(of packed: [UInt8]) -> Int? { find(packed, xxHash64(packed.raw)).number }

    private func find(_ packed: [UInt8], _ hash: UInt64) -> (slot: Int, number: Int?) {
        var slot = Int(truncatingIfNeeded: hash) & (slots.count - 1)
        while slots[slot] != 0 {
            let number = Int(slots[slot]) - 1
            if hashes[number] == hash, sets[number].packed == packed { return (slot, number) }
            slot = (slot + 1) & (slots.count - 1)
        }
        return (slot, nil)
    }

    private mutating func add(_ labels: Labels, _ hash: UInt64, _ slot: Int) -> Int {
        sets.append(labels)
        hashes.append(hash)
        slots[slot] = Int32(sets.count)
        if sets.count * 2 > slots.count { grow() }
        return sets.count - 1
    }

    private mutating func grow() {
        slots = [Int32](repeating: 0, count: slots.count * 2)
        for (number, hash) in hashes.enumerated() {
            var slot = Int(truncatingIfNeeded: hash) & (slots.count - 1)
            while slots[slot] != 0 { slot = (slot + 1) & (slots.count - 1) }
            slots[slot] = Int32(number + 1)
        }
    }
}
