// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import Model
internal import Platform
internal import Storage

extension IndexReader {
    /// The labels of a series: its symbols are looked up, then their texts copied into one run of
    /// the final length. A wide selection does little else than this.
    func labels(of series: UInt32) throws(StorageError) -> Labels {
        let payload = try payload(series)
        let file = file
        guard let packed = packedLabels(file.bytes, payload) else {
            throw damaged(file, "labels of a series", at: payload.lowerBound)
        }
        return Labels(packed: packed)
    }

    /// Whether a series has just these packed labels. False for a damaged one: that shows when it
    /// is read.
    func hasLabels(_ packed: [UInt8], of series: UInt32) -> Bool {
        guard let payload = try? payload(series) else { return false }
        let file = file
        let bytes = file.bytes
        let packed = packed.raw
        var reader = ByteReader(bytes.extracting(payload))
        guard let count = try? reader.uvarint(), count <= UInt64(payload.count / 2) else {
            return false
        }
        var at = 0
        for _ in 0..<(count * 2) {
            guard at < packed.byteCount, let symbol = try? reader.uvarint(),
                symbol <= UInt64(UInt32.max),
                let text = symbols.range(of: UInt32(symbol), in: bytes)
            else { return false }
            let field = Labels.field(packed, &at)
            guard field.count == text.count,
                compareBytes(packed.extracting(field), bytes.extracting(text)) == 0
            else { return false }
        }
        return at == packed.byteCount
    }

    /// Nil where the payload is damaged. Bound of the unchecked copies: `symbols` gives ranges
    /// inside the file, and the run has the length of them all.
    private func packedLabels(_ bytes: RawSpan, _ payload: Range<Int>) -> [UInt8]? {
        var reader = ByteReader(bytes.extracting(payload))
        guard let count = try? reader.uvarint(), count <= UInt64(payload.count / 2) else {
            return nil
        }
        guard count > 0 else { return [] }
        let fieldCount = Int(count) * 2
        return unsafe withUnsafeTemporaryAllocation(of: Range<Int>.self, capacity: fieldCount) {
            fields in
            var length = 0
            for index in 0..<fieldCount {
                guard let symbol = try? reader.uvarint(), symbol <= UInt64(UInt32.max),
                    let range = symbols.range(of: UInt32(symbol), in: bytes),
                    range.count < 1 << 24
                else { return nil }
                unsafe fields.initializeElement(at: index, to: range)
                length += range.count < 255 ? range.count + 1 : range.count + 4
            }
            return unsafe bytes.withUnsafeBytes { file in
                unsafe [UInt8](unsafeUninitializedCapacity: length) { packed, written in
                    let base = UnsafeMutableRawPointer(packed.baseAddress!)
                    var at = 0
                    for index in 0..<fieldCount {
                        let range = unsafe fields[index]
                        unsafe at += writeLength(range.count, to: base + at)
                        unsafe (base + at).copyMemory(
                            from: file.baseAddress! + range.lowerBound, byteCount: range.count)
                        at += range.count
                    }
                    written = at
                }
            }
        }
    }
}

/// Writes the length of a field as `Labels` packs it. Returns how many bytes that took.
@inline(__always)
private func writeLength(_ length: Int, to place: UnsafeMutableRawPointer) -> Int {
    if length < 255 {
        unsafe place.storeBytes(of: UInt8(length), as: UInt8.self)
        return 1
    }
    let word = UInt32(truncatingIfNeeded: length) << 8 | 255
    unsafe place.storeBytes(of: word.littleEndian, as: UInt32.self)
    return 4
}
