// SPDX-License-Identifier: Apache-2.0

import Bytes
import ChunkEncoding
import Glibc
import Model
import Platform

@testable import TSDB

/// Reads the bytes as a chunk, and encodes them as samples, which must come back bit by bit.
func fuzzXOR(_ bytes: [UInt8]) {
    var timestamps: [Timestamp] = []
    var values: [Double] = []
    let all = TimeRange(start: .min, end: .max)
    if (try? decodeFloats(bytes.span.bytes, .xor, within: all, &timestamps, &values)) == nil {
        precondition(timestamps.isEmpty && values.isEmpty, "an error leaves the columns")
    }
    precondition(timestamps.count == values.count, "columns are of one length")
    let half = timestamps.count / 2
    if half > 0, zip(timestamps, timestamps.dropFirst()).allSatisfy({ $0 <= $1 }) {
        let part = TimeRange(start: timestamps[0], end: timestamps[half])
        var (times, floats): ([Timestamp], [Double]) = ([], [])
        try? decodeFloats(bytes.span.bytes, .xor, within: part, &times, &floats)
        precondition(times == timestamps.filter { $0 <= part.end }, "a part is a part")
    }
    roundTrip(bytes)
}

private func roundTrip(_ bytes: [UInt8]) {
    var reader = ByteReader(bytes.span.bytes)
    var timestamps: [Timestamp] = []
    var values: [Double] = []
    var timestamp: Timestamp = 0
    while let step = try? reader.uvarint(), let bits = try? reader.uint64BE() {
        timestamp &+= Int64(bitPattern: step)
        timestamps.append(timestamp)
        values.append(Double(bitPattern: bits))
    }
    var (times, floats): ([Timestamp], [Double]) = ([], [])
    let all = TimeRange(start: .min, end: .max)
    for chunk in encodeXOR(timestamps, values) {
        let encoded = chunk.bytes
        let outcome: Void? = try? decodeFloats(
            encoded.span.bytes, .xor, within: all, &times, &floats)
        precondition(outcome != nil, "what is encoded can be decoded")
    }
    precondition(times == timestamps, "timestamps come back")
    precondition(floats.map(\.bitPattern) == values.map(\.bitPattern), "values come back")
}

/// Reads the bytes as a segment of the log, and as one record of each kind.
func fuzzWAL(_ bytes: [UInt8]) {
    var reader = WALReader()
    try? reader.forEachRecord(in: bytes.span.bytes, path: "segment", segment: 1) { record, _ in
        readRecord(record)
    }
    readRecord(bytes.span.bytes)
    // A sound segment around the bytes leads to what lies behind the checksums.
    guard let first = bytes.first, bytes.count > 1 else { return }
    let data = Array(bytes.dropFirst())
    var writer = ByteWriter()
    writer.uint8(first & 0x1F)
    writer.append([
        UInt8(truncatingIfNeeded: data.count >> 8), UInt8(truncatingIfNeeded: data.count),
    ])
    writer.uint32BE(crc32c(data.span.bytes))
    writer.append(data)
    let segment = writer.bytes + writer.bytes
    try? reader.forEachRecord(in: segment.span.bytes, path: "segment", segment: 1) { record, _ in
        readRecord(record)
    }
}

private func readRecord(_ record: RawSpan) {
    var samples = WALSamples()
    try? samples.decode(record)
    try? forEachSeries(in: record) { _, packed in
        _ = Labels(packed: packed).description
    }
    readHistograms(record)
}

/// Reads the bytes as each kind of record of histograms, and appends what comes out to a chunk.
private func readHistograms(_ record: RawSpan) {
    for kind in [7, 8, 9, 10, 12, 13] as [UInt8] {
        var writer = ByteWriter()
        writer.uint8(kind)
        if record.byteCount > 0 { writer.append(record.extracting(1..<record.byteCount)) }
        guard let histograms = try? WALHistograms(writer.bytes.span.bytes) else { continue }
        var lane = HistogramLane(isFloat: false)
        var end: Timestamp = 0
        let form = HistogramLane.Form(blockRange: 7_200_000, storesStarts: kind > 10)
        for (index, value) in histograms.values.enumerated() {
            let time = Timestamp(index) * 15_000
            _ = lane.append(time, value, start: time / 2, &end, form)
        }
        guard let chunk = lane.openChunk else { continue }
        var count = 0
        try? forEachSample(in: chunk.bytes.span.bytes, chunk.encoding) { _, _, _ in count += 1 }
        precondition(count == chunk.sampleCount, "what is encoded can be decoded")
    }
}

private let tombstonesFolder = "/dev/shm/narthex-fuzz-stones-\(getpid())"

/// Reads the bytes, under a right header and checksum, as the deletions of a block, which must be
/// the same when they are written and read again.
func fuzzTombstones(_ bytes: [UInt8]) {
    var file = ByteWriter()
    file.uint32BE(Tombstones.magic)
    file.uint8(1)
    file.append(bytes)
    file.uint32BE(crc32c(bytes.span.bytes))
    guard let stones = readTombstones(file.bytes) else { return }
    for ranges in stones.ranges.values {
        let ranges = ranges.ranges
        let isApart = zip(ranges, ranges.dropFirst()).allSatisfy { $0.end < $1.start }
        precondition(isApart, "ranges are in order and apart")
    }
    precondition(readTombstones(stones.encoded()) == stones, "what is written reads back")
}

private func readTombstones(_ bytes: [UInt8]) -> Tombstones? {
    mkdir(tombstonesFolder, 0o700)
    let path = "\(tombstonesFolder)/\(Tombstones.fileName)"
    let descriptor = Glibc.open(path, O_RDWR | O_CREAT | O_TRUNC, 0o600)
    precondition(descriptor >= 0, "a file can be made")
    let written = bytes.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress!, $0.count) }
    Glibc.close(descriptor)
    precondition(written == bytes.count, "a file can be written")
    return try? Tombstones(tombstonesFolder, LocalFileSystem())
}

/// Reads the bytes as what follows the header of a file of head chunks.
func fuzzHeadChunks(_ bytes: [UInt8]) {
    let bytes = bytes.span.bytes
    var at = 0
    var timestamps: [Timestamp] = []
    var values: [Double] = []
    while at < bytes.byteCount, let entry = HeadChunkEntry(bytes, at: at) {
        precondition(entry.end > at && entry.end <= bytes.byteCount, "an entry lies in its file")
        _ = entry.isSound(bytes, at: at)
        try? decodeFloats(
            bytes.extracting(entry.data), .xor, within: entry.range, &timestamps, &values)
        at = entry.end
    }
}

private let indexPath = "/dev/shm/narthex-fuzz-\(getpid())"

/// Opens the bytes as an index, with right checksums put in, and reads everything in it.
func fuzzIndex(_ bytes: [UInt8]) {
    guard bytes.count > 60 else { return }
    var file = bytes
    repairChecksums(&file)
    let descriptor = Glibc.open(indexPath, O_RDWR | O_CREAT | O_TRUNC, 0o600)
    precondition(descriptor >= 0, "a file can be made")
    let written = file.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress!, $0.count) }
    Glibc.close(descriptor)
    guard written == file.count, let mapped = try? MappedFile(indexPath),
        let index = try? IndexReader(mapped)
    else { return }
    readIndex(index)
}

private func readIndex(_ index: IndexReader) {
    var matchers: [Matcher] = []
    for label in index.labelNames {
        let mapped = index.file
        let name = String(decoding: Array(mapped.bytes, label.name), as: UTF8.self)
        _ = index.label(name)
        try? index.forEachValue(of: label) { value, offset in
            let text = String(decoding: Array(value, 0..<value.byteCount), as: UTF8.self)
            _ = try? index.postingsOffset(of: text, in: label)
            if matchers.count < 20 {
                matchers.append(Matcher(name, equals: text))
                if let pattern = try? Matcher(name, .regexNoMatch, "a.*|b") {
                    matchers.append(pattern)
                }
            }
            return true
        }
    }
    for matcher in matchers { _ = try? index.series(matching: [matcher]) }
    let all = (try? index.series(matching: [])) ?? []
    for series in all.prefix(100) {
        _ = try? index.labels(of: series).description
        var chunks: [IndexedChunk] = []
        try? index.appendChunks(
            of: series, overlapping: TimeRange(start: .min, end: .max), to: &chunks)
        try? index.forEachSymbolPair(of: series) { _, _ in true }
    }
}

private func repairChecksums(_ file: inout [UInt8]) {
    let contents = file.count - 52
    func offset(_ number: Int) -> Int {
        file[(contents + number * 8)..<(contents + number * 8 + 8)].reduce(0) {
            Int(truncatingIfNeeded: UInt($0) << 8 | UInt($1))
        }
    }
    seal(&file, contents, 48)
    for section in [offset(0), offset(5)] { sealSection(&file, at: section) }
    let (series, postings) = (offset(1), offset(4))
    guard file[4] != IndexLayout.dense.version else {
        seal(&file, 5, 16)
        return repairDense(&file, series, postings, contents)
    }
    if series >= 0, series < contents {
        for start in stride(from: (series + 15) / 16 * 16, to: min(contents, series + 4096), by: 16)
        {
            var reader = ByteReader(file.span.bytes, at: start)
            guard let length = try? reader.uvarint(), length < 4096 else { continue }
            let payload = reader.offset
            if payload + Int(length) + 4 <= contents, length > 0 {
                seal(&file, payload, Int(length))
            }
        }
    }
    if postings >= 0, postings < contents {
        for start in stride(from: postings / 4 * 4, to: min(contents, postings + 1024), by: 4) {
            sealSection(&file, at: start)
        }
    }
}

/// Series and postings of a dense block's index, one behind the other.
private func repairDense(_ file: inout [UInt8], _ series: Int, _ postings: Int, _ contents: Int) {
    guard series < contents, postings < contents else { return }
    var start = series
    while start >= 0, start < min(contents, series + 4096) {
        start = (start + 3) / 4 * 4
        var reader = ByteReader(file.span.bytes, at: start)
        guard let length = try? reader.uvarint(), length < 4096, length > 0,
            reader.offset + Int(length) + 4 <= contents
        else { break }
        let payload = reader.offset
        seal(&file, payload, Int(length))
        start = payload + Int(length) + 4
    }
    start = postings
    while start >= 0, start < min(contents, postings + 1024) - 8 {
        let length = file[start..<(start + 4)].reduce(0) { $0 << 8 | Int($1) }
        sealSection(&file, at: start)
        start += length + 8
    }
}

/// A section has its length in 32 bits before it.
private func sealSection(_ file: inout [UInt8], at start: Int) {
    guard start >= 0, start < file.count - 8 else { return }
    let length = file[start..<(start + 4)].reduce(0) { $0 << 8 | Int($1) }
    if length > 0, start + 4 + length + 4 <= file.count { seal(&file, start + 4, length) }
}

private func seal(_ file: inout [UInt8], _ start: Int, _ length: Int) {
    let checksum = crc32c(file.span.bytes.extracting(start..<(start + length)))
    for byte in 0..<4 {
        file[start + length + byte] = UInt8(truncatingIfNeeded: checksum >> (24 - 8 * UInt32(byte)))
    }
}

extension Array where Element == UInt8 {
    fileprivate init(_ bytes: borrowing RawSpan, _ range: Range<Int>) {
        self = []
        for index in range { append(bytes[index]) }
    }
}
