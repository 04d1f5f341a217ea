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
    /// Shorter records of samples are packed in the general way.
    private static let shortestTable = 400
    /// A larger buffer is not kept.
    private static let largestKept = 1 << 20
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
            if buffer.count > Self.largestKept { buffer = [] }
            length =
                isTable(record)
                ? Snappy.encode(record, rowsFrom: SamplesRecord.headerSize, into: &buffer)
                : Snappy.encode(record, into: &buffer)
        // Higher levels take longer and pack records no better.
        case .zstd:
            buffer = Zstandard.encode(record, level: 1)
            length = buffer.count
        }
        return length < record.byteCount ? compression : .none
    }

    /// Whether a record has samples, the second of another series than the first. Where those of
    /// one series stand together, their times come again with each series, which the rows do not
    /// see: 8.3 bytes a sample, and 6.0 in the general way.
    private func isTable(_ record: RawSpan) -> Bool {
        // The first sample has a byte for its ref, one for its time, and eight for its value.
        record.byteCount >= Self.shortestTable
            && record[0] == WALRecordKind.samples.rawValue
            && record[SamplesRecord.headerSize + 10] != 0
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
