// SPDX-License-Identifier: Apache-2.0

internal import Bytes

/// Reads one HTTP/1 answer as its bytes come in. Knows no socket and no clock: it is told that
/// bytes have arrived or that there will be none, and says when the answer is whole.
struct ResponseParser {
    private enum State {
        /// `scanned` bytes hold no end of the head.
        case head(scanned: Int)
        case length(left: Int)
        case chunked(ChunkedBody)
        case untilClose
        case done
    }

    static let largestHead = 1 << 20

    private var state = State.head(scanned: 0)
    /// The body, so far as it is there, in the buffer.
    private(set) var body = 0..<0
    /// Known once the head is whole; interim answers do not count.
    private(set) var head: ResponseHead?
    /// A body of more bytes than this, as transferred, is refused.
    private let bodyLimit: Int

    init(bodyLimit: Int) { self.bodyLimit = bodyLimit }

    /// Looks at the bytes that are new in the buffer and makes room for those that must follow.
    /// True where the answer is whole; bytes behind the body are then none of its own.
    mutating func advance(_ buffer: inout ResponseBuffer) throws(ResponseError) -> Bool {
        while case .head(let scanned) = state {
            guard let end = Self.endOfHead(buffer, from: scanned) else {
                guard buffer.filled <= Self.largestHead else { throw .headTooLarge }
                try refuseOtherProtocols(buffer)
                state = .head(scanned: max(0, buffer.filled - 3))
                makeSomeRoom(&buffer)
                return false
            }
            try takeHead(&buffer, end)
        }
        return try advanceBody(&buffer)
    }

    /// What does not begin like HTTP will not end like it either.
    private func refuseOtherProtocols(_ buffer: ResponseBuffer) throws(ResponseError) {
        let bytes = buffer.bytes.raw
        let beginning = Array("HTTP/".utf8)
        let seen = min(buffer.filled, beginning.count)
        if (0..<seen).allSatisfy({ buffer.bytes[$0] == beginning[$0] }) { return }
        var end = 0
        while end < buffer.filled, bytes[end] != 10 { end += 1 }
        guard end < min(buffer.filled, 4096) else { return }
        if end > 0, bytes[end - 1] == 13 { end -= 1 }
        throw .malformedHead("malformed HTTP response \(ResponseHead.quotedText(bytes, 0..<end))")
    }

    private mutating func takeHead(
        _ buffer: inout ResponseBuffer, _ end: (head: Int, body: Int)
    ) throws(ResponseError) {
        let head = try ResponseHead(buffer.bytes.raw.extracting(0..<end.head))
        if head.isInterim {
            let rest = end.body..<buffer.filled
            buffer.move(rest, to: 0)
            buffer.truncate(to: rest.count)
            state = .head(scanned: 0)
            return
        }
        self.head = head
        body = end.body..<end.body
        switch head.framing {
        case .length(let length): state = .length(left: length)
        case .chunked: state = .chunked(ChunkedBody(from: end.body))
        case .untilClose: state = .untilClose
        }
    }

    private mutating func advanceBody(
        _ buffer: inout ResponseBuffer
    ) throws(ResponseError) -> Bool {
        switch state {
        case .head, .done: return true
        case .length(let length):
            guard length <= bodyLimit else { throw .bodyTooLarge }
            body = body.lowerBound..<min(buffer.filled, body.lowerBound + length)
            guard body.count == length else {
                buffer.makeRoom(body.lowerBound + length)
                return false
            }
            state = .done
            return true
        case .chunked(var chunks):
            let isWhole = try chunks.advance(&buffer)
            body = body.lowerBound..<chunks.end
            guard body.count <= bodyLimit else { throw .bodyTooLarge }
            state = isWhole ? .done : .chunked(chunks)
            if !isWhole { makeSomeRoom(&buffer) }
            return isWhole
        case .untilClose:
            body = body.lowerBound..<buffer.filled
            guard body.count <= bodyLimit else { throw .bodyTooLarge }
            makeSomeRoom(&buffer)
            return false
        }
    }

    /// What of a head had come when the connection was lost may be wrong already, which then is the
    /// error that counts.
    func checkPartialHead(_ buffer: ResponseBuffer) throws(ResponseError) {
        guard case .head = state, buffer.filled > 0 else { return }
        _ = try ResponseHead(buffer.bytes.raw.extracting(0..<buffer.filled))
    }

    /// The peer has closed. Returns only where that ends the answer rightly.
    mutating func end(_ buffer: ResponseBuffer) throws(ResponseError) {
        switch state {
        case .done: return
        case .untilClose: state = .done
        case .head:
            if buffer.filled == 0 { throw .endOfStream }
            try checkPartialHead(buffer)
            throw .unexpectedEnd(inBody: false)
        case .length, .chunked: throw .unexpectedEnd(inBody: true)
        }
    }

    /// Doubles a buffer that is full or nearly so.
    private func makeSomeRoom(_ buffer: inout ResponseBuffer) {
        if buffer.room - buffer.filled < buffer.room / 8 { buffer.makeRoom(buffer.room * 2) }
    }

    /// Where the lines of the head end and where the body begins, behind the empty line.
    private static func endOfHead(
        _ buffer: ResponseBuffer, from start: Int
    ) -> (head: Int, body: Int)? {
        let bytes = buffer.bytes.raw
        var at = start
        while at + 1 < buffer.filled {
            if bytes[at] == 10 {
                if bytes[at + 1] == 10 { return (at + 1, at + 2) }
                if bytes[at + 1] == 13, at + 2 < buffer.filled, bytes[at + 2] == 10 {
                    return (at + 1, at + 3)
                }
            }
            at += 1
        }
        return nil
    }
}
