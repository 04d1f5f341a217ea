// SPDX-License-Identifier: Apache-2.0

internal import Synchronization

/// Whoever waits for an answer. Tells work that is under way when they have gone.
package final class Client: Sendable {
    private struct State: Sendable {
        var isGone = false
        var whenGone: [@Sendable () -> Void] = []
    }

    private let state = Mutex(State())

    package init() {}

    package var isGone: Bool { state.withLock(\.isGone) }

    /// Calls `body` once, from any thread, when the client goes away; at once where it has.
    package func whenGone(_ body: @escaping @Sendable () -> Void) {
        let isGone = state.withLock { state in
            if !state.isGone { state.whenGone.append(body) }
            return state.isGone
        }
        if isGone { body() }
    }

    /// The answer is complete: nothing is left to call.
    package func settle() { state.withLock { $0.whenGone = [] } }

    package func go() {
        let callbacks = state.withLock { state in
            state.isGone = true
            defer { state.whenGone = [] }
            return state.whenGone
        }
        for callback in callbacks { callback() }
    }
}

/// Nobody takes the rest of an answer.
package struct ClientGone: Error, Sendable {
    package init() {}
}
