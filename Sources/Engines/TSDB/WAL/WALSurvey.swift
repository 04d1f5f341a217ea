// SPDX-License-Identifier: Apache-2.0

internal import Bytes

/// Looks through a segment for records of kinds that are not stored yet, without unpacking the
/// others.
enum WALSurvey {
    /// The first foreign kind from `offset` on, where a record begins; nil where there is none up
    /// to the end or to damage.
    static func foreignKind(
        in bytes: RawSpan, from offset: Int = 0, _ reader: inout WALReader
    ) -> WALRecordKind? {
        var at = offset
        while at + WALFormat.headerSize <= bytes.byteCount {
            let first = bytes[at]
            guard let fragment = WALFragment(rawValue: first & 7) else { return nil }
            if fragment == .padding {
                at = (at / WALFormat.pageSize + 1) * WALFormat.pageSize
                continue
            }
            let start = at + WALFormat.headerSize
            let length = Int(bytes[at + 1]) << 8 | Int(bytes[at + 2])
            guard start + length <= bytes.byteCount else { return nil }
            if fragment == .full || fragment == .first, length > 0 {
                let data = bytes.extracting(start..<(start + length))
                let isSuspect = firstByte(data, WALCompression(firstByte: first)).map {
                    WALRecordKind(rawValue: $0)?.isForeign ?? false
                }
                // Believed only where the whole segment up to there is sound.
                if isSuspect != false, let kind = confirmed(bytes, offset..<at, &reader) {
                    return kind
                }
            }
            at = start + length
        }
        return nil
    }

    /// The first byte of a record; nil where only unpacking tells.
    private static func firstByte(_ data: RawSpan, _ compression: WALCompression) -> UInt8? {
        switch compression {
        case .none: return data[0]
        case .zstd: return nil
        case .snappy:
            // The length of the plain bytes, then a run of literals: its tag, and its length where
            // that does not fit into the tag.
            var at = 0
            while at < data.byteCount, data[at] >= 0x80 { at += 1 }
            at += 1
            guard at < data.byteCount, data[at] & 3 == 0 else { return nil }
            let length = Int(data[at] >> 2)
            at += length < 60 ? 1 : length - 58
            return at < data.byteCount ? data[at] : nil
        }
    }

    /// Reads the range properly and returns the kind of a record up to its end if it is foreign.
    private static func confirmed(
        _ bytes: RawSpan, _ range: Range<Int>, _ reader: inout WALReader
    ) -> WALRecordKind? {
        var found: WALRecordKind?
        try? reader.forEachRecord(in: bytes, from: range.lowerBound, path: "", segment: 0) {
            (record, at) throws(WALCorruption) in
            guard found == nil, record.byteCount > 0 else { return }
            if let kind = WALRecordKind(rawValue: record[0]), kind.isForeign { found = kind }
            if at > range.upperBound {
                throw WALCorruption(path: "", segment: 0, offset: at, reason: "read far enough")
            }
        }
        return found
    }
}
