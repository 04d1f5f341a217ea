// SPDX-License-Identifier: Apache-2.0

/// An answer. A body that is not short is written piece by piece after the head.
package struct Response: Sendable {
    package enum Body: Sendable {
        case bytes([UInt8])
        /// Runs on the thread of the handler, behind it. Throws when the client has gone.
        case stream(@Sendable (BodyWriter) throws(ClientGone) -> Void)
    }

    package var status: Int
    package var headers: Headers
    package var body: Body

    package init(status: Int = 200, headers: Headers = [:], body: Body = .bytes([])) {
        self.status = status
        self.headers = headers
        self.body = body
    }

    /// Plain text in UTF-8.
    package static func text(_ text: String, status: Int = 200, headers: Headers = [:]) -> Response
    {
        var headers = headers
        if headers["Content-Type"] == nil {
            headers["Content-Type"] = "text/plain; charset=utf-8"
        }
        return Response(status: status, headers: headers, body: .bytes(Array(text.utf8)))
    }

    /// Plain text as Go's `http.Error` sends it, with a line break at the end.
    package static func error(_ text: String, status: Int) -> Response {
        .text(text + "\n", status: status, headers: ["X-Content-Type-Options": "nosniff"])
    }
}

/// Takes the body of an answer in pieces and hands them on when they have grown to a good size.
/// Used by one thread at a time; `write` waits while the client is slow.
package final class BodyWriter {
    /// Pieces are handed on from this size on.
    package static let pieceSize = 64 << 10

    private let send: ([UInt8]) throws(ClientGone) -> Void
    package private(set) var bytesSent = 0

    package init(send: @escaping ([UInt8]) throws(ClientGone) -> Void) { self.send = send }

    /// Hands on what stands in `buffer` and empties it, once it has grown to a piece.
    @inline(__always)
    package func flush(whenFull buffer: inout [UInt8]) throws(ClientGone) {
        if buffer.count >= Self.pieceSize { try flush(&buffer) }
    }

    /// Hands on what stands in `buffer` and empties it, however little it is.
    package func flush(_ buffer: inout [UInt8]) throws(ClientGone) {
        if buffer.isEmpty { return }
        bytesSent += buffer.count
        try send(buffer)
        buffer.removeAll(keepingCapacity: true)
    }
}
