// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import Platform
internal import Storage

/// The texts of an index by number. Texts stay in the mapped file; every fourth offset is kept.
struct SymbolTable: Sendable {
    private static let stride = 4

    let count: Int
    /// How many of them are sorted by themselves before the others, which are: the names of a
    /// dense block's labels, or none.
    let nameCount: Int
    private let isAddressedByOffset: Bool
    /// Where the first text begins in the payload.
    private let headLength: Int
    private let payload: Range<Int>
    /// Offsets of every fourth text, relative to the payload.
    private let sampled: [UInt32]

    init(_ file: MappedFile, at offset: Int, _ layout: IndexLayout) throws(StorageError) {
        let payload = try checkedSection(file, at: offset, "symbol table")
        let bytes = file.bytes
        isAddressedByOffset = !layout.isOrdered
        self.payload = payload
        headLength = layout.isDense ? 8 : 4
        do throws(ByteError) {
            var reader = ByteReader(bytes.extracting(payload))
            let count = Int(try reader.uint32BE())
            let nameCount = layout.isDense ? Int(try reader.uint32BE()) : 0
            // Each text takes a byte at least.
            guard count <= reader.remaining, nameCount <= count else {
                throw .truncated(offset: 0)
            }
            var sampled: [UInt32] = []
            sampled.reserveCapacity(count / SymbolTable.stride + 1)
            for index in 0..<count {
                if index % SymbolTable.stride == 0 {
                    sampled.append(UInt32(truncatingIfNeeded: reader.offset))
                }
                _ = try reader.lengthPrefixed()
            }
            self.count = count
            self.nameCount = nameCount
            self.sampled = sampled
        } catch {
            throw damaged(file, "symbol table", at: offset)
        }
    }

    /// Where the text of a symbol stands in the file; nil for a ref that names none.
    @inline(__always)
    func range(of symbol: UInt32, in bytes: RawSpan) -> Range<Int>? {
        if isAddressedByOffset {
            guard Int(symbol) >= payload.lowerBound, Int(symbol) < payload.upperBound else {
                return nil
            }
            return SymbolTable.text(bytes, Int(symbol), payload.upperBound)
        }
        guard Int(symbol) < count else { return nil }
        var at = payload.lowerBound + Int(sampled[Int(symbol) / SymbolTable.stride])
        for _ in 0..<(Int(symbol) % SymbolTable.stride) {
            guard let text = SymbolTable.text(bytes, at, payload.upperBound) else { return nil }
            at = text.upperBound
        }
        return SymbolTable.text(bytes, at, payload.upperBound)
    }

    /// The range of a text behind its length.
    @inline(__always)
    private static func text(_ bytes: RawSpan, _ at: Int, _ end: Int) -> Range<Int>? {
        guard at < end else { return nil }
        let first = Int(bytes[at])
        if first < 0x80 {
            return at + 1 + first <= end ? (at + 1)..<(at + 1 + first) : nil
        }
        var reader = ByteReader(bytes, at: at)
        guard let length = try? reader.uvarint(), length <= UInt64(end - reader.offset) else {
            return nil
        }
        return reader.offset..<(reader.offset + Int(length))
    }

    /// The number of a text; nil where the table lacks it.
    func symbol(_ text: RawSpan, in bytes: RawSpan) -> UInt32? {
        if isAddressedByOffset { return offset(of: text, in: bytes) }
        return symbol(text, among: 0..<nameCount, bytes)
            ?? symbol(text, among: nameCount..<count, bytes)
    }

    private func symbol(_ text: RawSpan, among run: Range<Int>, _ bytes: RawSpan) -> UInt32? {
        var low = run.lowerBound
        var high = run.upperBound
        while low < high {
            let middle = (low + high) / 2
            guard let found = range(of: UInt32(middle), in: bytes) else { return nil }
            let order = compareBytes(bytes.extracting(found), text)
            if order == 0 { return UInt32(middle) }
            if order < 0 { low = middle + 1 } else { high = middle }
        }
        return nil
    }

    /// The offset at which a text of a version 1 table stands.
    private func offset(of text: RawSpan, in bytes: RawSpan) -> UInt32? {
        var at = payload.lowerBound + headLength
        while let found = SymbolTable.text(bytes, at, payload.upperBound) {
            if compareBytes(bytes.extracting(found), text) == 0 { return UInt32(exactly: at) }
            at = found.upperBound
        }
        return nil
    }

    /// Calls `body` with every symbol and its text.
    func forEach(
        _ bytes: RawSpan, _ body: (Int, RawSpan) throws(StorageError) -> Void
    ) throws(StorageError) {
        var at = payload.lowerBound + headLength
        for symbol in 0..<count {
            guard let text = SymbolTable.text(bytes, at, payload.upperBound) else { return }
            try body(symbol, bytes.extracting(text))
            at = text.upperBound
        }
    }
}

/// What to say about bytes that are not what they should be.
func damaged(_ file: MappedFile, _ what: String, at offset: Int) -> StorageError {
    StorageError(.damaged, "\(file.path): damaged \(what) at offset \(offset)")
}

/// The payload of a section with a length of 32 bits before it and a checksum behind it.
func checkedSection(
    _ file: MappedFile, at offset: Int, _ what: String
) throws(StorageError) -> Range<Int> {
    let bytes = file.bytes
    do throws(ByteError) {
        guard offset >= 0, offset <= bytes.byteCount else { throw .truncated(offset: offset) }
        var reader = ByteReader(bytes, at: offset)
        let length = Int(try reader.uint32BE())
        let start = reader.offset
        let payload = try reader.take(length)
        guard try reader.uint32BE() == crc32c(payload) else { throw .truncated(offset: offset) }
        return start..<(start + length)
    } catch {
        throw damaged(file, what, at: offset)
    }
}
