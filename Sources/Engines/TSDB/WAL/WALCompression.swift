// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import Compression

/// How the records of a log are compressed. The raw values are bits of a fragment's first byte.
package enum WALCompression: UInt8, Sendable, CaseIterable {
    case none = 0
    case snappy = 0x08
    case zstd = 0x10

    /// As a fragment's first byte says.
    init(firstByte: UInt8) {
        self = firstByte & 0x08 != 0 ? .snappy : firstByte & 0x10 != 0 ? .zstd : .none
    }
}

/// Packs and unpacks records, in a buffer that is kept.
struct WALCompressor {
    private var buffer: [UInt8] = []
    private var length = 0
    /// Where the samples of the record at hand end.
    private var rowEnds: [UInt32] = []
    /// Fewer samples are packed in the general way.
    private static let fewestRows = 32
    /// Longer records are taken for damage.
    private static let limit = 1 << 30

    init() {}

    /// What the last call made.
    var output: RawSpan {
        @_lifetime(borrow self)
        get { buffer.raw.extracting(0..<length) }
    }

    /// Packs a record into `output` and tells how; `none`, with nothing put out, where packing does
    /// not make it smaller.
    mutating func pack(_ record: RawSpan, _ compression: WALCompression) -> WALCompression {
        switch compression {
        case .none: return .none
        case .snappy:
            buffer.removeAll(keepingCapacity: buffer.capacity <= 1 << 20)
            findRows(record)
            if rowEnds.count >= Self.fewestRows {
                Snappy.encode(record, rowsEndingAt: rowEnds, into: &buffer)
            } else {
                Snappy.encode(record, into: &buffer)
            }
        // Higher levels take longer and pack records no better.
        case .zstd: buffer = Zstandard.encode(record, level: 1)
        }
        length = buffer.count
        return length < record.byteCount ? compression : .none
    }

    /// Of a record of samples, each of which ends with its value, fills `rowEnds`.
    private mutating func findRows(_ record: RawSpan) {
        rowEnds.removeAll(keepingCapacity: rowEnds.capacity <= 1 << 16)
        guard record.byteCount > SamplesRecord.headerSize,
            record[0] == WALRecordKind.samples.rawValue, record.byteCount <= Self.limit
        else { return }
        rowEnds.reserveCapacity(record.byteCount / 10)
        var at = SamplesRecord.headerSize
        let size = record.byteCount
        while at < size {
            // The ref and the time, of which the last bytes are below 0x80.
            for _ in 0..<2 {
                while at < size, record[at] >= 0x80 { at += 1 }
                at += 1
            }
            at += 8
            rowEnds.append(UInt32(at))
        }
        if at != size { rowEnds.removeAll() }
    }

    /// Unpacks a record into `output`; false where that is impossible.
    mutating func unpack(_ record: RawSpan, _ compression: WALCompression) -> Bool {
        do {
            switch compression {
            case .none: return false
            case .snappy:
                length = try Snappy.decode(record, into: &buffer, limit: Self.limit)
            case .zstd:
                length = try Zstandard.decode(record, into: &buffer, limit: Self.limit)
            }
            return true
        } catch {
            length = 0
            return false
        }
    }
}
