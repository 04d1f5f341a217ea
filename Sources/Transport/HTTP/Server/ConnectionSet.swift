// SPDX-License-Identifier: Apache-2.0

internal import NIOCore
internal import Platform

/// The open connections, so that they can be told to end.
final class ConnectionSet: Sendable {
    /// An open connection as the set knows it.
    struct Connection: Sendable {
        var channel: any Channel
        /// Closes it as soon as no request is under way.
        var drain: @Sendable () -> Void
    }

    private struct State: Sendable {
        var open: [ObjectIdentifier: Connection] = [:]
        var isDraining = false
    }

    private let state = Monitor(State())

    var count: Int { state.withLock { $0.open.count } }

    func add(_ connection: Connection) {
        let isDraining = state.withLock { state in
            state.open[ObjectIdentifier(connection.channel)] = connection
            return state.isDraining
        }
        if isDraining { connection.drain() }
    }

    func remove(_ channel: any Channel) {
        state.withLock { $0.open[ObjectIdentifier(channel)] = nil }
        state.notifyAll()
    }

    func drain() {
        let connections = state.withLock { state in
            state.isDraining = true
            return Array(state.open.values)
        }
        for connection in connections { connection.drain() }
    }

    func closeAll() {
        for connection in state.withLock({ Array($0.open.values) }) {
            connection.channel.close(promise: nil)
        }
    }

    /// False where connections were left at the deadline (monotonic nanoseconds).
    func waitUntilEmpty(deadline: UInt64) -> Bool {
        state.wait(deadline: deadline) { $0.open.isEmpty ? true : nil } ?? false
    }
}
