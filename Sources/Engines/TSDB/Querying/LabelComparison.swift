// SPDX-License-Identifier: Apache-2.0
//
// Merging selections compares each series of one with those of the others. Series come in label
// order, so that most labels of one are those of the one before. Where the labels that are looked
// for are equal to the last ones up to some field, and the block's series had just these, the
// numbers of its symbols need to be the same as well, and no text is looked up.
//
//                labels                                 symbols
//     looked for __name__ up | instance a | mode idle   7 80 | 3 41 | 5 66
//     before     __name__ up | instance a | mode guest  7 80 | 3 41 | 5 61
//                └──────── shared ─────────────┘        └── equal ───┘

internal import Bytes
internal import Model
internal import Platform

/// Compares labels of a block's series with packed ones.
struct LabelComparison {
    private let index: IndexReader
    /// The symbols of the series that was equal when `lastTurn` it was asked for.
    private var symbols: [UInt32] = []
    private var lastTurn = -1

    init(_ index: IndexReader) { self.index = index }

    /// Whether a series has just these packed labels; false for a damaged one. `turn` counts what
    /// is looked for; the first `shared.count` fields, up to the byte `shared.end`, are the same as
    /// in the turn before.
    mutating func isEqual(
        _ series: UInt32, _ packed: [UInt8], turn: Int, _ shared: (count: Int, end: Int)
    ) -> Bool {
        let known = turn == lastTurn + 1 && turn > 0 ? min(shared.count, symbols.count) : 0
        lastTurn = -1
        guard let payload = try? index.payload(series) else { return false }
        let file = index.file
        let bytes = file.bytes
        let packed = packed.raw
        var place = payload.lowerBound
        guard let count = number(bytes, &place, payload.upperBound),
            count <= UInt64(payload.count / 2)
        else { return false }
        let fieldCount = Int(count) * 2
        guard known <= fieldCount else { return false }
        var at = known == shared.count ? shared.end : 0
        if known != shared.count {
            for _ in 0..<known { _ = Labels.field(packed, &at) }
        }
        symbols.removeLast(symbols.count - known)
        for field in 0..<fieldCount {
            guard let symbol = number(bytes, &place, payload.upperBound),
                symbol <= UInt64(UInt32.max)
            else { return false }
            let ref = UInt32(symbol)
            if field < known {
                // Another number may stand for the same text in a table that has it twice: then
                // the labels are gathered and compared.
                if symbols[field] != ref { return false }
                continue
            }
            guard at < packed.byteCount, let text = index.symbols.range(of: ref, in: bytes) else {
                return false
            }
            let wanted = Labels.field(packed, &at)
            guard wanted.count == text.count,
                compareBytes(packed.extracting(wanted), bytes.extracting(text)) == 0
            else { return false }
            symbols.append(ref)
        }
        guard at == packed.byteCount else { return false }
        lastTurn = turn
        return true
    }

    /// A `uvarint` that ends before `end`; nil where there is none.
    @inline(__always)
    private func number(_ bytes: RawSpan, _ place: inout Int, _ end: Int) -> UInt64? {
        guard place < end else { return nil }
        let first = bytes[place]
        place &+= 1
        if first < 0x80 { return UInt64(first) }
        guard place < end else { return nil }
        let second = bytes[place]
        place &+= 1
        if second < 0x80 { return UInt64(first & 0x7F) | UInt64(second) &<< 7 }
        var value = UInt64(first & 0x7F) | UInt64(second & 0x7F) &<< 7
        var shift: UInt64 = 14
        while place < end, shift < 63 {
            let byte = bytes[place]
            place &+= 1
            value |= UInt64(byte & 0x7F) &<< shift
            if byte < 0x80 { return value }
            shift &+= 7
        }
        return nil
    }
}
