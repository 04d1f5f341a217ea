// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import ChunkEncoding
internal import Instrumentation
internal import Model
internal import Platform
internal import Storage

/// The chunks that a start found in the head chunk files.
struct RecoveredChunks {
    private struct Chunk {
        var ref: UInt64
        var range: TimeRange
        var place: HeadChunkFiles.Place
    }

    /// In the order of ref, then of time; filled in the order of the files.
    private var chunks: [Chunk] = []
    /// Where the chunks of each ref begin.
    private var starts: [UInt64: Int] = [:]
    /// Chunks of late samples, in the order of the files.
    private var late: [UInt64: [OutOfOrderChunk]] = [:]
    /// Late samples in chunks up to here are in blocks.
    var writtenThrough = HeadChunkFiles.Place.none
    /// Of the last sound chunk of each file, in the order of the files.
    private var lastPlaces: [HeadChunkFiles.Place] = []
    /// Of the last sound chunk.
    var lastPlace: HeadChunkFiles.Place { lastPlaces.last ?? .none }
    private var damagedFiles: [UInt32] = []
    private var lastFileEnd: (file: UInt32, size: Int)?

    init() {}

    /// Reads all files. Of the chunks before a place, which all must be sound, only those of late
    /// samples are taken. Notes what must be repaired, but changes nothing on disk.
    mutating func load(
        _ store: HeadStore, from place: HeadChunkFiles.Place? = nil
    ) throws(FileError) {
        let numbers = try store.files.numbersOnDisk()
        var newestByRef: [UInt64: Timestamp] = [:]
        for (position, number) in numbers.enumerated() {
            let isLast = position == numbers.count - 1
            let isSequential = position == 0 || numbers[position - 1] + 1 == number
            let file = try store.files.open(number)
            defer { file.releasePages() }
            let start = place.map {
                $0.file > number ? .max : $0.file == number ? Int($0.offset) : 0
            }
            if let start, start > 0, !takeLate(file.bytes, upTo: start, number) {
                damagedFiles = [number]
                return
            }
            if start == .max { continue }
            let end =
                isSequential ? scan(file.bytes, from: start ?? 0, number, store, &newestByRef) : nil
            if let end, isLast || end.isSound {
                if !end.isSound { lastFileEnd = (number, end.size) }
                if !end.isSound, end.size <= HeadChunkFormat.headerSize { damagedFiles = [number] }
                continue
            }
            damagedFiles = Array(numbers[position...])
            break
        }
        let damaged = Set(damagedFiles)
        chunks.removeAll { damaged.contains($0.place.file) }
        if let first = damagedFiles.first {
            late = late.mapValues { $0.filter { $0.place.file < first } }
            lastPlaces.removeAll { $0.file >= first }
        }
        let order = chunks.indices.sorted { (chunks[$0].ref, $0) < (chunks[$1].ref, $1) }
        chunks = order.map { chunks[$0] }
        for index in chunks.indices.reversed() { starts[chunks[index].ref] = index }
        let newest = max(chunks.last?.ref ?? 0, late.keys.max() ?? 0)
        store.restart.nextRef = max(store.restart.nextRef, newest &+ 1)
    }

    private mutating func note(_ place: HeadChunkFiles.Place) {
        if let last = lastPlaces.last, last.file == place.file {
            lastPlaces[lastPlaces.count - 1] = place
        } else {
            lastPlaces.append(place)
        }
    }

    /// Notes the chunks of late samples before an offset, or the end. Returns whether all chunks
    /// before it are sound.
    private mutating func takeLate(_ bytes: RawSpan, upTo end: Int, _ number: UInt32) -> Bool {
        var at = HeadChunkFormat.headerSize
        let end = min(end, bytes.byteCount)
        while at < end {
            if bytes.isZero(at..<min(at + 24, bytes.byteCount)) { return true }
            guard let entry = HeadChunkEntry(bytes, at: at), entry.isSound(bytes, at: at) else {
                return false
            }
            let place = HeadChunkFiles.Place(file: number, offset: UInt32(at))
            note(place)
            if entry.isOutOfOrder { addLate(entry, place) }
            at = entry.end
        }
        return true
    }

    private mutating func addLate(_ entry: HeadChunkEntry, _ place: HeadChunkFiles.Place) {
        guard writtenThrough < place else { return }
        late[entry.ref, default: []].append(OutOfOrderChunk(place: place, range: entry.range))
    }

    /// The first file that is damaged, but for a torn tail.
    var firstDamagedFile: UInt32? { damagedFiles.first }

    /// Notes the chunks of a file from `start` on. Tells where the sound part ends; nil where the
    /// header is wrong.
    private mutating func scan(
        _ bytes: RawSpan, from start: Int, _ number: UInt32, _ store: HeadStore,
        _ newestByRef: inout [UInt64: Timestamp]
    ) -> (size: Int, isSound: Bool)? {
        guard bytes.byteCount >= HeadChunkFormat.headerSize else { return (0, false) }
        let header = HeadChunkFormat.header
        for index in 0..<5 where bytes[index] != header[index] { return nil }
        var at = max(start, HeadChunkFormat.headerSize)
        while at < bytes.byteCount {
            if bytes.isZero(at..<min(at + 24, bytes.byteCount)) { return (at, true) }
            guard let entry = HeadChunkEntry(bytes, at: at), entry.isSound(bytes, at: at) else {
                return (at, false)
            }
            let encoding = EncodedChunk.Encoding(rawValue: entry.encoding)
            if encoding == nil {
                store.restart.foreignData =
                    store.restart.foreignData
                    ?? "the head chunk files hold chunks of encoding \(entry.encoding)"
            }
            // Of foreign data, what can be read is shown.
            let place = HeadChunkFiles.Place(file: number, offset: UInt32(at))
            note(place)
            if entry.isOutOfOrder {
                addLate(entry, place)
            } else if encoding != nil, entry.range.end >= store.bounds.minValidTime {
                let newest = newestByRef[entry.ref] ?? .min
                guard newest < entry.range.start || newest == .min else { return (at, false) }
                newestByRef[entry.ref] = entry.range.end
                chunks.append(Chunk(ref: entry.ref, range: entry.range, place: place))
            }
            at = entry.end
        }
        return (at, true)
    }

    /// Removes damaged files and cuts a torn tail, unless the folder is read-only.
    mutating func repair(_ store: HeadStore) throws(FileError) {
        if !damagedFiles.isEmpty {
            store.metrics.chunkCorruptions.increment()
            store.options.log.warn("dropping damaged head chunk files \(damagedFiles)")
            try store.files.drop(damagedFiles)
        } else if let (file, size) = lastFileEnd {
            store.metrics.chunkCorruptions.increment()
            store.options.log.warn("cutting head chunk file \(file) to its sound \(size) bytes")
            try store.files.cut(file, to: size)
        }
    }

    /// Gives the chunks that were found to the series of a snapshot.
    mutating func attachAll(
        _ slots: inout RefTable, _ store: HeadStore
    ) throws(StorageError) {
        for ref in Set(starts.keys).union(late.keys).sorted() {
            if let slot = slots[ref] { try attach(ref, to: slot, store) }
        }
    }

    /// Adds a chunk that is not the newest of its series, unless its samples are there.
    private static func insert(
        _ chunk: Chunk, _ slot: UInt32, _ store: HeadStore
    ) throws(StorageError) {
        if store.samples.openRange(slot)?.touches(chunk.range) ?? false { return }
        try store.samples.series.reserveChunks(1)
        guard store.samples.series.insertChunk(slot, chunk.range, chunk.place) else { return }
        store.bounds.include(chunk.range.start)
    }

    /// Gives the chunks of a ref to its series. Samples of the log that they cover are then
    /// skipped.
    mutating func attach(
        _ ref: UInt64, to slot: UInt32, _ store: HeadStore
    ) throws(StorageError) {
        for chunk in late.removeValue(forKey: ref) ?? [] {
            store.outOfOrder.attach(chunk, to: slot)
        }
        guard var index = starts.removeValue(forKey: ref) else { return }
        // What is in the chunks is not looked at.
        store.samples.series.endSteadiness(slot)
        var newest: Chunk?
        while index < chunks.count, chunks[index].ref == ref {
            let chunk = chunks[index]
            index += 1
            let isCompletion = store.samples.dropOpenChunk(slot, coveredBy: chunk.range)
            let state = store.samples.series.states[slot]
            // A series that had another ref before: its chunks may be older than those that came
            // under the first ref, which goes on being used after a start.
            if newest == nil, !isCompletion, state.hasSamples,
                chunk.range.start <= state.encoder.timestamp
            {
                try Self.insert(chunk, slot, store)
                continue
            }
            if newest == nil, store.samples.openRange(slot) != nil {
                try store.samples.series.reserveChunks(1)
                store.samples.closeChunk(slot)
            }
            try store.samples.series.reserveChunks(1)
            store.samples.series.addChunk(slot, chunk.range, chunk.place)
            store.bounds.include(chunk.range.start)
            store.bounds.include(chunk.range.end)
            newest = chunk
        }
        guard let newest, let source = store.files.source(newest.place) else { return }
        _ = store.samples.lanes.remove(slot)
        if let encoding = source.encoding, !encoding.holdsFloats {
            let isFloat = encoding == .floatHistogram || encoding == .floatHistogramWithStart
            store.samples.lanes[slot] = HistogramLane(isFloat: isFloat)
            store.samples.series.states[slot] = .closed(
                lastTimestamp: newest.range.end, lastValue: 0)
            return
        }
        var columns = SampleColumns()
        try source.decode(newest.range, into: &columns)
        if let time = columns.timestamps.last, let value = columns.values.last {
            store.samples.series.states[slot] = .closed(lastTimestamp: time, lastValue: value)
        }
    }
}
