// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import Model
internal import Storage

/// What the head knows about the labels of its series: which slot has which labels, which slots
/// have a label, and in which order the slots stand when sorted by labels.
///
/// Owned by the head and touched under its lock.
struct LabelIndex: ~Copyable {
    private(set) var pairs: LabelPairs
    var postings: HeadPostings
    /// Per slot a run of words: the number of labels, then the pairs in the order of names. 0: no
    /// series has the slot.
    private var labelSets: Column<UInt32>
    private var sets: WordArena
    private var table = HashTable()
    private(set) var live = SlotSet(capacity: 0)
    var order = LabelOrder()
    /// Behind the largest slot ever used.
    private(set) var end = 0

    init() throws(StorageError) {
        let pairs = try LabelPairs()
        let postings = try HeadPostings()
        let labelSets = try Column<UInt32>(capacity: SeriesTable.capacity)
        let sets = try WordArena()
        self.pairs = pairs
        self.postings = postings
        self.labelSets = labelSets
        self.sets = sets
    }

    var seriesCount: Int { table.count }
    var memory: Int {
        pairs.memory + postings.memory + sets.memory + table.memory + end * 4
    }

    // MARK: Labels of a slot

    @inline(__always)
    func has(_ slot: UInt32) -> Bool { Int(slot) < end && labelSets[slot] != 0 }

    /// The pairs of a slot that is in use.
    @_lifetime(borrow self)
    func pairs(of slot: UInt32) -> Span<UInt32> {
        let run = labelSets[slot]
        return sets.span(run + 1, Int(sets[run]))
    }

    /// Appends the packed labels of a slot that is in use.
    func appendLabels(of slot: UInt32, to packed: inout [UInt8]) {
        let numbers = pairs(of: slot)
        for index in numbers.indices {
            let text = pairs.text(numbers[index])
            unsafe text.withUnsafeBytes { unsafe packed.append(contentsOf: $0) }
        }
    }

    /// Reads labels without the lock.
    var reader: LabelReader { pairs.reader(labelSets, sets) }

    private func hasLabels(_ slot: UInt32, _ packed: RawSpan) -> Bool {
        let numbers = pairs(of: slot)
        var at = 0
        for index in numbers.indices {
            let text = pairs.text(numbers[index])
            let end = at + text.byteCount
            guard end <= packed.byteCount,
                compareBytes(packed.extracting(at..<end), text) == 0
            else { return false }
            at = end
        }
        return at == packed.byteCount
    }

    func find(_ packed: RawSpan, hash: UInt64) -> UInt32? {
        table.find(hash) { hasLabels($0, packed) }
    }

    // MARK: Changes

    /// Enters a new series with packed labels that no other has.
    mutating func add(_ slot: UInt32, _ packed: RawSpan, hash: UInt64) throws(StorageError) {
        try labelSets.reserve(Int(slot) + 1)
        var numbers: [UInt32] = []
        var at = 0
        while at < packed.byteCount {
            let start = at
            _ = Labels.field(packed, &at)
            _ = Labels.field(packed, &at)
            numbers.append(try pairs.retain(packed.extracting(start..<at)))
        }
        try enter(slot, numbers, hash: hash)
    }

    private mutating func enter(
        _ slot: UInt32, _ numbers: [UInt32], hash: UInt64
    ) throws(StorageError) {
        let run = try sets.allocate(numbers.count + 1)
        sets[run] = UInt32(numbers.count)
        for (index, number) in numbers.enumerated() {
            sets[run + 1 + UInt32(index)] = number
            try postings.add(slot, to: number)
        }
        labelSets[slot] = run
        table.insert(hash, slot)
        end = max(end, Int(slot) + 1)
        if Int(slot) >= live.words.count * 64 {
            var grown = SlotSet(capacity: max(1024, Int(slot) * 3 / 2))
            live.forEach { grown.insert($0) }
            live = grown
        }
        live.insert(slot)
        order.add(slot)
    }

    /// Takes series out. Their slots may be used again afterwards.
    mutating func remove(_ dropped: SlotSet) throws(StorageError) {
        var affected = Set<UInt32>()
        var gone: [UInt32] = []
        var slots: [UInt32] = []
        dropped.forEach { slots.append($0) }
        for slot in slots {
            var packed: [UInt8] = []
            appendLabels(of: slot, to: &packed)
            table.remove(xxHash64(packed.raw), slot)
            let run = labelSets[slot]
            let count = sets[run]
            for index in 1..<(count + 1) {
                let number = sets[run + index]
                affected.insert(number)
                if pairs.release(number) { gone.append(number) }
            }
            sets.release(run, Int(count) + 1)
            labelSets[slot] = 0
            live.remove(slot)
        }
        pairs.finishReleases()
        for number in gone {
            postings.removeAll(number)
            affected.remove(number)
        }
        for number in affected { try postings.remove(dropped, from: number) }
        order.remove(dropped)
    }

    // MARK: Restoring from a snapshot

    mutating func reserve(_ count: Int) { table.reserve(count) }

    /// The next name, in the order of their numbers.
    mutating func addName(_ name: RawSpan) throws(StorageError) { try pairs.restoreName(name) }

    /// The next pair, in the order of their numbers; one that is out of use.
    mutating func addFreePair() throws(StorageError) { try pairs.restoreFreeNumber() }

    /// The next pair. Its name must be there.
    mutating func addPair(name: UInt64, value: RawSpan) throws(StorageError) {
        try pairs.restore(name: name, value)
    }

    /// Enters a series whose pairs exist. `packed` is memory to work with.
    mutating func restore(
        _ slot: UInt32, _ numbers: [UInt32], _ packed: inout [UInt8]
    ) throws(StorageError) {
        try labelSets.reserve(Int(slot) + 1)
        packed.removeAll(keepingCapacity: true)
        for number in numbers {
            pairs.retain(number)
            unsafe pairs.text(number).withUnsafeBytes { unsafe packed.append(contentsOf: $0) }
        }
        try enter(slot, numbers, hash: xxHash64(packed.raw))
    }

    /// Makes pairs and names findable, after all series.
    mutating func finishRestoring() { pairs.finishRestoring() }

    // MARK: Order

    /// Negative, zero or positive as the labels of one slot sort before, with or after the other's.
    func compare(_ left: UInt32, _ right: UInt32) -> Int {
        let leftPairs = pairs(of: left)
        let rightPairs = pairs(of: right)
        let shared = min(leftPairs.count, rightPairs.count)
        var index = 0
        while index < shared {
            let order = pairs.compare(leftPairs[index], rightPairs[index])
            if order != 0 { return order }
            index += 1
        }
        return leftPairs.count - rightPairs.count
    }

    /// The slots of a set in the order of their labels.
    mutating func inLabelOrder(_ slots: SlotSet) -> [UInt32] {
        var order = LabelOrder()
        swap(&order, &self.order)
        defer { swap(&order, &self.order) }
        return order.sorted(slots, self)
    }
}
