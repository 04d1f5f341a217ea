// SPDX-License-Identifier: Apache-2.0

/// What is wrong with an answer, in the words of Go's HTTP client.
enum ResponseError: Error, Sendable, Hashable {
    /// The head cannot be understood.
    case malformedHead(String)
    case headTooLarge
    /// The body cannot be understood.
    case malformedBody(String)
    case bodyTooLarge
    /// The connection ended before the answer began.
    case endOfStream
    /// The connection ended within the head or the body.
    case unexpectedEnd(inBody: Bool)
}
