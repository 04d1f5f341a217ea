// SPDX-License-Identifier: Apache-2.0
//
// The records of the log: their kinds, and those of series and floats (tsdb/record). Those of
// histograms: HistogramRecords.swift; those with start timestamps: StartRecords.swift.
//
//     series    1 | per series: ref BE64, uvarint label count, per label: name, value (uvarint
//     length)
//     samples   2 | ref BE64, time BE64 of the first | per sample: varint ref and varint time, both
//                   less the first's, value BE64

internal import Bytes
internal import Model

/// The first byte of a record.
enum WALRecordKind: UInt8 {
    case series = 1
    case samples = 2
    case tombstones = 3
    case exemplars = 4
    case mappedChunkMarkers = 5
    case metadata = 6
    case histograms = 7
    case floatHistograms = 8
    case customHistograms = 9
    case customFloatHistograms = 10
    case samplesWithStart = 11
    case histogramsWithStart = 12
    case floatHistogramsWithStart = 13
}

/// Kinds of records, by their first bytes.
struct WALRecordKinds: Equatable, Sendable {
    private var bits: UInt64 = 0

    init(_ kinds: [WALRecordKind] = []) { for kind in kinds { insert(kind.rawValue) } }

    mutating func insert(_ firstByte: UInt8) { bits |= 1 << UInt64(min(firstByte, 63)) }
    mutating func formUnion(_ other: WALRecordKinds) { bits |= other.bits }
    func isSubset(of other: WALRecordKinds) -> Bool { bits & ~other.bits == 0 }
    func overlaps(_ other: WALRecordKinds) -> Bool { bits & other.bits != 0 }
}

/// Builds a series record.
struct SeriesRecord {
    private(set) var writer = ByteWriter()

    var byteCount: Int { writer.count }
    var isEmpty: Bool { writer.count == 0 }

    /// Gives the memory back too: series are seldom created again as fast as at the first time.
    mutating func removeAll() { writer = ByteWriter() }

    /// The labels in packed form.
    mutating func append(_ ref: UInt64, _ labels: RawSpan) {
        if isEmpty { writer.uint8(WALRecordKind.series.rawValue) }
        writer.uint64BE(ref)
        var count = 0
        var at = 0
        while at < labels.byteCount {
            _ = Labels.field(labels, &at)
            count += 1
        }
        writer.uvarint(UInt64(count / 2))
        at = 0
        while at < labels.byteCount {
            let field = Labels.field(labels, &at)
            writer.uvarint(UInt64(field.count))
            writer.append(labels.extracting(field))
        }
    }
}

/// Builds a samples record. Written for speed: the head encodes each sample that it takes.
struct SamplesRecord {
    /// Longer than the record; `count` bytes are used.
    private var buffer = [UInt8](repeating: 0, count: 4096)
    private var count = 0
    private var firstRef: UInt64 = 0
    private var firstTimestamp: Timestamp = 0
    /// The first sample takes the most: kind, two base fields, two integers of ten bytes, a value.
    private static let maximumSampleSize = 48
    /// In front of the first sample: the kind, two base fields.
    static let headerSize = 17
    /// Two integers of ten bytes, a value.
    private static let maximumLaterSampleSize = 28

    init() {}

    var isEmpty: Bool { count == 0 }

    var bytes: RawSpan {
        @_lifetime(borrow self)
        get { buffer.raw.extracting(0..<count) }
    }

    mutating func removeAll() { count = 0 }

    @inline(__always)
    mutating func append(_ ref: UInt64, _ timestamp: Timestamp, _ valueBits: UInt64) {
        if buffer.count &- count < Self.maximumSampleSize {
            buffer.append(contentsOf: repeatElement(0, count: buffer.count))
        }
        var at = count
        if at == 0 {
            firstRef = ref
            firstTimestamp = timestamp
        }
        let refDelta = Int64(bitPattern: ref &- firstRef)
        let timeDelta = timestamp &- firstTimestamp
        // Bound: `maximumSampleSize` bytes are left, more than is written below.
        unsafe buffer.withUnsafeMutableBytes { buffer in
            let base = buffer.baseAddress!
            if at == 0 {
                unsafe base.storeBytes(of: WALRecordKind.samples.rawValue, as: UInt8.self)
                unsafe base.storeBytes(of: ref.bigEndian, toByteOffset: 1, as: UInt64.self)
                unsafe base.storeBytes(of: timestamp.bigEndian, toByteOffset: 9, as: Int64.self)
                at = Self.headerSize
            }
            unsafe at = storeVarint(refDelta, base, at)
            unsafe at = storeVarint(timeDelta, base, at)
            unsafe base.storeBytes(of: valueBits.bigEndian, toByteOffset: at, as: UInt64.self)
        }
        count = at &+ 8
    }

    /// Appends the samples that `next` gives for 0, 1, …, `limit` - 1, up to the first for which it
    /// gives none. Returns how many.
    @inline(__always)
    mutating func append(
        upTo limit: Int, _ next: (Int) -> (ref: UInt64, timestamp: Timestamp, valueBits: UInt64)?
    ) -> Int {
        guard limit > 0, let first = next(0) else { return 0 }
        append(first.ref, first.timestamp, first.valueBits)
        let (firstRef, firstTimestamp) = (firstRef, firstTimestamp)
        var number = 1
        var isAtEnd = false
        while number < limit, !isAtEnd {
            let end = min(limit, number + 1024)
            let room = count + (end - number) * Self.maximumLaterSampleSize
            if buffer.count < room {
                let more = max(room, 2 * buffer.count) - buffer.count
                buffer.append(contentsOf: repeatElement(0, count: more))
            }
            var at = count
            // Bound: there is room for all samples before `end`.
            unsafe buffer.withUnsafeMutableBytes { buffer in
                let base = buffer.baseAddress!
                while number < end {
                    guard let sample = next(number) else {
                        isAtEnd = true
                        break
                    }
                    unsafe at = storeVarint(Int64(bitPattern: sample.ref &- firstRef), base, at)
                    unsafe at = storeVarint(sample.timestamp &- firstTimestamp, base, at)
                    unsafe base.storeBytes(
                        of: sample.valueBits.bigEndian, toByteOffset: at, as: UInt64.self)
                    at &+= 8
                    number &+= 1
                }
            }
            count = at
        }
        return number
    }
}

/// Writes a zig-zag integer of up to ten bytes and returns where it ends.
@inline(__always)
private func storeVarint(_ value: Int64, _ base: UnsafeMutableRawPointer, _ start: Int) -> Int {
    var rest = UInt64(bitPattern: (value &<< 1) ^ (value &>> 63))
    var at = start
    while rest >= 0x80 {
        unsafe base.storeBytes(
            of: UInt8(truncatingIfNeeded: rest) | 0x80, toByteOffset: at, as: UInt8.self)
        rest &>>= 7
        at &+= 1
    }
    unsafe base.storeBytes(
        of: UInt8(truncatingIfNeeded: rest), toByteOffset: at, as: UInt8.self)
    return at &+ 1
}

/// Reads a zig-zag integer; nil where it is longer than ten bytes. Bound: ten bytes can be read.
@inline(__always)
private func loadVarint(_ base: UnsafeRawPointer, _ at: inout Int) -> Int64? {
    var raw = unsafe UInt64(base.load(fromByteOffset: at, as: UInt8.self))
    at &+= 1
    if raw >= 0x80 {
        raw &= 0x7F
        var shift: UInt64 = 7
        while true {
            let byte = unsafe UInt64(base.load(fromByteOffset: at, as: UInt8.self))
            at &+= 1
            raw |= (byte & 0x7F) &<< shift
            if byte < 0x80 {
                if shift == 63, byte > 1 { return nil }
                break
            }
            shift &+= 7
            if shift > 63 { return nil }
        }
    }
    return Int64(bitPattern: raw &>> 1) ^ -Int64(bitPattern: raw & 1)
}

/// Samples as columns, decoded from one record.
struct WALSamples {
    var refs: [UInt64] = []
    var timestamps: [Timestamp] = []
    var values: [UInt64] = []
    /// Parallel to the others, or empty where the record has none; 0 means none.
    var starts: [Timestamp] = []

    mutating func removeAll() {
        refs.removeAll(keepingCapacity: true)
        timestamps.removeAll(keepingCapacity: true)
        values.removeAll(keepingCapacity: true)
        starts.removeAll(keepingCapacity: true)
    }

    /// That of a sample; 0 for none.
    func start(_ index: Int) -> Timestamp { starts.isEmpty ? 0 : starts[index] }

    /// Takes the samples of a record of kind `samples` or `samplesWithStart`; there are no others.
    mutating func decode(_ record: RawSpan) throws(ByteError) {
        var reader = ByteReader(record)
        let kind = try reader.uint8()
        if reader.isAtEnd { return }
        if kind == WALRecordKind.samplesWithStart.rawValue { return try decodeWithStart(&reader) }
        let firstRef = try reader.uint64BE()
        let firstTimestamp = Int64(bitPattern: try reader.uint64BE())
        let room = reader.remaining / 10
        refs.reserveCapacity(refs.count + room)
        timestamps.reserveCapacity(timestamps.count + room)
        values.reserveCapacity(values.count + room)
        let start = decodeFast(record, at: reader.offset, firstRef, firstTimestamp)
        try reader.skip(start - reader.offset)
        while !reader.isAtEnd {
            refs.append(firstRef &+ UInt64(bitPattern: try reader.varint()))
            timestamps.append(firstTimestamp &+ (try reader.varint()))
            values.append(try reader.uint64BE())
        }
    }

    /// Decodes samples for as long as the longest one, of 28 bytes, is sure to lie within the
    /// record, and returns where it stopped: in front of an integer that is too long, or near the
    /// end.
    private mutating func decodeFast(
        _ record: RawSpan, at start: Int, _ firstRef: UInt64, _ firstTimestamp: Timestamp
    ) -> Int {
        var at = start
        let end = record.byteCount - 28
        unsafe record.withUnsafeBytes { bytes in
            guard let base = bytes.baseAddress else { return }
            while at <= end {
                var next = at
                guard let ref = unsafe loadVarint(base, &next),
                    let time = unsafe loadVarint(base, &next)
                else { return }
                refs.append(firstRef &+ UInt64(bitPattern: ref))
                timestamps.append(firstTimestamp &+ time)
                unsafe values.append(
                    UInt64(bigEndian: base.loadUnaligned(fromByteOffset: next, as: UInt64.self)))
                at = next &+ 8
            }
        }
        return at
    }

    /// StartRecords.swift draws it.
    private mutating func decodeWithStart(_ reader: inout ByteReader) throws(ByteError) {
        var keys = StartRecordReader()
        while !reader.isAtEnd {
            let key = try keys.next(&reader)
            refs.append(key.ref)
            timestamps.append(key.timestamp)
            starts.append(key.start)
            values.append(try reader.uint64BE())
        }
    }
}

/// Decodes the series of a record one by one. The packed labels are lent for the call.
func forEachSeries(
    in record: RawSpan, _ body: (_ ref: UInt64, _ labels: [UInt8]) -> Void
) throws(ByteError) {
    var reader = ByteReader(record)
    _ = try reader.uint8()
    var packed: [UInt8] = []
    while !reader.isAtEnd {
        let ref = try reader.uint64BE()
        let count = try reader.uvarint()
        packed.removeAll(keepingCapacity: true)
        var isOrdered = true
        var previous = 0..<0
        var index: UInt64 = 0
        while index < count {
            let name = try reader.lengthPrefixed()
            let value = try reader.lengthPrefixed()
            guard name.byteCount < 1 << 24, value.byteCount < 1 << 24 else {
                throw .truncated(offset: reader.offset)
            }
            let start = packed.count
            Labels.appendField(name, to: &packed)
            let range = (packed.count - name.byteCount)..<packed.count
            if index > 0 {
                let before = packed.raw.extracting(previous)
                if compareBytes(before, packed.raw.extracting(range)) >= 0 { isOrdered = false }
            }
            if value.byteCount == 0 {
                packed.removeLast(packed.count - start)
            } else {
                Labels.appendField(value, to: &packed)
                previous = range
            }
            index += 1
        }
        body(ref, isOrdered ? packed : Labels(Array(Labels(packed: packed))).packed)
    }
}
