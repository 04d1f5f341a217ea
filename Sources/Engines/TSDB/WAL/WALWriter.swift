// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import Platform

/// Appends records to the newest segment of a log. What was added before `write` returned survives
/// a kill of the process; a power cut only after it was settled and the files from `takeUnsynced`
/// were synced.
///
/// Used by one thread at a time (the head calls it under its lock).
final class WALWriter {
    let directory: String
    private let fileSystem: any FileSystem
    private let compression: WALCompression
    private let segmentSize: Int
    private var compressor = WALCompressor()

    private(set) var segment: Int
    private var file: any OpenFile
    /// Where the next fragment goes.
    private var offset = 0
    /// Whether bytes of a write that failed may stand behind `offset`.
    private var isTorn = false
    /// The fragments of the write that is being prepared.
    private var frames: [UInt8] = []
    /// Segments of earlier runs that may not be on the device as they were read; see `settle`.
    private(set) var earlier: [any OpenFile] = []
    /// Full segments that are not on the device yet.
    private var unsyncedSegments: [any OpenFile] = []
    /// Whether `takeUnsynced` has something.
    private(set) var isDirty = false
    /// Whether a segment was begun whose name may not be on the device.
    private var hasNewSegment = false
    /// All bytes that were written since this object exists.
    private(set) var writtenByteCount = 0
    /// The kinds of all records that were added.
    private(set) var kinds = WALRecordKinds()

    /// Where the next write goes; between writes.
    var position: WALPosition { WALPosition(segment: segment, offset: offset) }

    /// What may not be on the device yet.
    struct Unsynced: Sendable {
        fileprivate(set) var files: [any OpenFile] = []
        /// The directory of the segments, where one was begun.
        fileprivate(set) var directory: String?

        /// Returns when all of it is on the device.
        func sync(_ fileSystem: any FileSystem) throws(FileError) {
            if let directory { try fileSystem.syncDirectory(directory) }
            for file in files { try file.sync() }
        }
    }

    /// Begins a new segment, as upstream does at each start. The `earlier` segments were written by
    /// a process that may not have lived to sync them; what a power cut took out of them would take
    /// everything behind it along. They are to be settled.
    init(
        _ directory: String, segment: Int, earlier: [String] = [], compression: WALCompression,
        segmentSize: Int = WALFormat.segmentSize, _ fileSystem: any FileSystem
    ) throws(FileError) {
        precondition(segmentSize % WALFormat.pageSize == 0, "segments consist of whole pages")
        self.directory = directory
        self.fileSystem = fileSystem
        self.compression = compression
        self.segmentSize = segmentSize
        self.segment = segment
        try fileSystem.createSyncedDirectory(directory)
        for path in earlier { self.earlier.append(try fileSystem.open(path, .read)) }
        isDirty = !earlier.isEmpty
        file = try fileSystem.open(Self.path(directory, segment), .replace)
        try fileSystem.syncDirectory(directory)
    }

    private static func path(_ directory: String, _ segment: Int) -> String {
        "\(directory)/\(WALFormat.name(ofSegment: segment))"
    }

    /// Puts a record behind those that wait for `write`.
    func add(_ record: RawSpan) throws(FileError) {
        if record.byteCount > 0 { kinds.insert(record[0]) }
        var compressor = WALCompressor()
        swap(&compressor, &self.compressor)
        defer { swap(&compressor, &self.compressor) }
        let used = compressor.pack(record, compression)
        let length = used == .none ? record.byteCount : compressor.output.byteCount
        if length > segmentRest { try beginSegment() }
        if used == .none {
            addFragments(record, used)
        } else {
            addFragments(compressor.output, used)
        }
    }

    /// Writes the records that wait, with one write. On an error they count as not written, and the
    /// next call writes over whatever of them reached the file.
    func write() throws(FileError) {
        do {
            try writeFrames()
        } catch {
            discard()
            throw error
        }
    }

    /// Forgets the records that wait.
    func discard() {
        frames.removeAll(keepingCapacity: true)
        isTorn = true
        // Where it fails here it is tried again before anything else is done.
        try? mend()
    }

    /// Cuts a torn record off. It must not stay behind a shorter successor, nor in front of the
    /// next segment, which counts as damaged with it.
    private func mend() throws(FileError) {
        guard isTorn else { return }
        try file.truncate(to: offset)
        isTorn = false
    }

    /// Closes the current segment and begins the next one.
    func beginSegment() throws(FileError) {
        padPage()
        try writeFrames()
        let next = try fileSystem.open(Self.path(directory, segment + 1), .replace)
        unsyncedSegments.append(file)
        file = next
        segment += 1
        offset = 0
        isDirty = true
        hasNewSegment = true
    }

    /// Returns when the segments of earlier runs are on the device as they were read.
    ///
    /// Until then a power cut may bring back what they had before, with all that this run logged
    /// lost: records of series that a full disk refused, and whose refs were given away again. So
    /// no ref of this run is written into another file before.
    func settle() throws(FileError) {
        for file in earlier { try file.sync() }
        noteSettled()
    }

    /// Called where `earlier` was synced without the lock.
    func noteSettled() {
        earlier.removeAll()
    }

    /// Returns when all that was written is on the device. Earlier segments come first: a damaged
    /// one would take those behind it along.
    func sync() throws(FileError) {
        try settle()
        try takeUnsynced().sync(fileSystem)
    }

    /// What else may not be on the device: to be synced without the lock.
    func takeUnsynced() -> Unsynced {
        guard isDirty else { return Unsynced() }
        defer {
            isDirty = false
            hasNewSegment = false
            unsyncedSegments.removeAll()
        }
        return Unsynced(
            files: unsyncedSegments + [file], directory: hasNewSegment ? directory : nil)
    }

    /// Called where syncing failed, so that it is tried again.
    func keepUnsynced(_ unsynced: Unsynced) {
        unsyncedSegments = unsynced.files.filter { $0 !== file } + unsyncedSegments
        hasNewSegment = hasNewSegment || unsynced.directory != nil
        isDirty = true
    }

    /// Pads the last page and syncs everything.
    func close() throws(FileError) {
        padPage()
        try writeFrames()
        try sync()
        try fileSystem.syncDirectory(directory)
    }

    // MARK: Framing

    private var pageRest: Int {
        WALFormat.pageSize - (offset + frames.count) % WALFormat.pageSize
    }

    private func padPage() {
        let rest = pageRest
        if rest < WALFormat.pageSize { frames.append(contentsOf: repeatElement(0, count: rest)) }
    }

    private func writeFrames() throws(FileError) {
        try mend()
        guard !frames.isEmpty else { return }
        var bytes: [UInt8] = []
        swap(&bytes, &frames)
        defer { swap(&bytes, &frames) }
        try file.write(bytes.raw, at: offset)
        offset += bytes.count
        writtenByteCount += bytes.count
        // A rare large write must not hold its memory for ever.
        bytes.removeAll(keepingCapacity: bytes.capacity <= 1 << 20)
        isDirty = true
    }

    /// How long a record may be to fit into the rest of the segment.
    private var segmentRest: Int {
        let pagesBehind =
            segmentSize / WALFormat.pageSize
            - (offset + frames.count) / WALFormat.pageSize - 1
        return pageRest - WALFormat.headerSize
            + (WALFormat.pageSize - WALFormat.headerSize) * pagesBehind
    }

    /// Cuts the data at the ends of pages. Data of no bytes is one fragment too.
    private func addFragments(_ data: RawSpan, _ compression: WALCompression) {
        var at = 0
        var isFirst = true
        repeat {
            let length = min(data.byteCount - at, pageRest - WALFormat.headerSize)
            let isLast = at + length == data.byteCount
            let kind: WALFragment = isFirst ? (isLast ? .full : .first) : (isLast ? .last : .middle)
            let part = data.extracting(at..<(at + length))
            appendHeader(kind.rawValue | compression.rawValue, length, crc32c(part))
            unsafe part.withUnsafeBytes { unsafe frames.append(contentsOf: $0) }
            at += length
            isFirst = false
            // A page whose rest cannot hold a header is full.
            if pageRest < WALFormat.headerSize { padPage() }
        } while at < data.byteCount
    }

    private func appendHeader(_ first: UInt8, _ length: Int, _ checksum: UInt32) {
        frames.append(first)
        frames.append(UInt8(truncatingIfNeeded: length >> 8))
        frames.append(UInt8(truncatingIfNeeded: length))
        for shift in [24, 16, 8, 0] as [UInt32] {
            frames.append(UInt8(truncatingIfNeeded: checksum >> shift))
        }
    }
}
