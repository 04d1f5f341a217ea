// SPDX-License-Identifier: Apache-2.0

internal import Bytes

/// Undoes the chunked transfer coding in place: the data of each chunk moves to the end of the body
/// so far, so that the body ends up in one piece where it began.
struct ChunkedBody {
    private enum State {
        case size
        case data(left: Int)
        case dataEnd
        case trailer
        case done
    }

    private static let longestLine = 4096
    private var state = State.size
    /// Where the body in one piece ends.
    private(set) var end: Int

    init(from start: Int) { end = start }

    /// Reads what the buffer holds behind `end`. True where the body is whole; what then follows it
    /// lies right behind `end`.
    mutating func advance(_ buffer: inout ResponseBuffer) throws(ResponseError) -> Bool {
        var read = end
        var isStarved = false
        while !isStarved {
            switch state {
            case .size:
                guard let line = try line(buffer, from: read) else {
                    isStarved = true
                    break
                }
                let size = try Self.size(buffer.bytes.raw, read..<line.end)
                read = line.next
                state = size == 0 ? .trailer : .data(left: size)
            case .data(let left):
                let count = min(left, buffer.filled - read)
                buffer.move(read..<(read + count), to: end)
                read += count
                end += count
                state = left == count ? .dataEnd : .data(left: left - count)
                isStarved = left != count
            case .dataEnd:
                guard let line = try line(buffer, from: read) else {
                    isStarved = true
                    break
                }
                guard line.end == read else { throw .malformedBody("malformed chunked encoding") }
                read = line.next
                state = .size
            case .trailer:
                guard let line = try line(buffer, from: read) else {
                    isStarved = true
                    break
                }
                if line.end == read { state = .done }
                read = line.next
            case .done: isStarved = true
            }
        }
        // What could not be read yet follows the body, so that the room in between is free.
        let rest = read..<buffer.filled
        buffer.move(rest, to: end)
        buffer.truncate(to: end + rest.count)
        if case .done = state { return true }
        return false
    }

    /// The line at `start` without its end, and where the next begins; nil where it is not whole.
    private func line(
        _ buffer: ResponseBuffer, from start: Int
    ) throws(ResponseError) -> (end: Int, next: Int)? {
        let bytes = buffer.bytes.raw
        var at = start
        while at < buffer.filled {
            if bytes[at] == 10 {
                let end = at > start && bytes[at - 1] == 13 ? at - 1 : at
                return (end, at + 1)
            }
            at += 1
            if at - start > Self.longestLine { throw .malformedBody("header line too long") }
        }
        return nil
    }

    private static func size(_ bytes: RawSpan, _ line: Range<Int>) throws(ResponseError) -> Int {
        var size = 0
        var digits = 0
        scan: for index in line {
            let byte = bytes[index]
            let digit: UInt8
            switch byte {
            case 48...57: digit = byte - 48
            case 65...70: digit = byte - 55
            case 97...102: digit = byte - 87
            // An extension, or spaces at the end.
            case UInt8(ascii: ";"), 32, 9: break scan
            default: throw .malformedBody("invalid byte in chunk length")
            }
            digits += 1
            guard digits <= 15 else { throw .malformedBody("http chunk length too large") }
            size = size << 4 | Int(digit)
        }
        guard digits > 0 else { throw .malformedBody("invalid byte in chunk length") }
        return size
    }
}
