// SPDX-License-Identifier: Apache-2.0

internal import Model
internal import Storage

/// The columns of the head, one element a slot, and the lists of full chunks. A slot is used again
/// after its series was dropped, with the next generation; a WAL ref is never used again.
///
/// Owned by the head and touched under its lock.
struct SeriesTable: ~Copyable {
    static let capacity = 1 << 26

    private(set) var states: Column<SeriesState>
    /// The time from which a sample begins a new chunk.
    private(set) var chunkEnds: Column<Timestamp>
    private(set) var refs: Column<UInt64>
    private(set) var generations: Column<UInt32>
    /// The newest full chunk of each series, 0 for none.
    private(set) var newestChunks: Column<UInt32>
    /// Since when each series is steady (SteadyRuns.swift), in whole seconds of Unix time; 0 where
    /// it is not, or where nobody knows.
    private(set) var steadySince: Column<UInt32>
    /// A bit for each slot: whether the batch that is being checked has a sample of it. Zero
    /// between batches.
    private var marks: Column<UInt64>
    private var chunks: Column<FullChunk>
    private var firstFreeChunk: UInt32 = 0
    private var chunkEnd: UInt32 = 1
    private(set) var chunkCount = 0
    /// Behind the last slot that was ever used.
    private(set) var end = 0
    /// Free slots, descending, so that the lowest is taken first and neighbours stay together.
    private var freeSlots: [UInt32] = []
    var freeSlotCount: Int { freeSlots.count }
    /// What the columns have for a slot.
    static let bytesPerSlot =
        MemoryLayout<SeriesState>.stride + 2 * MemoryLayout<UInt64>.stride
        + 3 * MemoryLayout<UInt32>.stride

    init() throws(StorageError) {
        let states = try Column<SeriesState>(capacity: Self.capacity)
        let chunkEnds = try Column<Timestamp>(capacity: Self.capacity)
        let refs = try Column<UInt64>(capacity: Self.capacity)
        let generations = try Column<UInt32>(capacity: Self.capacity)
        let newestChunks = try Column<UInt32>(capacity: Self.capacity)
        let steadySince = try Column<UInt32>(capacity: Self.capacity)
        let marks = try Column<UInt64>(capacity: Self.capacity / 64)
        let chunks = try Column<FullChunk>(capacity: 1 << 30)
        self.states = states
        self.chunkEnds = chunkEnds
        self.refs = refs
        self.generations = generations
        self.newestChunks = newestChunks
        self.steadySince = steadySince
        self.marks = marks
        self.chunks = chunks
    }

    /// Gives a new series a slot.
    mutating func add(ref: UInt64) throws(StorageError) -> UInt32 {
        let slot: UInt32
        if let free = freeSlots.popLast() {
            slot = free
        } else {
            try states.reserve(end + 1)
            try chunkEnds.reserve(end + 1)
            try refs.reserve(end + 1)
            try generations.reserve(end + 1)
            try newestChunks.reserve(end + 1)
            try steadySince.reserve(end + 1)
            try marks.reserve(end / 64 + 1)
            slot = UInt32(end)
            end += 1
        }
        states[slot] = SeriesState()
        chunkEnds[slot] = 0
        refs[slot] = ref
        newestChunks[slot] = 0
        steadySince[slot] = 0
        return slot
    }

    /// Frees the slots. Their chunks were released before.
    mutating func remove(_ slots: SlotSet) {
        slots.forEach { slot in
            generations[slot] &+= 1
            refs[slot] = 0
            states[slot] = SeriesState()
            freeSlots.append(slot)
        }
        freeSlots.sort(by: >)
    }

    /// The generation of a slot changes when its series is dropped.
    @inline(__always)
    func isCurrent(_ ref: SeriesRef) -> Bool {
        Int(ref.slot) < end && generations[ref.slot] == ref.generation
    }

    // MARK: Marks

    @inline(__always)
    func isMarked(_ slot: UInt32) -> Bool { marks[slot >> 6] >> UInt64(slot & 63) & 1 == 1 }

    @inline(__always)
    func mark(_ slot: UInt32) { marks[slot >> 6] |= 1 << UInt64(slot & 63) }

    /// Takes the mark of the slot away, and those of its neighbours: in the end all of them go.
    @inline(__always)
    func unmark(_ slot: UInt32) { marks[slot >> 6] = 0 }

    // MARK: Full chunks

    mutating func reserveChunks(_ count: Int) throws(StorageError) {
        try chunks.reserve(Int(chunkEnd) + count)
    }

    /// Adds a series' next full chunk. The bound: `reserveChunks` was called for it.
    mutating func addChunk(_ slot: UInt32, _ range: TimeRange, _ place: HeadChunkFiles.Place) {
        let added = makeChunk(range, place, behind: newestChunks[slot])
        newestChunks[slot] = added
    }

    /// Puts a full chunk between those that are there, in order of time; not where it shares times
    /// with one of them. Tells whether it did. The bound as above.
    mutating func insertChunk(
        _ slot: UInt32, _ range: TimeRange, _ place: HeadChunkFiles.Place
    ) -> Bool {
        var next: UInt32 = 0
        var number = newestChunks[slot]
        while number != 0, chunks[number].start > range.end {
            next = number
            number = chunks[number].previous
        }
        if number != 0, chunks[number].end >= range.start { return false }
        let added = makeChunk(range, place, behind: number)
        if next == 0 { newestChunks[slot] = added } else { chunks[next].previous = added }
        return true
    }

    private mutating func makeChunk(
        _ range: TimeRange, _ place: HeadChunkFiles.Place, behind previous: UInt32
    ) -> UInt32 {
        let number: UInt32
        if firstFreeChunk != 0 {
            number = firstFreeChunk
            firstFreeChunk = chunks[number].previous
        } else {
            number = chunkEnd
            chunkEnd += 1
        }
        chunks[number] = FullChunk(
            start: range.start, offset: place.offset,
            duration: UInt32(clamping: range.end &- range.start),
            previous: previous, file: place.file)
        chunkCount += 1
        return number
    }

    func newestChunk(_ slot: UInt32) -> FullChunk? {
        newestChunks[slot] == 0 ? nil : chunks[newestChunks[slot]]
    }

    /// Calls `body` with each full chunk of the series, the newest first, until it returns false.
    func forEachChunk(_ slot: UInt32, _ body: (FullChunk) -> Bool) {
        var number = newestChunks[slot]
        while number != 0 {
            let chunk = chunks[number]
            if !body(chunk) { return }
            number = chunk.previous
        }
    }

    /// Forgets the chunks that end before a time, all for nil.
    mutating func removeChunks(_ slot: UInt32, endingBefore time: Timestamp?) {
        var last: UInt32 = 0
        var number = newestChunks[slot]
        while number != 0, let time, chunks[number].end >= time {
            last = number
            number = chunks[number].previous
        }
        if last == 0 { newestChunks[slot] = 0 } else { chunks[last].previous = 0 }
        while number != 0 {
            let next = chunks[number].previous
            chunks[number].previous = firstFreeChunk
            firstFreeChunk = number
            chunkCount -= 1
            number = next
        }
    }
}
