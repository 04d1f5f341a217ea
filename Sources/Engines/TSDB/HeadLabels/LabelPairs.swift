// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import Model
internal import Storage

/// The distinct labels of the head, each a *pair* with a number. The text of a pair is kept in
/// packed form (as `Labels` has it), so that the labels of a series are the texts of its pairs in a
/// row. Numbers and texts of pairs that no series uses any more are used again.
struct LabelPairs: ~Copyable {
    struct Pair {
        var text: UInt32
        var byteCount: UInt32
        /// The number of the label's name.
        var name: UInt32
        /// How many series have it; 0 for a number that is free.
        var seriesCount: UInt32
    }

    private var pairs: Column<Pair>
    private var texts: WordArena
    private var table = HashTable()
    private var freeNumbers: [UInt32] = []
    /// The first number that was never used.
    private(set) var end = 0
    private(set) var names = LabelNames()

    init() throws(StorageError) {
        let pairs = try Column<Pair>(capacity: 1 << 28)
        let texts = try WordArena()
        self.pairs = pairs
        self.texts = texts
    }

    /// Pairs in use.
    var count: Int { end - freeNumbers.count }
    var memory: Int { end * MemoryLayout<Pair>.stride + texts.memory + table.memory }

    @inline(__always)
    subscript(number: UInt32) -> Pair { pairs[number] }

    /// The packed text: name and value, each behind its length.
    @_lifetime(borrow self)
    func text(_ number: UInt32) -> RawSpan {
        let pair = pairs[number]
        return texts.bytes(pair.text, Int(pair.byteCount))
    }

    @_lifetime(borrow self)
    func value(_ number: UInt32) -> RawSpan {
        let pair = pairs[number]
        let bytes = texts.bytes(pair.text, Int(pair.byteCount))
        var at = 0
        _ = Labels.field(bytes, &at)
        let range = Labels.field(bytes, &at)
        return texts.bytes(pair.text, Int(pair.byteCount)).extracting(range)
    }

    func valueText(_ number: UInt32) -> String {
        unsafe value(number).withUnsafeBytes { unsafe String(decoding: $0, as: UTF8.self) }
    }

    /// The pair with this packed text.
    func find(_ text: RawSpan) -> UInt32? {
        table.find(xxHash64(text)) { number in
            let pair = pairs[number]
            guard Int(pair.byteCount) == text.byteCount else { return false }
            return compareBytes(texts.bytes(pair.text, text.byteCount), text) == 0
        }
    }

    func find(name: String, value: String) -> UInt32? {
        var packed: [UInt8] = []
        Labels.appendField(name, to: &packed)
        Labels.appendField(value, to: &packed)
        return find(packed.raw)
    }

    /// Finds or creates the pair and counts one more series for it.
    mutating func retain(_ text: RawSpan) throws(StorageError) -> UInt32 {
        if let number = find(text) {
            changeSeriesCount(number, by: 1)
            return number
        }
        let run = try texts.allocate((text.byteCount + 3) / 4)
        texts.store(text, at: run)
        let number: UInt32
        if let free = freeNumbers.popLast() {
            number = free
        } else {
            try pairs.reserve(end + 1)
            number = UInt32(end)
            end += 1
        }
        var at = 0
        let nameRange = Labels.field(text, &at)
        let name = names.add(text.extracting(nameRange), pair: number)
        pairs[number] = Pair(
            text: run, byteCount: UInt32(text.byteCount), name: name, seriesCount: 1)
        table.insert(xxHash64(text), number)
        return number
    }

    /// Counts one more series for a pair that exists.
    mutating func retain(_ number: UInt32) { changeSeriesCount(number, by: 1) }

    /// Counts one series less; true where that was the last one and the number is free now.
    mutating func release(_ number: UInt32) -> Bool {
        changeSeriesCount(number, by: -1)
        guard pairs[number].seriesCount == 0 else { return false }
        let pair = pairs[number]
        table.remove(xxHash64(texts.bytes(pair.text, Int(pair.byteCount))), number)
        texts.release(pair.text, (Int(pair.byteCount) + 3) / 4)
        names.remove(pair: number, from: pair.name)
        freeNumbers.append(number)
        return true
    }

    // MARK: Restoring from a snapshot

    mutating func restoreName(_ name: RawSpan) throws(StorageError) {
        guard name.byteCount < 1 << 24 else {
            throw StorageError(.damaged, "a label name of \(name.byteCount) bytes")
        }
        names.restore(name)
    }

    /// The next number, which no series uses.
    mutating func restoreFreeNumber() throws(StorageError) {
        try pairs.reserve(end + 1)
        pairs[end] = Pair(text: 0, byteCount: 0, name: 0, seriesCount: 0)
        end += 1
    }

    /// The next pair, without a series so far. It is not found before `finishRestoring`.
    mutating func restore(name: UInt64, _ value: RawSpan) throws(StorageError) {
        guard name < UInt64(names.end), value.byteCount < 1 << 24 else {
            throw StorageError(.damaged, "a label of name \(name)")
        }
        var text: [UInt8] = []
        Labels.appendField(names.bytes(UInt32(name)).raw, to: &text)
        Labels.appendField(value, to: &text)
        let run = try texts.allocate((text.count + 3) / 4)
        texts.store(text.raw, at: run)
        try restoreFreeNumber()
        pairs[end - 1] = Pair(
            text: run, byteCount: UInt32(text.count), name: UInt32(name), seriesCount: 0)
    }

    /// Enters the pairs that series use, and gives those up that none does.
    mutating func finishRestoring() {
        for number in 0..<UInt32(end) {
            let pair = pairs[number]
            if pair.seriesCount > 0 {
                names.add(pair: number, to: pair.name)
                table.insert(xxHash64(text(number)), number)
            } else {
                if pair.byteCount > 0 { texts.release(pair.text, (Int(pair.byteCount) + 3) / 4) }
                freeNumbers.append(number)
            }
        }
    }

    /// Writes nothing but the count: the other fields may be read meanwhile without the lock.
    private func changeSeriesCount(_ number: UInt32, by change: Int) {
        precondition(Int(number) < end, "no such pair")
        let pair = unsafe pairs.pointer(Int(number))
        unsafe pair.pointee.seriesCount = UInt32(Int(pair.pointee.seriesCount) + change)
    }

    /// A reader of labels whose sets of pairs lie in `sets`, by slot at `labelSets`.
    func reader(_ labelSets: borrowing Column<UInt32>, _ sets: borrowing WordArena) -> LabelReader {
        unsafe LabelReader(
            labelSets: labelSets, sets: sets, pairs: UnsafePointer(pairs.pointer(0)),
            texts: texts.start)
    }

    /// Forgets removed values; after a row of releases.
    mutating func finishReleases() { names.finishRemovals() }

    /// The order of two pairs by name, then value.
    func compare(_ left: UInt32, _ right: UInt32) -> Int {
        if left == right { return 0 }
        let leftPair = pairs[left]
        let rightPair = pairs[right]
        if leftPair.name != rightPair.name {
            return compareBytes(
                names.bytes(leftPair.name).raw, names.bytes(rightPair.name).raw)
        }
        return compareBytes(value(left), value(right))
    }
}

/// The distinct label names, each with the pairs that have it: its values. Few, so plain arrays.
struct LabelNames: Sendable {
    private struct Name: Sendable {
        var bytes: [UInt8]
        /// In no order.
        var pairs: [UInt32] = []
        var removed: Set<UInt32> = []
    }

    private var names: [Name] = []
    private var numbers: [[UInt8]: UInt32] = [:]
    private var touched: Set<UInt32> = []

    init() {}

    /// The numbers that were ever given to names; one whose `pairs` is empty is out of use.
    var end: Int { names.count }

    func number(_ name: String) -> UInt32? { numbers[Array(name.utf8)] }
    func bytes(_ number: UInt32) -> [UInt8] { names[Int(number)].bytes }
    func text(_ number: UInt32) -> String {
        String(decoding: names[Int(number)].bytes, as: UTF8.self)
    }
    func pairs(_ number: UInt32) -> [UInt32] { names[Int(number)].pairs }

    mutating func add(_ name: RawSpan, pair: UInt32) -> UInt32 {
        let bytes = unsafe name.withUnsafeBytes { unsafe [UInt8]($0) }
        let number: UInt32
        if let known = numbers[bytes] {
            number = known
        } else {
            number = UInt32(names.count)
            names.append(Name(bytes: bytes))
            numbers[bytes] = number
        }
        names[Int(number)].pairs.append(pair)
        return number
    }

    mutating func restore(_ name: RawSpan) {
        let bytes = unsafe name.withUnsafeBytes { unsafe [UInt8]($0) }
        numbers[bytes] = UInt32(names.count)
        names.append(Name(bytes: bytes))
    }

    mutating func add(pair: UInt32, to name: UInt32) { names[Int(name)].pairs.append(pair) }

    mutating func remove(pair: UInt32, from name: UInt32) {
        names[Int(name)].removed.insert(pair)
        touched.insert(name)
    }

    mutating func finishRemovals() {
        for name in touched {
            let removed = names[Int(name)].removed
            names[Int(name)].pairs.removeAll { removed.contains($0) }
            names[Int(name)].removed = []
        }
        touched.removeAll()
    }
}
