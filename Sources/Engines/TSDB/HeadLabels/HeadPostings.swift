// SPDX-License-Identifier: Apache-2.0
//
// For each pair the slots of the series that have it, ascending. Slots are given out in the order
// in which a target lists its series, so the labels of a target are one run of slots. A list is
// words:
//
//     slot                      one slot
//     slot | 2^31, count        a run of slots from there
//
// A slot that is used again may lie below the last one of a list; it goes to the end, and the list
// is put in order when it is next read.

internal import Model
internal import Storage

/// Owned by the head and touched under its lock.
struct HeadPostings: ~Copyable {
    struct List {
        var run: UInt32 = 0
        var wordCount: UInt32 = 0
        var room: UInt32 = 0
        /// Behind the largest slot of the list.
        var next: UInt32 = 0
        var isDisordered = false
    }

    private var lists: Column<List>
    private var words: WordArena
    private static let runFlag: UInt32 = 1 << 31

    init() throws(StorageError) {
        let lists = try Column<List>(capacity: 1 << 28)
        let words = try WordArena()
        self.lists = lists
        self.words = words
    }

    var memory: Int { words.memory }

    /// How long reading the list takes, in words.
    func cost(_ pair: UInt32) -> Int { Int(pair) < lists.count ? Int(lists[pair].wordCount) : 0 }

    /// Adds a slot that the list does not hold.
    mutating func add(_ slot: UInt32, to pair: UInt32) throws(StorageError) {
        try lists.reserve(Int(pair) + 1)
        var list = lists[pair]
        if slot == list.next, list.wordCount > 0, !list.isDisordered {
            let last = list.run + list.wordCount - 1
            if list.wordCount > 1, words[last - 1] & Self.runFlag != 0 {
                words[last] += 1
                list.next += 1
                lists[pair] = list
                return
            }
            try makeRoom(&list)
            let beginning = list.run + list.wordCount - 1
            words[beginning] |= Self.runFlag
            words[beginning + 1] = 2
        } else {
            if slot < list.next { list.isDisordered = true }
            try makeRoom(&list)
            words[list.run + list.wordCount] = slot
        }
        list.wordCount += 1
        list.next = max(list.next, slot + 1)
        lists[pair] = list
    }

    private mutating func makeRoom(_ list: inout List) throws(StorageError) {
        guard list.wordCount == list.room else { return }
        let room = list.room < 4 ? list.room + 2 : list.room + list.room / 2
        let run = try words.allocate(Int(room))
        words.copy(from: list.run, to: run, Int(list.wordCount))
        if list.room > 0 { words.release(list.run, Int(list.room)) }
        list.run = run
        list.room = room
    }

    /// Calls `body` with each run of slots, ascending.
    mutating func forEachRun(_ pair: UInt32, _ body: (_ start: UInt32, _ count: UInt32) -> Void) {
        guard Int(pair) < lists.count else { return }
        if lists[pair].isDisordered { putInOrder(pair) }
        let list = lists[pair]
        forEachRun(list, body)
    }

    private func forEachRun(_ list: List, _ body: (UInt32, UInt32) -> Void) {
        var at = list.run
        let end = list.run + list.wordCount
        while at < end {
            let word = words[at]
            if word & Self.runFlag != 0 {
                body(word & ~Self.runFlag, words[at + 1])
                at += 2
            } else {
                body(word, 1)
                at += 1
            }
        }
    }

    private mutating func putInOrder(_ pair: UInt32) {
        var runs: [UInt64] = []
        forEachRun(lists[pair]) { runs.append(UInt64($0) << 32 | UInt64($1)) }
        runs.sort()
        rewrite(pair, runs)
    }

    /// Writes the runs into the list's own space; joined they take no more than before.
    private mutating func rewrite(_ pair: UInt32, _ runs: [UInt64]) {
        var list = lists[pair]
        var at = list.run
        var index = 0
        list.next = 0
        while index < runs.count {
            let start = UInt32(runs[index] >> 32)
            var count = UInt32(truncatingIfNeeded: runs[index])
            index += 1
            while index < runs.count, UInt32(runs[index] >> 32) == start + count {
                count += UInt32(truncatingIfNeeded: runs[index])
                index += 1
            }
            words[at] = count > 1 ? start | Self.runFlag : start
            if count > 1 { words[at + 1] = count }
            at += count > 1 ? 2 : 1
            list.next = start + count
        }
        list.wordCount = at - list.run
        list.isDisordered = false
        lists[pair] = list
    }

    /// Takes the slots of `dropped` out of the list.
    mutating func remove(_ dropped: SlotSet, from pair: UInt32) throws(StorageError) {
        guard Int(pair) < lists.count else { return }
        var kept: [UInt64] = []
        forEachRun(pair) { start, count in
            for slot in start..<(start + count) where !dropped.contains(slot) {
                if let last = kept.last,
                    UInt32(last >> 32) + UInt32(truncatingIfNeeded: last) == slot
                {
                    kept[kept.count - 1] = last + 1
                } else {
                    kept.append(UInt64(slot) << 32 | 1)
                }
            }
        }
        // Holes in runs may need more words than the list has.
        let needed = kept.reduce(0) { $0 + (UInt32(truncatingIfNeeded: $1) > 1 ? 2 : 1) }
        var list = lists[pair]
        if needed > Int(list.room) {
            let run = try words.allocate(needed)
            words.release(list.run, Int(list.room))
            list.run = run
            list.room = UInt32(needed)
            lists[pair] = list
        }
        rewrite(pair, kept)
    }

    /// Gives the space of the list back.
    mutating func removeAll(_ pair: UInt32) {
        guard Int(pair) < lists.count else { return }
        let list = lists[pair]
        if list.room > 0 { words.release(list.run, Int(list.room)) }
        lists[pair] = List()
    }
}

/// A set of slots, one bit each.
struct SlotSet: Sendable {
    private(set) var words: [UInt64]

    /// Empty, for slots below `capacity`.
    init(capacity: Int) { words = [UInt64](repeating: 0, count: (capacity + 63) / 64) }

    var isEmpty: Bool { words.allSatisfy { $0 == 0 } }
    var count: Int { words.reduce(0) { $0 + $1.nonzeroBitCount } }

    @inline(__always)
    func contains(_ slot: UInt32) -> Bool {
        let index = Int(slot >> 6)
        return index < words.count && words[index] &>> UInt64(slot & 63) & 1 != 0
    }

    @inline(__always)
    mutating func insert(_ slot: UInt32) { words[Int(slot >> 6)] |= 1 &<< UInt64(slot & 63) }

    @inline(__always)
    mutating func remove(_ slot: UInt32) { words[Int(slot >> 6)] &= ~(1 &<< UInt64(slot & 63)) }

    mutating func insert(_ start: UInt32, _ count: UInt32) {
        forEachMask(start, count) { $0[$1] |= $2 }
    }

    mutating func remove(_ start: UInt32, _ count: UInt32) {
        forEachMask(start, count) { $0[$1] &= ~$2 }
    }

    private mutating func forEachMask(
        _ start: UInt32, _ count: UInt32, _ body: (inout [UInt64], Int, UInt64) -> Void
    ) {
        var at = Int(start)
        let end = at + Int(count)
        while at < end {
            let bit = at & 63
            let length = min(64 - bit, end - at)
            let mask = length == 64 ? UInt64.max : ((1 &<< UInt64(length)) - 1) &<< UInt64(bit)
            body(&words, at >> 6, mask)
            at += length
        }
    }

    mutating func formIntersection(_ other: SlotSet) {
        for index in words.indices {
            words[index] &= index < other.words.count ? other.words[index] : 0
        }
    }

    /// Calls `body` for each slot, ascending.
    @inline(__always)
    func forEach(_ body: (UInt32) -> Void) {
        for index in words.indices {
            var word = words[index]
            while word != 0 {
                body(UInt32(index * 64 + word.trailingZeroBitCount))
                word &= word &- 1
            }
        }
    }
}
