// SPDX-License-Identifier: Apache-2.0
//
// The memory of open chunks. A chunk is a chain of pieces of 64 bytes, a cache line each:
//
//     | 60 bytes of the chunk | number of the piece before, 0 for none |
//
// All pieces are of one size, so the space of a finished chunk fits whatever comes next, nothing is
// copied when a chunk grows, and a chunk wastes half a piece on average. An append touches one
// piece.
//
// The encoder writes at a bit position counted from the chunk's beginning. It is given an address
// that lies as far before the piece as the chunk is long up to there, so that its writes fall into
// the piece; its own bounds check keeps it from going beyond. A sample that does not fit into the
// rest of the piece is encoded into piece 0, which no chunk uses, and split.
//
// Behind the chunk's last bit a piece is zero. So a sample that repeats the one before it, as most
// do, is encoded without touching the piece.

internal import CPlatform
internal import ChunkEncoding
internal import Model
internal import Storage

/// Owned by the head and touched under its lock.
@safe struct ChunkPieces: ~Copyable {
    static let size = 64
    private static let payload = 60
    /// No chunk is longer than this many bytes before it takes another sample (upstream: 1 KiB less
    /// the longest sample).
    static var fullAt: Int { 1024 - XORState.maximumSampleByteCount }

    private var memory: Column<UInt8>
    /// The number of the first piece that was never used.
    private var end: UInt32 = 1
    private var firstFree: UInt32 = 0
    private var freeCount = 0

    init() throws(StorageError) {
        var memory = try Column<UInt8>(capacity: 1 << 34)
        try memory.reserve(Self.size)
        self.memory = memory
    }

    /// Pieces in use.
    var reusableByteCount: Int { freeCount * Self.size }
    var usedCount: Int { Int(end) - 1 - freeCount }

    /// Makes sure that `count` pieces can be taken without asking the system.
    mutating func reserve(_ count: Int) throws(StorageError) {
        guard count > freeCount else { return }
        try memory.reserve((Int(end) + count - freeCount) * Self.size)
    }

    @inline(__always)
    private func address(_ piece: UInt32) -> UnsafeMutableRawPointer {
        unsafe UnsafeMutableRawPointer(memory.pointer(Int(piece) &* Self.size))
    }

    /// The bound: `reserve` was called for it.
    private mutating func take(linkedTo previous: UInt32) -> UInt32 {
        let piece: UInt32
        if firstFree != 0 {
            piece = firstFree
            firstFree = unsafe address(piece).load(fromByteOffset: Self.payload, as: UInt32.self)
            freeCount &-= 1
        } else {
            piece = end
            end &+= 1
            precondition(Int(end) &* Self.size <= memory.count, "pieces were not reserved")
        }
        unsafe address(piece).initializeMemory(as: UInt8.self, repeating: 0, count: Self.size)
        unsafe address(piece).storeBytes(of: previous, toByteOffset: Self.payload, as: UInt32.self)
        return piece
    }

    /// Fetches the memory that the next `append` to the series writes. Pieces lie anywhere, so an
    /// append would wait for its piece; a batch is checked before, and the pieces arrive meanwhile.
    @inline(__always)
    func prefetch(_ piece: UInt32) {
        unsafe narthex_prefetch(address(piece))
    }

    /// Begins an XOR chunk with its first sample.
    mutating func begin(_ series: inout SeriesState, _ timestamp: Timestamp, _ value: Double) {
        series.encoder = XORState()
        series.piece = take(linkedTo: 0)
        let base = unsafe address(series.piece)
        let done = unsafe series.encoder.append(timestamp, value, to: base, capacity: Self.payload)
        precondition(done, "the first sample fits into a piece")
    }

    /// Begins an XOR2 chunk with its first sample and that one's start timestamp, 0 for none.
    mutating func beginXOR2(
        _ series: inout SeriesState, _ timestamp: Timestamp, _ value: Double, start: Timestamp
    ) {
        series.encoder = XORState(.xor2)
        series.piece = take(linkedTo: 0)
        let base = unsafe address(series.piece)
        let done = unsafe series.encoder.appendXOR2(
            timestamp, value, start: start, last: 0, to: base, capacity: Self.payload)
        precondition(done, "the first sample fits into a piece")
    }

    /// Adds a sample to the open chunk; false, with nothing changed, where the encoding cannot take
    /// it.
    @inline(__always)
    mutating func append(
        _ series: inout SeriesState, _ timestamp: Timestamp, _ value: Double
    ) -> Bool {
        let index = (series.encoder.byteCount &- 1) / Self.payload
        let start = index &* Self.payload
        let base = unsafe address(series.piece) - start
        if unsafe series.encoder.append(
            timestamp, value, to: base, capacity: start &+ Self.payload, isZeroed: true)
        {
            return true
        }
        return appendAcross(&series, timestamp, value, pieceEnd: start + Self.payload)
    }

    private mutating func appendAcross(
        _ series: inout SeriesState, _ timestamp: Timestamp, _ value: Double, pieceEnd: Int
    ) -> Bool {
        unsafe appendAcross(&series, pieceEnd: pieceEnd) { encoder, memory, capacity in
            unsafe encoder.append(timestamp, value, to: memory, capacity: capacity)
        }
    }

    /// Adds a sample to the open chunk, which is one of XOR2, as `append` does to others. `starts`
    /// has its start timestamp and that of the sample before; nil for a chunk that says nothing of
    /// them and goes on so.
    mutating func appendXOR2(
        _ series: inout SeriesState, _ timestamp: Timestamp, _ value: Double,
        _ starts: (start: Timestamp, last: Timestamp)?
    ) -> Bool {
        func append(
            _ encoder: inout XORState, _ memory: UnsafeMutableRawPointer, _ capacity: Int
        ) -> Bool {
            guard let starts else {
                return unsafe encoder.appendXOR2(timestamp, value, to: memory, capacity: capacity)
            }
            return unsafe encoder.appendXOR2(
                timestamp, value, start: starts.start, last: starts.last, to: memory,
                capacity: capacity)
        }
        let start = (series.encoder.byteCount &- 1) / Self.payload &* Self.payload
        let base = unsafe address(series.piece) - start
        if unsafe append(&series.encoder, base, start &+ Self.payload) { return true }
        return unsafe appendAcross(&series, pieceEnd: start + Self.payload) {
            encoder, memory, capacity in
            unsafe append(&encoder, memory, capacity)
        }
    }

    @inline(__always)
    private mutating func appendAcross(
        _ series: inout SeriesState, pieceEnd: Int,
        _ append: (inout XORState, UnsafeMutableRawPointer, Int) -> Bool
    ) -> Bool {
        let at = series.encoder.byteCount - 1
        let scratch = unsafe address(0)
        let old = unsafe address(series.piece) - (pieceEnd - Self.payload)
        unsafe scratch.storeBytes(
            of: old.load(fromByteOffset: at, as: UInt8.self), as: UInt8.self)
        guard unsafe append(&series.encoder, scratch - at, at + Self.payload) else { return false }
        let count = series.encoder.byteCount - at
        let kept = min(count, pieceEnd - at)
        unsafe (old + at).copyMemory(from: scratch, byteCount: kept)
        if count > kept {
            series.piece = take(linkedTo: series.piece)
            unsafe address(series.piece).copyMemory(
                from: scratch + kept, byteCount: count - kept)
        }
        return true
    }

    /// Appends the bytes of an open chunk, with its count of samples, to `target`.
    @inline(__always)
    func copy(_ series: SeriesState, to target: inout [UInt8]) {
        let count = series.encoder.byteCount
        target.append(addingCapacity: count) { output in
            unsafe output.withUnsafeMutableBufferPointer { buffer, initialized in
                let base = unsafe UnsafeMutableRawPointer(buffer.baseAddress! + initialized)
                var piece = series.piece
                var at = (count - 1) / Self.payload * Self.payload
                // Bounds: room for `count` bytes; every piece before the last one is full.
                unsafe (base + at).copyMemory(from: address(piece), byteCount: count - at)
                while at > 0 {
                    unsafe piece =
                        address(piece).load(fromByteOffset: Self.payload, as: UInt32.self)
                    at -= Self.payload
                    unsafe (base + at).copyMemory(
                        from: address(piece), byteCount: Self.payload)
                }
                unsafe series.encoder.seal(base)
                initialized += count
            }
        }
    }

    /// Fills pieces with the bytes of an open chunk, which the series' encoder wrote. They come
    /// from a file, so what is behind the last bit is made zero.
    mutating func restore(_ series: inout SeriesState, _ bytes: RawSpan) throws(StorageError) {
        precondition(bytes.byteCount == series.encoder.byteCount, "the bytes are the encoder's")
        try reserve((bytes.byteCount + Self.payload - 1) / Self.payload)
        series.piece = 0
        var at = 0
        while at < bytes.byteCount {
            let length = min(Self.payload, bytes.byteCount - at)
            series.piece = take(linkedTo: series.piece)
            // Bound: a piece has room for `payload` bytes.
            unsafe bytes.extracting(at..<(at + length)).withUnsafeBytes { source in
                unsafe address(series.piece).copyMemory(
                    from: source.baseAddress!, byteCount: length)
            }
            at += length
        }
        let last = (at - 1) % Self.payload
        let unused = UInt8(truncatingIfNeeded: at * 8 - Int(series.encoder.bitCount))
        let kept = unsafe address(series.piece).load(fromByteOffset: last, as: UInt8.self)
        unsafe address(series.piece).storeBytes(
            of: kept & (0xFF << unused), toByteOffset: last, as: UInt8.self)
    }

    /// The timestamp of the open chunk's first sample.
    func firstTimestamp(_ series: SeriesState) -> Timestamp {
        var piece = series.piece
        var before = unsafe address(piece).load(fromByteOffset: Self.payload, as: UInt32.self)
        while before != 0 {
            piece = before
            before = unsafe address(piece).load(fromByteOffset: Self.payload, as: UInt32.self)
        }
        var raw: UInt64 = 0
        var shift: UInt64 = 0
        var at = series.encoder.isXOR2 ? 3 : 2
        while true {
            let byte = unsafe address(piece).load(fromByteOffset: at, as: UInt8.self)
            raw |= UInt64(byte & 0x7F) &<< shift
            if byte < 0x80 { break }
            shift += 7
            at += 1
        }
        return Int64(bitPattern: raw >> 1) ^ -Int64(bitPattern: raw & 1)
    }

    /// Takes the open chunk's memory back. The encoder keeps the last sample.
    mutating func release(_ series: inout SeriesState) {
        var piece = series.piece
        while piece != 0 {
            let before = unsafe address(piece).load(fromByteOffset: Self.payload, as: UInt32.self)
            unsafe address(piece).storeBytes(
                of: firstFree, toByteOffset: Self.payload, as: UInt32.self)
            firstFree = piece
            freeCount += 1
            piece = before
        }
        series.piece = 0
    }
}
