// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import Model
internal import Platform
internal import Storage

/// Verifies an index beyond its series: that symbols are in order, that postings and series say the
/// same, and that nothing but zeros stands between the parts.
struct IndexParts {
    private let path: String
    private let index: IndexReader
    /// The parts of the file that are accounted for.
    private var parts: [Range<Int>] = []

    init(_ path: String, _ index: IndexReader) {
        self.path = path
        self.index = index
    }

    mutating func verify(_ report: inout FolderReport) {
        do throws(StorageError) {
            try verifySymbols(&report)
            try verifyPostings(&report)
            verifyGaps(&report)
        } catch {
            report.damage(path, error)
        }
    }

    /// A part with a length of four bytes before and a checksum behind it.
    private mutating func addSection(at offset: Int) {
        let file = index.file
        var reader = ByteReader(file.bytes, at: offset)
        guard let length = try? reader.uint32BE() else { return }
        parts.append(offset..<min(file.count, offset + Int(length) + 8))
    }

    private mutating func verifySymbols(_ report: inout FolderReport) throws(StorageError) {
        let file = index.file
        var previous: [UInt8]?
        var isOrdered = true
        try index.symbols.forEach(file.bytes) { (symbol, text) throws(StorageError) in
            if symbol != index.symbols.nameCount, let previous,
                compareBytes(previous.raw, text) >= 0
            {
                isOrdered = false
            }
            var writer = ByteWriter(capacity: text.byteCount)
            writer.append(text)
            previous = writer.bytes
        }
        // Version 1 does not promise an order.
        if !isOrdered, index.layout.isOrdered {
            report.damage(path, "the symbols are not in order")
        }
    }

    /// Both sides of "this series has this label" are added up, in no order, and must agree.
    private mutating func verifyPostings(_ report: inout FolderReport) throws(StorageError) {
        let file = index.file
        let bytes = file.bytes
        var balance: UInt64 = 0
        var refs: [UInt32] = []
        index.allPostings.appendAll(bytes, to: &refs)
        for series in refs {
            let payload = try index.payload(series)
            let start = Int(series) * index.layout.seriesUnit
            parts.append(start..<(payload.upperBound + 4))
            try index.forEachSymbolPair(of: series) { name, value in
                balance &+= mixed(name, value, series)
                return true
            }
        }
        if index.allPostings.count > 0 { addSection(at: index.allPostings.section) }
        for label in index.labelNames {
            guard let name = index.symbols.symbol(bytes.extracting(label.name), in: bytes) else {
                report.damage(path, "a label name of the postings is no symbol")
                continue
            }
            try index.forEachValue(of: label) { (text, offset) throws(StorageError) in
                let list = try index.postings(at: offset)
                addSection(at: offset)
                guard let value = index.symbols.symbol(text, in: bytes) else {
                    report.damage(path, "a label value of the postings is no symbol")
                    return true
                }
                var last: UInt32?
                for place in 0..<list.count {
                    let series = list.series(place, in: bytes)
                    if let last, series <= last {
                        report.damage(path, "postings at offset \(offset) are not in order")
                    }
                    last = series
                    balance &-= mixed(name, value, series)
                }
                return true
            }
        }
        if balance != 0 { report.damage(path, "the postings do not agree with the series") }
    }

    private mutating func verifyGaps(_ report: inout FolderReport) {
        let contents = index.contents
        let file = index.file
        let end = file.count - IndexFormat.contentsLength
        parts.append(0..<index.layout.headerLength)
        addSection(at: contents.symbols)
        addSection(at: contents.postingsTable)
        parts.append(end..<file.count)
        // Sections that older writers left, which nothing reads.
        let isOld = contents.labelIndices < contents.postings
        let old = isOld ? contents.labelIndices..<contents.postings : 0..<0
        let oldTable =
            contents.labelIndexTable < contents.postingsTable
            ? contents.labelIndexTable..<contents.postingsTable : 0..<0
        parts.sort { $0.lowerBound < $1.lowerBound }
        var at = 0
        for part in parts {
            if part.lowerBound > at, !old.contains(at), !oldTable.contains(at),
                !file.bytes.isZero(at..<part.lowerBound)
            {
                report.damage(path, "unexpected bytes at offset \(at)")
            }
            at = max(at, part.upperBound)
        }
    }
}

private func mixed(_ name: UInt32, _ value: UInt32, _ series: UInt32) -> UInt64 {
    var word = UInt64(name) << 32 | UInt64(value)
    word = (word ^ (word >> 30)) &* 0xBF58_476D_1CE4_E5B9
    word ^= UInt64(series) &* 0x9E37_79B9_7F4A_7C15
    word = (word ^ (word >> 27)) &* 0x94D0_49BB_1331_11EB
    return word ^ (word >> 31)
}
