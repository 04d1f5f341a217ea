// SPDX-License-Identifier: Apache-2.0

/// Finds numbers by a hash of what they stand for: open addressing with linear probing, 32 bits of
/// hash and the number in each cell. Whether a candidate is the right one, the caller tells.
struct HashTable: Sendable {
    /// The number in the high half, so that an empty cell, all ones, is no cell in use.
    private var cells: [UInt64]
    private var mask: Int
    private(set) var count = 0
    private static let empty = UInt64.max

    init() {
        cells = [UInt64](repeating: Self.empty, count: 16)
        mask = 15
    }

    var memory: Int { cells.count * 8 }

    /// The number with this hash that `isMatch` accepts.
    @inline(__always)
    func find(_ hash: UInt64, _ isMatch: (UInt32) -> Bool) -> UInt32? {
        let fragment = UInt32(truncatingIfNeeded: hash)
        var at = Int(fragment) & mask
        while true {
            let cell = cells[at]
            if cell == Self.empty { return nil }
            if UInt32(truncatingIfNeeded: cell) == fragment {
                let number = UInt32(truncatingIfNeeded: cell &>> 32)
                if isMatch(number) { return number }
            }
            at = (at &+ 1) & mask
        }
    }

    /// Adds a number that is not in the table; it must be below `UInt32.max`.
    mutating func insert(_ hash: UInt64, _ number: UInt32) {
        if (count + 1) * 8 > cells.count * 7 { grow() }
        count += 1
        place(UInt64(number) << 32 | UInt64(UInt32(truncatingIfNeeded: hash)))
    }

    private mutating func place(_ cell: UInt64) {
        var at = Int(UInt32(truncatingIfNeeded: cell)) & mask
        while cells[at] != Self.empty { at = (at &+ 1) & mask }
        cells[at] = cell
    }

    /// Makes room for so many numbers at once.
    mutating func reserve(_ count: Int) {
        var size = cells.count
        while count * 8 > size * 7, size < 1 << 32 { size *= 2 }
        if size > cells.count { resize(size) }
    }

    private mutating func grow() { resize(cells.count * 2) }

    private mutating func resize(_ size: Int) {
        let old = cells
        cells = [UInt64](repeating: Self.empty, count: size)
        mask = cells.count - 1
        for cell in old where cell != Self.empty { place(cell) }
    }

    /// Removes a number. The cells behind it move up, so that no probe ends too early.
    mutating func remove(_ hash: UInt64, _ number: UInt32) {
        let cell = UInt64(number) << 32 | UInt64(UInt32(truncatingIfNeeded: hash))
        var hole = Int(UInt32(truncatingIfNeeded: hash)) & mask
        while cells[hole] != cell {
            if cells[hole] == Self.empty { return }
            hole = (hole &+ 1) & mask
        }
        count -= 1
        var at = (hole &+ 1) & mask
        while cells[at] != Self.empty {
            let home = Int(UInt32(truncatingIfNeeded: cells[at])) & mask
            if (at &- home) & mask >= (at &- hole) & mask {
                cells[hole] = cells[at]
                hole = at
            }
            at = (at &+ 1) & mask
        }
        cells[hole] = Self.empty
    }
}
