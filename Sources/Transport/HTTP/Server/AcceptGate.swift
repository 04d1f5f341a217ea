// SPDX-License-Identifier: Apache-2.0

internal import NIOCore
internal import Synchronization

/// Bounds the connections of several listeners together: at the bound they stop accepting, so that
/// further clients wait in the kernel's queue, as with Go's `LimitListener`.
final class AcceptGate: Sendable {
    private struct State: Sendable {
        var open = 0
        /// Listeners that wait for a place.
        var waiting: [@Sendable () -> Void] = []
    }

    private let limit: Int
    private let state = Mutex(State())

    init(limit: Int) { self.limit = limit }

    /// Takes a place for the next connection; else `whenFree` is called once, when one may be free.
    func take(whenFree: @escaping @Sendable () -> Void) -> Bool {
        state.withLock { state in
            if state.open < limit {
                state.open += 1
                return true
            }
            state.waiting.append(whenFree)
            return false
        }
    }

    func giveBack() {
        let waiting = state.withLock { state in
            state.open -= 1
            defer { state.waiting = [] }
            return state.waiting
        }
        for wake in waiting { wake() }
    }
}

/// Sits on a listener: asks the gate before each `accept`.
final class AcceptHandler: ChannelDuplexHandler {
    typealias InboundIn = any Channel
    typealias InboundOut = any Channel
    typealias OutboundIn = Never

    private let gate: AcceptGate
    /// A place is held for the connection that comes next.
    private var holdsPlace = false

    init(_ gate: AcceptGate) { self.gate = gate }

    func read(context: ChannelHandlerContext) {
        if !holdsPlace {
            let channel = context.channel
            holdsPlace = gate.take { channel.read() }
        }
        if holdsPlace { context.read() }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let gate = gate
        holdsPlace = false
        unwrapInboundIn(data).closeFuture.whenComplete { _ in gate.giveBack() }
        context.fireChannelRead(data)
    }

    func channelInactive(context: ChannelHandlerContext) {
        if holdsPlace {
            holdsPlace = false
            gate.giveBack()
        }
        context.fireChannelInactive()
    }
}
