// SPDX-License-Identifier: Apache-2.0

/// The bounds within which a server works.
package struct HTTPServerConfiguration: Sendable {
    /// Open connections over all addresses together; more wait unaccepted.
    package var maxConnections = 512
    /// Seconds in which a request must have arrived whole, and for which a connection may be idle.
    /// Also how long a client may leave a piece of an answer unread.
    package var readTimeout = 300.0
    /// Bytes that request bodies of all connections may hold together.
    package var bodyMemory = 256 << 20
    package var eventLoops = 1
    /// Threads for queries, and for all else.
    package var queryThreads = 20
    package var generalThreads = 8
    /// Requests that may wait for a thread, in each pool.
    package var queueLimit = 1024

    package init() {}
}

/// Is told about every request that was answered. Called on any thread.
package protocol RequestObserver: Sendable {
    /// `pattern` is the route's, nil where no route was found. `bytes` counts the body as it was
    /// sent.
    func answered(pattern: String?, status: Int, seconds: Double, bytes: Int)
}
