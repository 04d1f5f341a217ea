// SPDX-License-Identifier: Apache-2.0
//
// Series are put into groups by the numbers that stand for their labels, not by texts: a run of
// words is found in a few nanoseconds, and what follows one another is mostly equal.

internal import Storage

/// Numbers distinct runs of words in the order in which they first come. A hash table with open
/// addressing; runs of equal place are told apart word by word.
struct RunTable {
    private var words: [UInt32] = []
    /// Where each run ends in `words`, behind a zero.
    private var ends = [0]
    /// Numbers plus one, 0 where free; a power of two, at most half full.
    private var slots = [Int32](repeating: 0, count: 64)
    private var last = -1

    var count: Int { ends.count - 1 }

    /// The number of a run, new or old.
    mutating func insert(_ run: [UInt32]) -> (number: Int, isNew: Bool) {
        if last >= 0, isRun(run, last) { return (last, false) }
        var slot = place(run, 0..<run.count)
        while slots[slot] != 0 {
            let number = Int(slots[slot]) - 1
            if isRun(run, number) {
                last = number
                return (number, false)
            }
            slot = (slot + 1) & (slots.count - 1)
        }
        words += run
        ends.append(words.count)
        last = count - 1
        slots[slot] = Int32(count)
        if count * 2 > slots.count { grow() }
        return (last, true)
    }

    private func isRun(_ run: [UInt32], _ number: Int) -> Bool {
        let start = ends[number]
        guard ends[number + 1] - start == run.count else { return false }
        for index in run.indices where run[index] != words[start + index] { return false }
        return true
    }

    private func place(_ words: [UInt32], _ range: Range<Int>) -> Int {
        var hash: UInt64 = 0
        for index in range {
            hash = (hash ^ UInt64(words[index])) &* 0x9E37_79B9_7F4A_7C15
            hash ^= hash >> 29
        }
        return Int(truncatingIfNeeded: hash >> 7) & (slots.count - 1)
    }

    private mutating func grow() {
        slots = [Int32](repeating: 0, count: slots.count * 2)
        for number in 0..<count {
            var slot = place(words, ends[number]..<ends[number + 1])
            while slots[slot] != 0 { slot = (slot + 1) & (slots.count - 1) }
            slots[slot] = Int32(number + 1)
        }
    }
}
