// SPDX-License-Identifier: Apache-2.0

/// Short texts in cells of one size, so that each is copied in a few words whatever its length:
/// what stands before the values of a column, such as their times, again and again.
package struct TextCells: Sendable {
    static let size = 32

    private(set) var bytes: [UInt8] = []
    private(set) var lengths: [UInt8] = []

    package init() {}

    package var count: Int { lengths.count }

    package mutating func removeAll() {
        bytes.removeAll(keepingCapacity: true)
        lengths.removeAll(keepingCapacity: true)
    }

    /// Adds a text of at most 32 bytes that `write` writes.
    package mutating func append(_ write: (inout TextRoom) -> Void) {
        var length = 0
        bytes.append(addingCapacity: 2 * Self.size) { output in
            unsafe output.withUnsafeMutableBufferPointer { buffer, initialized in
                let end = unsafe UnsafeMutableRawPointer(buffer.baseAddress! + initialized)
                unsafe end.initializeMemory(as: UInt8.self, repeating: 0, count: 2 * Self.size)
                // A writer may need more room than its text has bytes.
                var room = unsafe TextRoom(end, capacity: 2 * Self.size)
                write(&room)
                length = room.count
                initialized += Self.size
            }
        }
        precondition(length <= Self.size, "the text is too long for its cell")
        lengths.append(UInt8(length))
    }
}

extension ByteWriter {
    /// Writes a run of a column: each value between the text of its cell and `after`. Of the first
    /// cell `skipping` bytes are left out. A value that equals the one before costs a copy.
    package mutating func column(
        _ values: [Double], _ run: Range<Int>, before cells: TextCells, skipping: Int,
        after: (UInt8, UInt8), style: FloatStyle
    ) {
        precondition(run.lowerBound >= 0 && run.upperBound <= min(values.count, cells.count))
        let each = TextCells.size + style.width + 2
        withRoom(run.count * each + TextCells.size + style.width) { room in
            room.column(
                values.span, run, cells.bytes.span, cells.lengths.span, skipping, after, style)
        }
    }
}

extension TextRoom {
    /// Bound: the run lies within values and cells, and there is room for a full cell, the widest
    /// value and two bytes for each, and for one more cell and value.
    @inline(__always)
    fileprivate mutating func column(
        _ values: Span<Double>, _ run: Range<Int>, _ cells: Span<UInt8>, _ lengths: Span<UInt8>,
        _ skipping: Int, _ after: (UInt8, UInt8), _ style: FloatStyle
    ) {
        unsafe cells.withUnsafeBytes { cells in
            var skipped = skipping
            var lastBits: UInt64 = 0
            var lastPlace = 0
            var lastLength = 0
            for index in run {
                let cell = unsafe cells.baseAddress! + index &* TextCells.size
                unsafe copy(
                    cell + skipped, TextCells.size - skipped,
                    length: Int(lengths[unchecked: index]) - skipped)
                skipped = 0
                let bits = unsafe values[unchecked: index].bitPattern
                if bits == lastBits, lastLength > 0, lastLength <= TextCells.size {
                    let place = count
                    repeatText(at: lastPlace, length: lastLength)
                    lastPlace = place
                } else {
                    lastBits = bits
                    lastPlace = count
                    float(Double(bitPattern: bits), style: style)
                    lastLength = count - lastPlace
                }
                byte(after.0)
                byte(after.1)
            }
        }
    }
}
