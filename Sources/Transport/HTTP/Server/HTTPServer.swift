// SPDX-License-Identifier: Apache-2.0

internal import NIOCore
internal import NIOHTTP1
internal import NIOPosix
internal import Platform
internal import Synchronization

/// An HTTP/1.1 server. Connections live on event loops; handlers run on bounded pools of threads,
/// so that nothing that computes or waits for a disk holds up a connection of anybody else.
package final class HTTPServer: Sendable {
    private struct State: Sendable {
        var listeners: [any Channel] = []
        var addresses: [String] = []
    }

    private let shared: ServerShared
    private let group: MultiThreadedEventLoopGroup
    private let gate: AcceptGate
    private let state = Mutex(State())

    /// Starts the threads; nothing listens yet.
    package init(
        _ configuration: HTTPServerConfiguration, router: Router,
        observer: (any RequestObserver)? = nil
    ) throws(HTTPServerError) {
        do {
            shared = try ServerShared(configuration, router, observer)
        } catch {
            throw HTTPServerError(message: "\(error)")
        }
        group = MultiThreadedEventLoopGroup(numberOfThreads: configuration.eventLoops)
        gate = AcceptGate(limit: configuration.maxConnections)
    }

    /// Begins to accept connections on `host:port` (an empty host: every address) and returns the
    /// address that was bound. Port 0 takes a free one.
    @discardableResult
    package func listen(_ address: String) throws(HTTPServerError) -> String {
        guard let colon = address.lastIndex(of: ":"),
            let port = Int(address[address.index(after: colon)...]), (0...65535).contains(port)
        else {
            throw HTTPServerError(
                message: "listen tcp: address \(address): missing port in address")
        }
        var host = String(address[..<colon])
        if host.hasPrefix("["), host.hasSuffix("]") { host = String(host.dropFirst().dropLast()) }
        do {
            // No address means both families, as Go listens.
            return register(try bind(host.isEmpty ? "::" : host, port))
        } catch {
            if host.isEmpty, let channel = try? bind("0.0.0.0", port) { return register(channel) }
            throw HTTPServerError(message: "listen tcp \(address): bind: \(reason(error))")
        }
    }

    private func register(_ channel: any Channel) -> String {
        let bound = channel.localAddress.map(text) ?? ""
        state.withLock { state in
            state.listeners.append(channel)
            state.addresses.append(bound)
        }
        return bound
    }

    /// What is listened on.
    package var addresses: [String] { state.withLock(\.addresses) }

    private func bind(_ host: String, _ port: Int) throws -> any Channel {
        let (shared, gate) = (shared, gate)
        return try ServerBootstrap(group: group)
            .serverChannelOption(.backlog, value: 1024)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .serverChannelOption(.maxMessagesPerRead, value: 1)
            .serverChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(AcceptHandler(gate))
                }
            }
            .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    let pipeline = channel.pipeline.syncOperations
                    try pipeline.configureHTTPServerPipeline(
                        position: .last, withPipeliningAssistance: true, withServerUpgrade: nil,
                        withErrorHandling: true, withOutboundHeaderValidation: true,
                        withEncoderConfiguration: .init(),
                        withDecoderLimitConfiguration: headerLimits)
                    try pipeline.addHandler(ConnectionHandler(shared))
                }
            }
            .bind(host: host, port: port).wait()
    }

    /// Stops accepting, lets requests that are under way finish for up to `patience` seconds,
    /// closes all connections and ends the threads. Called once.
    package func shutDown(patience: Double = 30) {
        for listener in state.withLock(\.listeners) { try? listener.close().wait() }
        shared.connections.drain()
        let deadline = monotonicNanoseconds() + UInt64(patience * 1e9)
        if !shared.connections.waitUntilEmpty(deadline: deadline) {
            shared.connections.closeAll()
            _ = shared.connections.waitUntilEmpty(
                deadline: monotonicNanoseconds() + 1_000_000_000)
        }
        shared.closePools()
        try? group.syncShutdownGracefully()
    }

    /// Open connections.
    package var connectionCount: Int { shared.connections.count }
}

/// A megabyte, as Go takes: long queries come in the first line.
private let headerLimits: NIOHTTPDecoderLimitConfiguration = {
    var limits = NIOHTTPDecoderLimitConfiguration()
    limits.maxHeaderFieldSize = 1 << 20
    limits.maxHeaderListSize = 1 << 20
    return limits
}()

/// Why the server cannot serve, in Go's words where there are some.
package struct HTTPServerError: Error, Sendable, CustomStringConvertible {
    package var message: String
    package var description: String { message }
}

private func reason(_ error: any Error) -> String {
    (error as? IOError).map { systemErrorText($0.errnoCode) } ?? "\(error)"
}

private func text(_ address: NIOCore.SocketAddress) -> String {
    let host = address.ipAddress ?? ""
    return (host.contains(":") ? "[\(host)]" : host) + ":\(address.port ?? 0)"
}
