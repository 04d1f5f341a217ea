// SPDX-License-Identifier: Apache-2.0

/// A set of steps of one evaluation, as a bitmap: which steps of a row have a value. Operations on
/// two sets work on 64 steps at once, which is what makes matching and filtering cheap.
struct StepSet: Equatable {
    /// Bits beyond `capacity` are zero.
    private(set) var words: [UInt64]
    let capacity: Int

    init(capacity: Int) {
        self.capacity = capacity
        words = [UInt64](repeating: 0, count: (capacity + 63) / 64)
    }

    static func all(_ capacity: Int) -> StepSet {
        var set = StepSet(capacity: capacity)
        set.insertAll()
        return set
    }

    var isEmpty: Bool {
        for word in words where word != 0 { return false }
        return true
    }

    var count: Int { words.reduce(0) { $0 + $1.nonzeroBitCount } }
    var isFull: Bool { count == capacity }

    /// The earliest step of the set.
    var first: Int? {
        for (index, word) in words.enumerated() where word != 0 {
            return index * 64 + word.trailingZeroBitCount
        }
        return nil
    }

    @inline(__always)
    func contains(_ step: Int) -> Bool { words[step &>> 6] &>> UInt64(step & 63) & 1 != 0 }

    @inline(__always)
    mutating func insert(_ step: Int) { words[step &>> 6] |= 1 &<< UInt64(step & 63) }

    @inline(__always)
    mutating func remove(_ step: Int) { words[step &>> 6] &= ~(1 &<< UInt64(step & 63)) }

    /// Replaces 64 steps at once; `word` is the index of the first of them divided by 64.
    @inline(__always)
    mutating func setWord(_ index: Int, _ word: UInt64) { words[index] = word }

    mutating func insertAll() {
        for index in words.indices { words[index] = .max }
        let excess = words.count * 64 - capacity
        if excess > 0 { words[words.count - 1] >>= UInt64(excess) }
    }

    mutating func removeAll() {
        for index in words.indices { words[index] = 0 }
    }

    mutating func formUnion(_ other: StepSet) {
        for index in words.indices { words[index] |= other.words[index] }
    }

    mutating func formIntersection(_ other: StepSet) {
        for index in words.indices { words[index] &= other.words[index] }
    }

    mutating func subtract(_ other: StepSet) {
        for index in words.indices { words[index] &= ~other.words[index] }
    }

    func union(_ other: StepSet) -> StepSet {
        var result = self
        result.formUnion(other)
        return result
    }

    func intersection(_ other: StepSet) -> StepSet {
        var result = self
        result.formIntersection(other)
        return result
    }

    func subtracting(_ other: StepSet) -> StepSet {
        var result = self
        result.subtract(other)
        return result
    }

    func intersects(_ other: StepSet) -> Bool {
        for index in words.indices where words[index] & other.words[index] != 0 { return true }
        return false
    }

    /// Calls `body` with each step of the set in order.
    @inline(__always)
    func forEach<Failure: Error>(_ body: (Int) throws(Failure) -> Void) throws(Failure) {
        for index in words.indices {
            var rest = words[index]
            while rest != 0 {
                try body(index &* 64 &+ rest.trailingZeroBitCount)
                rest &= rest &- 1
            }
        }
    }
}
