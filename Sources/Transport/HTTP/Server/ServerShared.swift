// SPDX-License-Identifier: Apache-2.0

internal import Platform
internal import Synchronization

/// What all connections of a server have in common.
final class ServerShared: Sendable {
    let configuration: HTTPServerConfiguration
    let router: Router
    let observer: (any RequestObserver)?
    let connections = ConnectionSet()
    private let queries: BoundedPool
    private let general: BoundedPool
    /// Bytes of request bodies that are held now.
    private let bodyBytes = Atomic<Int>(0)

    init(
        _ configuration: HTTPServerConfiguration, _ router: Router,
        _ observer: (any RequestObserver)?
    ) throws(FileError) {
        self.configuration = configuration
        self.router = router
        self.observer = observer
        queries = try BoundedPool(
            "query", threads: configuration.queryThreads, queueLimit: configuration.queueLimit)
        general = try BoundedPool(
            "http", threads: configuration.generalThreads, queueLimit: configuration.queueLimit)
    }

    /// False where the pool of the lane has too much to do.
    func submit(_ lane: Lane, _ job: @escaping @Sendable () -> Void) -> Bool {
        lane == .queries ? queries.submit(job) : general.submit(job)
    }

    func closePools() {
        queries.close()
        general.close()
    }

    /// Counts bytes of a body in; false where all bodies together would take too much memory.
    func reserveBody(_ bytes: Int) -> Bool {
        let total = bodyBytes.add(bytes, ordering: .relaxed).newValue
        if total <= configuration.bodyMemory { return true }
        releaseBody(bytes)
        return false
    }

    func releaseBody(_ bytes: Int) { bodyBytes.subtract(bytes, ordering: .relaxed) }
}
