// SPDX-License-Identifier: Apache-2.0
//
// Sorting fifty thousand label sets takes longer than decoding a chunk of each, and queries want
// their series sorted. So the order of all series is kept: the slots in label order, and per slot
// its rank. New series wait in a list and are merged when a selection needs the order: each finds
// its place by binary search over texts, then the ranks are renumbered. Where very many wait (after
// a start) all are sorted anew: first the pairs by text, then the series by the ranks of their
// pairs, which are integers.

/// Owned by the label index.
struct LabelOrder: Sendable {
    /// Slots in label order.
    private var slots: [UInt32] = []
    /// Per slot its place in `slots`; meaningless for slots that wait.
    private var ranks: [UInt32] = []
    private var waiting: [UInt32] = []

    init() {}

    mutating func add(_ slot: UInt32) { waiting.append(slot) }

    mutating func remove(_ dropped: SlotSet) {
        slots.removeAll { dropped.contains($0) }
        waiting.removeAll { dropped.contains($0) }
        renumber()
    }

    private mutating func renumber() {
        let needed = Int(slots.max() ?? 0) + 1
        if ranks.count < needed {
            ranks.reserveCapacity(needed + needed / 4)
            ranks.append(contentsOf: repeatElement(0, count: needed - ranks.count))
        }
        for (rank, slot) in slots.enumerated() { ranks[Int(slot)] = UInt32(rank) }
    }

    /// The members of a set in label order.
    mutating func sorted(_ set: SlotSet, _ index: borrowing LabelIndex) -> [UInt32] {
        var members: [UInt32] = []
        let count = set.count
        members.reserveCapacity(count)
        if count <= 64 {
            set.forEach { members.append($0) }
            if !waiting.isEmpty {
                sort(&members, index)
            } else {
                members.sort { ranks[Int($0)] < ranks[Int($1)] }
            }
            return members
        }
        merge(index)
        if count > slots.count / 16 {
            for slot in slots where set.contains(slot) { members.append(slot) }
            return members
        }
        var keys: [UInt64] = []
        keys.reserveCapacity(count)
        set.forEach { keys.append(UInt64(ranks[Int($0)]) << 32 | UInt64($0)) }
        keys.sort()
        return keys.map { UInt32(truncatingIfNeeded: $0) }
    }

    /// Sorts by the texts themselves.
    private func sort(_ members: inout [UInt32], _ index: borrowing LabelIndex) {
        members = members.sorted { index.compare($0, $1) < 0 }
    }

    private mutating func merge(_ index: borrowing LabelIndex) {
        guard !waiting.isEmpty else { return }
        defer {
            waiting.removeAll()
            renumber()
        }
        guard waiting.count < slots.count / 16 else {
            slots += waiting
            sortAll(index)
            return
        }
        sort(&waiting, index)
        var merged: [UInt32] = []
        merged.reserveCapacity(slots.count + waiting.count)
        var taken = 0
        for slot in waiting {
            var low = taken
            var high = slots.count
            while low < high {
                let middle = (low + high) / 2
                if index.compare(slots[middle], slot) < 0 {
                    low = middle + 1
                } else {
                    high = middle
                }
            }
            merged += slots[taken..<low]
            merged.append(slot)
            taken = low
        }
        merged += slots[taken...]
        slots = merged
    }

    private mutating func sortAll(_ index: borrowing LabelIndex) {
        var numbers: [UInt32] = []
        for number in 0..<UInt32(index.pairs.end) where index.pairs[number].seriesCount > 0 {
            numbers.append(number)
        }
        numbers = numbers.sorted { index.pairs.compare($0, $1) < 0 }
        var pairRanks = [UInt32](repeating: 0, count: index.pairs.end)
        for (rank, number) in numbers.enumerated() { pairRanks[Int(number)] = UInt32(rank) + 1 }
        // The first two pairs decide most comparisons; rank 0 stands for the end of a set.
        var keyed: [(key: UInt64, slot: UInt32)] = []
        keyed.reserveCapacity(slots.count)
        for slot in slots {
            let pairs = index.pairs(of: slot)
            var key: UInt64 = 0
            for place in 0..<2 {
                key = key << 32
                if place < pairs.count { key |= UInt64(pairRanks[Int(pairs[place])]) }
            }
            keyed.append((key, slot))
        }
        keyed = keyed.sorted { left, right in
            if left.key != right.key { return left.key < right.key }
            return index.isOrdered(left.slot, right.slot, by: pairRanks)
        }
        slots = keyed.map(\.slot)
    }
}

extension LabelIndex {
    /// Whether one slot sorts before the other, by ranks of pairs from the third on.
    fileprivate func isOrdered(_ left: UInt32, _ right: UInt32, by ranks: [UInt32]) -> Bool {
        let leftPairs = pairs(of: left)
        let rightPairs = pairs(of: right)
        let shared = min(leftPairs.count, rightPairs.count)
        var index = 2
        while index < shared {
            if leftPairs[index] != rightPairs[index] {
                return ranks[Int(leftPairs[index])] < ranks[Int(rightPairs[index])]
            }
            index += 1
        }
        return leftPairs.count < rightPairs.count
    }
}
