// SPDX-License-Identifier: Apache-2.0

internal import Storage

/// Runs of 32-bit words that are named by the number of their first word. Freed runs are used again
/// for runs of the same length, which is what comes and goes here: label sets, label texts,
/// postings. Run 0 does not exist and means none.
struct WordArena: ~Copyable {
    private var words: Column<UInt32>
    /// The first word that was never given out.
    private var end = 1
    /// The newest free run of each short length; a free run's first word names the next one.
    private var free = [UInt32](repeating: 0, count: 256)
    private var longFree: [Int: [UInt32]] = [:]

    init() throws(StorageError) { words = try Column(capacity: 1 << 31) }

    /// Words that were given out and not freed, and those that lie free in between.
    private(set) var usedCount = 0
    var memory: Int { end * 4 }

    /// The contents of the run are whatever was there.
    mutating func allocate(_ count: Int) throws(StorageError) -> UInt32 {
        precondition(count > 0, "a run of no words")
        if count < free.count, free[count] != 0 {
            let run = free[count]
            free[count] = words[run]
            usedCount += count
            return run
        }
        if count >= free.count, let run = longFree[count]?.popLast() {
            usedCount += count
            return run
        }
        try words.reserve(end + count)
        defer { end += count }
        usedCount += count
        return UInt32(end)
    }

    mutating func release(_ run: UInt32, _ count: Int) {
        usedCount -= count
        if count < free.count {
            words[run] = free[count]
            free[count] = run
        } else {
            longFree[count, default: []].append(run)
        }
    }

    @inline(__always)
    subscript(word: UInt32) -> UInt32 {
        get { words[word] }
        nonmutating set { words[word] = newValue }
    }

    /// The address of word 0, which never changes.
    var start: UnsafePointer<UInt32> { unsafe UnsafePointer(words.pointer(0)) }

    @_lifetime(borrow self)
    func span(_ run: UInt32, _ count: Int) -> Span<UInt32> {
        words.span(Int(run)..<(Int(run) + count))
    }

    /// The run's bytes, `count` of them.
    @_lifetime(borrow self)
    func bytes(_ run: UInt32, _ count: Int) -> RawSpan {
        precondition(Int(run) * 4 + count <= words.count * 4, "outside the arena")
        let start = unsafe UnsafeRawPointer(words.pointer(Int(run)))
        let buffer = unsafe UnsafeRawBufferPointer(start: start, count: count)
        return unsafe _overrideLifetime(RawSpan(_unsafeBytes: buffer), borrowing: self)
    }

    /// Fills the run with bytes; those behind them in the last word are zero.
    func store(_ source: RawSpan, at run: UInt32) {
        let wordCount = (source.byteCount + 3) / 4
        guard wordCount > 0 else { return }
        words[Int(run) + wordCount - 1] = 0
        unsafe source.withUnsafeBytes { source in
            let target = unsafe UnsafeMutableRawPointer(words.pointer(Int(run)))
            unsafe target.copyMemory(from: source.baseAddress!, byteCount: source.count)
        }
    }

    /// Moves the words of one run to another.
    func copy(from old: UInt32, to new: UInt32, _ count: Int) {
        guard count > 0 else { return }
        precondition(
            Int(old) + count <= words.count && Int(new) + count <= words.count, "outside the arena")
        unsafe words.pointer(Int(new)).update(from: words.pointer(Int(old)), count: count)
    }
}
