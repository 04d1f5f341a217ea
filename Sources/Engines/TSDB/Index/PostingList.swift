// SPDX-License-Identifier: Apache-2.0
//
// Lists of series as an index file holds them, ascending, and the operations of matchers on them.
// Stored lists are read in place. The bound of every unchecked read: a list lies inside its file,
// which its initialiser checks.
//
// In a dense block the list is packed, so that any entry can still be read by itself:
//
//     uvarint count, width, count / 32 (rounded up) × ref32, count × width bits
//
// Each 32 entries have their first ref, and how far they are behind it in `width` bits, which is
// the same for the whole list; bits fill bytes from the highest.

internal import Bytes
internal import Platform
internal import Storage

/// A list of series in an index file.
struct PostingList: Sendable, Hashable {
    /// The offset of the list in the file.
    let section: Int
    /// The offset of the first entry, or of the first refs of a packed list.
    private let start: Int
    let count: Int
    /// Of a packed list: the bits of an entry, and the offset of the first one.
    private let width: UInt64?
    private let packed: Int

    static let empty = PostingList(section: 0, start: 0, count: 0)

    private init(section: Int, start: Int, count: Int, width: UInt64? = nil, packed: Int = 0) {
        self.section = section
        self.start = start
        self.count = count
        self.width = width
        self.packed = packed
    }

    /// The list behind a postings offset, checked.
    init(_ file: MappedFile, at offset: Int, _ layout: IndexLayout) throws(StorageError) {
        let payload = try checkedSection(file, at: offset, "postings")
        var reader = ByteReader(file.bytes.extracting(payload))
        guard layout.isDense else {
            guard let count = try? reader.uint32BE(), Int(count) * 4 <= reader.remaining else {
                throw damaged(file, "postings", at: offset)
            }
            self.init(section: offset, start: payload.lowerBound + 4, count: Int(count))
            return
        }
        // An entry is read as eight bytes, for which the end of the file leaves room.
        guard let count = try? reader.uvarint(), count <= UInt64(UInt32.max),
            let width = try? reader.uint8(), width <= 32,
            PostingList.packedLength(Int(count), Int(width)) == reader.remaining,
            payload.upperBound + 8 <= file.count
        else { throw damaged(file, "postings", at: offset) }
        let start = payload.upperBound - reader.remaining
        self.init(
            section: offset, start: start, count: Int(count), width: UInt64(width),
            packed: start + (Int(count) + Self.group - 1) / Self.group * 4)
    }

    @inline(__always)
    func series(_ index: Int, in bytes: RawSpan) -> UInt32 {
        guard let width else { return first(index, in: bytes) }
        let bit = index &* Int(truncatingIfNeeded: width)
        let word = unsafe UInt64(
            bigEndian: bytes.unsafeLoadUnaligned(
                fromUncheckedByteOffset: packed &+ bit &>> 3, as: UInt64.self))
        let entry = word &<< UInt64(truncatingIfNeeded: bit & 7)
        let distance = (entry &>> 1) &>> (63 &- width)
        return first(index / Self.group, in: bytes) &+ UInt32(truncatingIfNeeded: distance)
    }

    @inline(__always)
    private func first(_ index: Int, in bytes: RawSpan) -> UInt32 {
        unsafe UInt32(
            bigEndian: bytes.unsafeLoadUnaligned(
                fromUncheckedByteOffset: start &+ index &* 4, as: UInt32.self))
    }

    // MARK: Packing

    /// How many entries have a first one in common.
    private static let group = 32

    private static func packedLength(_ count: Int, _ width: Int) -> Int {
        (count + group - 1) / group * 4 + (count * width + 7) / 8
    }

    /// Appends the payload of a packed list of these series.
    static func pack(_ series: ArraySlice<UInt32>, to writer: inout ByteWriter) {
        let firsts = stride(from: series.startIndex, to: series.endIndex, by: group)
        var widest: UInt32 = 0
        for first in firsts {
            let last = min(first + group, series.endIndex) - 1
            widest = max(widest, series[last] - series[first])
        }
        let width = 32 - widest.leadingZeroBitCount
        writer.uvarint(UInt64(series.count))
        writer.uint8(UInt8(width))
        for first in firsts { writer.uint32BE(series[first]) }
        var bits: UInt64 = 0
        var filled = 0
        for first in firsts {
            for index in first..<min(first + group, series.endIndex) {
                bits = bits << UInt64(width) | UInt64(series[index] - series[first])
                filled += width
                while filled >= 8 {
                    filled -= 8
                    writer.uint8(UInt8(truncatingIfNeeded: bits >> UInt64(filled)))
                }
            }
        }
        if filled > 0 { writer.uint8(UInt8(truncatingIfNeeded: bits << UInt64(8 - filled))) }
    }

    func appendAll(_ bytes: RawSpan, to refs: inout [UInt32]) {
        refs.reserveCapacity(refs.count + count)
        for index in 0..<count { refs.append(series(index, in: bytes)) }
    }
}

/// Which series of a sorted list to keep when it is compared with another one.
enum Keeping {
    case shared
    case missing
}

/// Keeps the series of `refs` that are in (or missing from) a stored list. Cost: the shorter list
/// times the logarithm of the longer one, or both lengths, whichever is less.
func filter(
    _ refs: inout [UInt32], by list: PostingList, _ keeping: Keeping, _ bytes: RawSpan
) {
    var kept = 0
    var position = 0
    let gallops = list.count / 16 > refs.count
    for index in refs.indices {
        let series = refs[index]
        if gallops {
            position = lowerBound(list, series, from: position, bytes)
        } else {
            while position < list.count, list.series(position, in: bytes) < series {
                position &+= 1
            }
        }
        let isShared = position < list.count && list.series(position, in: bytes) == series
        if isShared == (keeping == .shared) {
            refs[kept] = series
            kept &+= 1
        }
    }
    refs.removeLast(refs.count - kept)
}

/// The first index from `start` on whose series is not before `series`: by doubling steps, then by
/// halving.
private func lowerBound(
    _ list: PostingList, _ series: UInt32, from start: Int, _ bytes: RawSpan
) -> Int {
    var low = start
    var step = 1
    while low &+ step < list.count, list.series(low &+ step, in: bytes) < series {
        low &+= step
        step &*= 2
    }
    var high = min(list.count, low &+ step &+ 1)
    while low < high {
        let middle = (low &+ high) / 2
        if list.series(middle, in: bytes) < series { low = middle &+ 1 } else { high = middle }
    }
    return low
}

/// Keeps the series of `refs` that are in (or missing from) another sorted list.
func filter(_ refs: inout [UInt32], by other: [UInt32], _ keeping: Keeping) {
    var kept = 0
    var position = 0
    for index in refs.indices {
        let series = refs[index]
        while position < other.count, other[position] < series { position &+= 1 }
        let isShared = position < other.count && other[position] == series
        if isShared == (keeping == .shared) {
            refs[kept] = series
            kept &+= 1
        }
    }
    refs.removeLast(refs.count - kept)
}

/// The series that are in any of the lists, ascending. Few series are sorted; many are gathered in
/// a bitmap over `universe`, the refs that the index can hold.
func union(_ lists: [PostingList], universe: Range<Int>, _ bytes: RawSpan) -> [UInt32] {
    var refs: [UInt32] = []
    if lists.count == 1 {
        lists[0].appendAll(bytes, to: &refs)
        return refs
    }
    let total = lists.reduce(0) { $0 + $1.count }
    if total < universe.count / 1024 || total < 64 {
        refs.reserveCapacity(total)
        for list in lists { list.appendAll(bytes, to: &refs) }
        refs.sort()
        var kept = 0
        for index in refs.indices where kept == 0 || refs[kept - 1] != refs[index] {
            refs[kept] = refs[index]
            kept += 1
        }
        refs.removeLast(refs.count - kept)
        return refs
    }
    var words = [UInt64](repeating: 0, count: universe.count / 64 + 1)
    for list in lists {
        for index in 0..<list.count {
            let place = Int(list.series(index, in: bytes)) &- universe.lowerBound
            // A ref outside the series section is damage that reading the series would report.
            guard place >= 0, place < universe.count else { continue }
            words[place &>> 6] |= 1 &<< UInt64(place & 63)
        }
    }
    refs.reserveCapacity(total)
    for index in words.indices {
        var word = words[index]
        while word != 0 {
            let bit = word.trailingZeroBitCount
            refs.append(UInt32(truncatingIfNeeded: universe.lowerBound &+ index &* 64 &+ bit))
            word &= word &- 1
        }
    }
    return refs
}
