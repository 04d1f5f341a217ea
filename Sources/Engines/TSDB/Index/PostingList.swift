// SPDX-License-Identifier: Apache-2.0
//
// Lists of series as an index file holds them (ascending, 32 bits big-endian) and the operations of
// matchers on them. Stored lists are read in place. The bound of every unchecked read: a list lies
// inside its file, which its initialiser checks.

internal import Bytes
internal import Platform
internal import Storage

/// A list of series in an index file.
struct PostingList: Sendable, Hashable {
    /// The offset of the first entry in the file.
    let start: Int
    let count: Int

    static let empty = PostingList(start: 0, count: 0)

    private init(start: Int, count: Int) {
        self.start = start
        self.count = count
    }

    /// The list behind a postings offset, checked.
    init(_ file: MappedFile, at offset: Int) throws(StorageError) {
        let payload = try checkedSection(file, at: offset, "postings")
        var reader = ByteReader(file.bytes.extracting(payload))
        guard let count = try? reader.uint32BE(), Int(count) * 4 <= reader.remaining else {
            throw damaged(file, "postings", at: offset)
        }
        self.init(start: payload.lowerBound + 4, count: Int(count))
    }

    @inline(__always)
    func series(_ index: Int, in bytes: RawSpan) -> UInt32 {
        unsafe UInt32(
            bigEndian: bytes.unsafeLoadUnaligned(
                fromUncheckedByteOffset: start &+ index &* 4, as: UInt32.self))
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
