// SPDX-License-Identifier: Apache-2.0

internal import Bytes

/// An answer that is in memory already, read by the rules of the client. For captured traffic, and
/// for trying the parser on any bytes cut anywhere.
package struct CapturedResponse: Sendable, Hashable {
    package let status: String
    package let contentType: String
    /// As transferred: not unpacked.
    package let body: [UInt8]

    /// Reads `pieces` as they would arrive one after the other, after which the peer closes. Nil
    /// where they are no whole answer.
    package init?(_ pieces: [[UInt8]], bodyLimit: Int) {
        var buffer = ResponseBuffer(room: 256)
        var parser = ResponseParser(bodyLimit: bodyLimit)
        do {
            var isWhole = false
            for piece in pieces where !isWhole && !piece.isEmpty {
                buffer.append(piece)
                isWhole = try parser.advance(&buffer)
            }
            if !isWhole { try parser.end(buffer) }
        } catch {
            return nil
        }
        guard let head = parser.head else { return nil }
        status = head.status
        contentType = head.contentType
        body = Array(buffer.bytes[parser.body])
    }
}
