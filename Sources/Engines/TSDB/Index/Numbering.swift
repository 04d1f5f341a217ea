// SPDX-License-Identifier: Apache-2.0
//
// Numbers for texts and for pairs of symbols, in order of appearance, by open addressing: slots
// hold numbers plus one, and the texts or keys lie in flat arrays. No object per entry.

internal import Bytes

/// Numbers distinct texts from zero.
struct TextNumbering: Sendable {
    private var arena: [UInt8] = []
    /// Where each text ends in the arena.
    private var ends: [Int] = []
    private var slots = [UInt32](repeating: 0, count: 1024)

    var count: Int { ends.count }
    var byteCount: Int { arena.count }

    private func range(_ number: Int) -> Range<Int> {
        (number == 0 ? 0 : ends[number - 1])..<ends[number]
    }

    func bytes(of number: UInt32) -> [UInt8] { Array(arena[range(Int(number))]) }

    /// The number of a text, a new one where it was not seen before.
    mutating func number(_ text: RawSpan) -> UInt32 {
        let mask = slots.count - 1
        var slot = Int(truncatingIfNeeded: xxHash64(text)) & mask
        while slots[slot] != 0 {
            let number = Int(slots[slot]) - 1
            if compareBytes(arena.raw.extracting(range(number)), text) == 0 {
                return UInt32(number)
            }
            slot = (slot + 1) & mask
        }
        let number = UInt32(ends.count)
        slots[slot] = number + 1
        unsafe text.withUnsafeBytes { unsafe arena.append(contentsOf: $0) }
        ends.append(arena.count)
        if ends.count * 2 > slots.count { grow() }
        return number
    }

    private mutating func grow() {
        let mask = slots.count * 2 - 1
        var grown = [UInt32](repeating: 0, count: mask + 1)
        for number in 0..<ends.count {
            let text = arena.raw.extracting(range(number))
            var slot = Int(truncatingIfNeeded: xxHash64(text)) & mask
            while grown[slot] != 0 { slot = (slot + 1) & mask }
            grown[slot] = UInt32(number) + 1
        }
        slots = grown
    }

    /// The numbers in the bytewise order of their texts.
    func sortedOrder() -> [UInt32] {
        (0..<UInt32(ends.count)).sorted { left, right in
            compareBytes(
                arena.raw.extracting(range(Int(left))), arena.raw.extracting(range(Int(right)))) < 0
        }
    }
}

/// Numbers distinct keys from zero.
struct KeyNumbering: Sendable {
    private(set) var keys: [UInt64] = []
    private var slots = [UInt32](repeating: 0, count: 1024)

    private static func slot(_ key: UInt64, _ mask: Int) -> Int {
        Int(truncatingIfNeeded: (key &* 0x9E37_79B9_7F4A_7C15) >> 20) & mask
    }

    mutating func number(_ key: UInt64) -> UInt32 {
        let mask = slots.count - 1
        var slot = KeyNumbering.slot(key, mask)
        while slots[slot] != 0 {
            if keys[Int(slots[slot]) - 1] == key { return slots[slot] - 1 }
            slot = (slot + 1) & mask
        }
        keys.append(key)
        let count = UInt32(keys.count)
        slots[slot] = count
        if keys.count * 2 > slots.count { grow() }
        return UInt32(keys.count - 1)
    }

    private mutating func grow() {
        let mask = slots.count * 2 - 1
        slots = [UInt32](repeating: 0, count: mask + 1)
        for (number, key) in keys.enumerated() {
            var slot = KeyNumbering.slot(key, mask)
            while slots[slot] != 0 { slot = (slot + 1) & mask }
            slots[slot] = UInt32(number) + 1
        }
    }
}
