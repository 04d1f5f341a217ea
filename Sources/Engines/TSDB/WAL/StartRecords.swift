// SPDX-License-Identifier: Apache-2.0
//
// Records with start timestamps: of floats (11), of integer histograms (12) and of float ones (13),
// those with custom buckets among them. What stands in front of the value or histogram:
//
//     first     varint ref | varint time | varint start
//     others    varint ref, less that of the sample before | varint time, less the first's |
//               marker: 0 no start, 1 that of the sample before, 2 a varint, less the first's

internal import Bytes
internal import Model

/// Writes what stands in front of the samples of such a record.
struct StartRecordWriter {
    private var first: (timestamp: Timestamp, start: Timestamp)?
    private var lastRef: UInt64 = 0
    private var lastStart: Timestamp = 0

    mutating func write(
        _ ref: UInt64, _ timestamp: Timestamp, _ start: Timestamp, to writer: inout ByteWriter
    ) {
        writer.varint(Int64(bitPattern: ref &- lastRef))
        if let first {
            writer.varint(timestamp &- first.timestamp)
            if start == 0 {
                writer.uint8(0)
            } else if start == lastStart {
                writer.uint8(1)
            } else {
                writer.uint8(2)
                writer.varint(start &- first.start)
            }
        } else {
            first = (timestamp, start)
            writer.varint(timestamp)
            writer.varint(start)
        }
        (lastRef, lastStart) = (ref, start)
    }
}

/// Reads it.
struct StartRecordReader {
    private var first: (timestamp: Timestamp, start: Timestamp)?
    private var ref: UInt64 = 0
    private var start: Timestamp = 0

    @_lifetime(reader: copy reader)
    mutating func next(
        _ reader: inout ByteReader
    ) throws(ByteError) -> (ref: UInt64, timestamp: Timestamp, start: Timestamp) {
        ref &+= UInt64(bitPattern: try reader.varint())
        var timestamp = try reader.varint()
        if let first {
            timestamp &+= first.timestamp
            switch try reader.uint8() {
            case 0: start = 0
            case 1: break
            default: start = first.start &+ (try reader.varint())
            }
        } else {
            start = try reader.varint()
            first = (timestamp, start)
        }
        return (ref, timestamp, start)
    }
}

/// Builds the record of the floats of a commit: of kind 2, or of kind 11 where start timestamps are
/// logged.
struct FloatRecord {
    let storesStarts: Bool
    /// The one of kind 2.
    var plain = SamplesRecord()
    private var writer = ByteWriter()
    private var keys = StartRecordWriter()

    init(storesStarts: Bool) { self.storesStarts = storesStarts }

    var isEmpty: Bool { storesStarts ? writer.count == 0 : plain.isEmpty }

    var bytes: RawSpan {
        @_lifetime(borrow self)
        get { storesStarts ? writer.bytes.raw : plain.bytes }
    }

    mutating func removeAll() {
        plain.removeAll()
        guard storesStarts else { return }
        writer.removeAll()
        keys = StartRecordWriter()
    }

    @inline(__always)
    mutating func append(
        _ ref: UInt64, _ timestamp: Timestamp, _ valueBits: UInt64, start: Timestamp
    ) {
        if storesStarts {
            appendWithStart(ref, timestamp, valueBits, start)
        } else {
            plain.append(ref, timestamp, valueBits)
        }
    }

    private mutating func appendWithStart(
        _ ref: UInt64, _ timestamp: Timestamp, _ valueBits: UInt64, _ start: Timestamp
    ) {
        if writer.count == 0 { writer.uint8(WALRecordKind.samplesWithStart.rawValue) }
        keys.write(ref, timestamp, start, to: &writer)
        writer.uint64BE(valueBits)
    }
}
