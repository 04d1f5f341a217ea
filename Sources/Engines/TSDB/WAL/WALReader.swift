// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import Platform

/// Puts the records of a segment together again. The buffers are kept between segments.
///
/// A segment that ends in the middle of a record is damaged, as one with a wrong checksum is: the
/// error tells where the record begins, and everything before it has been handed out.
struct WALReader {
    private var assembled: [UInt8] = []
    private var compressor = WALCompressor()

    init() {}

    /// Calls `body` with each record from `offset` on, where one begins, and the offset at which it
    /// begins. The bytes are lent for the call. `path` and `segment` go into errors.
    mutating func forEachRecord(
        in bytes: RawSpan, from offset: Int = 0, path: String, segment: Int,
        _ body: (RawSpan, Int) throws(WALCorruption) -> Void
    ) throws(WALCorruption) {
        var at = offset
        var start = offset
        var isInside = false
        func corruption(_ reason: String) -> WALCorruption {
            WALCorruption(path: path, segment: segment, offset: start, reason: reason)
        }
        while at < bytes.byteCount {
            if !isInside { start = at }
            let first = bytes[at]
            guard let kind = WALFragment(rawValue: first & 7) else {
                throw corruption("unexpected record type \(first & 7)")
            }
            if kind == .padding {
                let end = min(bytes.byteCount, (at / WALFormat.pageSize + 1) * WALFormat.pageSize)
                guard bytes.isZero(at..<end) else {
                    throw corruption("unexpected non-zero byte in padded page")
                }
                at = end
                continue
            }
            let dataStart = at + WALFormat.headerSize
            guard dataStart <= bytes.byteCount else { throw corruption("last record is torn") }
            let length = Int(bytes[at + 1]) << 8 | Int(bytes[at + 2])
            guard length <= WALFormat.pageSize - WALFormat.headerSize else {
                throw corruption("invalid record size \(length)")
            }
            guard dataStart + length <= bytes.byteCount else {
                throw corruption("last record is torn")
            }
            let expected = (3..<7).reduce(UInt32(0)) { $0 << 8 | UInt32(bytes[at + $1]) }
            let data = bytes.extracting(dataStart..<(dataStart + length))
            let found = crc32c(data)
            guard found == expected else {
                throw corruption(
                    "unexpected checksum \(String(found, radix: 16)), "
                        + "expected \(String(expected, radix: 16))")
            }
            let isBeginning = kind == .full || kind == .first
            guard isBeginning != isInside else { throw corruption("unexpected \(kind) record") }
            at = dataStart + length
            if kind == .full {
                try deliver(data, first, start, corruption, body)
                continue
            }
            if kind == .first { assembled.removeAll(keepingCapacity: true) }
            unsafe data.withUnsafeBytes { unsafe assembled.append(contentsOf: $0) }
            isInside = !kind.endsRecord
            if kind.endsRecord {
                let whole = assembled
                assembled = []
                try deliver(whole.raw, first, start, corruption, body)
                assembled = whole
            }
        }
        if isInside { throw corruption("last record is torn") }
    }

    private mutating func deliver(
        _ data: RawSpan, _ first: UInt8, _ start: Int, _ corruption: (String) -> WALCorruption,
        _ body: (RawSpan, Int) throws(WALCorruption) -> Void
    ) throws(WALCorruption) {
        let compression = WALCompression(firstByte: first)
        if compression == .none { return try body(data, start) }
        guard compressor.unpack(data, compression) else {
            throw corruption("a record cannot be decompressed (\(compression))")
        }
        try body(compressor.output, start)
    }
}

extension RawSpan {
    /// Whether all bytes of the range are zero.
    func isZero(_ range: Range<Int>) -> Bool {
        var index = range.lowerBound
        while index < range.upperBound {
            if self[index] != 0 { return false }
            index += 1
        }
        return true
    }
}
