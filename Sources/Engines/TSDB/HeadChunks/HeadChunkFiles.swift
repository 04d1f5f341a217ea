// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import ChunkEncoding
internal import Model
internal import Platform
internal import Storage

/// The full chunks of the head. A chunk gets its place (file and offset) at once, its bytes wait in
/// a buffer that is written out in one piece; chunks can be read from either. The log holds the
/// samples too, so nothing here is waited for, and a lost file costs only time at the next start.
///
/// Owned by the head and touched under its lock; only the writing itself happens without.
final class HeadChunkFiles {
    struct Place: Comparable {
        var file: UInt32
        var offset: UInt32

        static let none = Place(file: 0, offset: 0)

        /// In the order in which chunks were written.
        static func < (left: Place, right: Place) -> Bool {
            (left.file, left.offset) < (right.file, right.offset)
        }
    }

    /// Bytes on their way to a file.
    struct Flush: Sendable {
        let file: any OpenFile
        let bytes: [UInt8]
        let offset: Int
    }

    private let directory: String
    private let fileSystem: any FileSystem
    private struct Mapping {
        let file: MappedFile
        /// Chunks before this lie in it whole.
        let end: Int
    }

    /// Finished files, and the growing one as far as it was mapped last.
    private var mapped: [UInt32: Mapping] = [:]
    /// The number of the newest file, 0 for none; `isGrowing` where chunks are added to it.
    private(set) var current: UInt32 = 0
    private var isGrowing = false
    private var file: (any OpenFile)?
    /// How much of the growing file is written.
    private var writtenEnd = 0
    /// What is being written, and what came after it.
    private var flushing: [UInt8] = []
    private var waiting: [UInt8] = []
    /// Finished files that may not be on the device whole. Nothing goes to a later file before they
    /// are: a start skips what of the log is older than a series' newest chunk, so a later file
    /// must not outlive an earlier one.
    private(set) var unsynced: [any OpenFile] = []
    /// Set where the folder must not be changed: everything stays in the buffer.
    var isReadOnly = false
    /// Files before this one are on the device, as far as snapshots are concerned.
    var syncedBefore: UInt32 = 0

    init(_ directory: String, _ fileSystem: any FileSystem) {
        self.directory = directory
        self.fileSystem = fileSystem
    }

    private func path(_ number: UInt32) -> String {
        "\(directory)/\(HeadChunkFormat.name(ofFile: number))"
    }

    var waitingCount: Int { flushing.count + waiting.count }

    /// A place that all chunks so far lie before and all later ones do not.
    var nextPlace: Place {
        guard isGrowing else {
            return Place(file: current + 1, offset: UInt32(HeadChunkFormat.headerSize))
        }
        return Place(file: current, offset: UInt32(writtenEnd + waitingCount))
    }

    // MARK: Writing

    /// Adds a chunk whose bytes `appendData` puts into the buffer it is given.
    func append(
        _ ref: UInt64, _ range: TimeRange, _ encoding: EncodedChunk.Encoding, length: Int,
        isOutOfOrder: Bool = false, _ appendData: (inout [UInt8]) -> Void
    ) -> Place {
        beginFileWhereNeeded(length)
        let start = waiting.count
        var head = ByteWriter(capacity: HeadChunkFormat.fixedSize + 3)
        head.uint64BE(ref)
        head.uint64BE(UInt64(bitPattern: range.start))
        head.uint64BE(UInt64(bitPattern: range.end))
        head.uint8(encoding.rawValue | (isOutOfOrder ? HeadChunkFormat.outOfOrderFlag : 0))
        head.uvarint(UInt64(length))
        waiting.append(contentsOf: head.bytes)
        appendData(&waiting)
        let checksum = crc32c(waiting.raw.extracting(start..<waiting.count))
        for shift in [24, 16, 8, 0] as [UInt32] {
            waiting.append(UInt8(truncatingIfNeeded: checksum >> shift))
        }
        return Place(file: current, offset: UInt32(writtenEnd + flushing.count + start))
    }

    /// A file that cannot be finished now (no space left, a flush under way) just grows on.
    private func beginFileWhereNeeded(_ length: Int) {
        let end = writtenEnd + waitingCount + HeadChunkFormat.fixedSize + 16 + length
        if isGrowing {
            guard end > HeadChunkFormat.maximumFileSize, !isReadOnly, flushing.isEmpty,
                unsynced.isEmpty, (try? writeNow()) != nil
            else { return }
            finish()
        }
        current += 1
        isGrowing = true
        file = nil
        writtenEnd = 0
        waiting.append(contentsOf: HeadChunkFormat.header)
    }

    /// The next chunk begins a new file.
    private func finish() {
        if let file { unsynced.append(file) }
        isGrowing = false
        file = nil
    }

    /// Called when files of `unsynced` are on the device.
    func noteSynced(_ files: [any OpenFile]) {
        unsynced.removeAll { file in files.contains { $0 === file } }
    }

    /// Syncs the last file of the run before, so that later ones can follow. Earlier ones were
    /// synced by the rule above.
    func syncLast() throws(FileError) {
        guard !isReadOnly, let last = try numbersOnDisk().last else { return }
        try fileSystem.open(path(last), .read).sync()
    }

    /// Writes out what waits, under the lock.
    func writeNow() throws(FileError) {
        guard let flush = try beginFlush() else { return }
        do {
            try flush.file.write(flush.bytes.raw, at: flush.offset)
        } catch {
            endFlush(isWritten: false)
            throw error
        }
        endFlush(isWritten: true)
    }

    /// Hands out what waits, for a write without the lock; `endFlush` must follow.
    func beginFlush() throws(FileError) -> Flush? {
        guard !isReadOnly, flushing.isEmpty, !waiting.isEmpty, unsynced.isEmpty else { return nil }
        if file == nil {
            try fileSystem.createDirectory(directory)
            file = try fileSystem.open(path(current), .replace)
        }
        guard let file else { return nil }
        swap(&flushing, &waiting)
        return Flush(file: file, bytes: flushing, offset: writtenEnd)
    }

    func endFlush(isWritten: Bool) {
        if isWritten {
            writtenEnd += flushing.count
        } else {
            waiting = flushing + waiting
        }
        flushing = []
    }

    /// Writes out what waits; the next chunk begins a new file. Waits for no flush and no sync that
    /// is under way: then the file grows on.
    func finishFile() throws(FileError) {
        guard flushing.isEmpty, unsynced.isEmpty else { return }
        try writeNow()
        finish()
    }

    /// Writes out everything at a clean end, when no flush is under way.
    func close() throws(FileError) {
        for file in unsynced { try file.sync() }
        unsynced = []
        try writeNow()
        finish()
    }

    // MARK: Reading

    /// Where the bytes of a chunk are now: in a file, or copied out of the buffer.
    enum Source: Sendable {
        case file(MappedFile, Range<Int>, encoding: UInt8)
        case memory([UInt8], encoding: UInt8)
    }

    /// What to say where a chunk is gone or damaged since the start.
    static let unreadable = StorageError(
        .damaged, "a head chunk file cannot be read any more")

    private func isWaiting(_ place: Place) -> Bool {
        place.file == current && isGrowing && Int(place.offset) >= writtenEnd
    }

    /// The mapped file in which a chunk lies whole, though perhaps damaged. Nil for one that waits
    /// to be written, and where the file is gone.
    func wholeFile(_ place: Place) -> MappedFile? {
        if isWaiting(place) { return nil }
        if let known = mapped[place.file], Int(place.offset) < known.end { return known.file }
        guard let fresh = try? map(place.file), Int(place.offset) < fresh.end else { return nil }
        return fresh.file
    }

    private func map(_ number: UInt32) throws(FileError) -> Mapping {
        let file = try fileSystem.map(path(number))
        let end = number == current && isGrowing ? min(writtenEnd, file.count) : file.count
        let mapping = Mapping(file: file, end: end)
        mapped[number] = mapping
        return mapping
    }

    /// Nil where the file is gone or damaged since the start.
    func source(_ place: Place) -> Source? {
        let offset = Int(place.offset)
        if isWaiting(place) {
            let isFlushing = offset < writtenEnd + flushing.count
            let buffer = isFlushing ? flushing : waiting
            let start = offset - writtenEnd - (isFlushing ? 0 : flushing.count)
            guard let entry = HeadChunkEntry(buffer.raw, at: start) else { return nil }
            return .memory(Array(buffer[entry.data]), encoding: entry.encoding)
        }
        guard let file = wholeFile(place),
            let data = HeadChunkEntry.soundData(file.bytes, at: offset)
        else { return nil }
        return .file(file, data.place, encoding: data.encoding)
    }

    var mappedFiles: [MappedFile] { mapped.values.map(\.file) }

    // MARK: Starting and truncating

    /// The numbers of the files on disk, ascending.
    func numbersOnDisk() throws(FileError) -> [UInt32] {
        guard try fileSystem.status(of: directory) != nil else { return [] }
        var numbers: [UInt32] = []
        for entry in try fileSystem.entries(of: directory) where !entry.isDirectory {
            let isNumber = entry.name.utf8.allSatisfy { $0 >= 0x30 && $0 <= 0x39 }
            if isNumber, let number = UInt32(entry.name) { numbers.append(number) }
        }
        return numbers.sorted()
    }

    /// Maps a file to be read from; the files must be taken in order.
    func open(_ number: UInt32) throws(FileError) -> MappedFile {
        let mapping = try map(number)
        current = number
        return mapping.file
    }

    /// A file that was opened.
    func mappedFile(_ number: UInt32) -> MappedFile? { mapped[number]?.file }

    /// Returns when files that were deleted can no more come back.
    func syncDeletions() throws(FileError) {
        guard try fileSystem.status(of: directory) != nil else { return }
        try fileSystem.syncDirectory(directory)
    }

    /// Forgets and deletes files that turned out damaged. The next chunk begins the first of them.
    func drop(_ numbers: [UInt32]) throws(FileError) {
        for number in numbers { mapped[number] = nil }
        current = mapped.keys.max() ?? 0
        guard !isReadOnly else { return }
        for number in numbers.reversed() { try fileSystem.remove(path(number)) }
    }

    /// Cuts a file behind its last sound chunk.
    func cut(_ number: UInt32, to size: Int) throws(FileError) {
        guard !isReadOnly else { return }
        try fileSystem.open(path(number), .readWrite).truncate(to: size)
        _ = try map(number)
    }

    /// Deletes the finished files before a number. Chunks that are being read stay readable.
    func deleteFiles(before number: UInt32) throws(FileError) {
        guard !isReadOnly else { return }
        for old in try numbersOnDisk() where old < number && (old < current || !isGrowing) {
            try fileSystem.remove(path(old))
            mapped[old] = nil
        }
    }
}
