// SPDX-License-Identifier: Apache-2.0

internal import Platform

/// What a running server is asked to do, from signals and from HTTP. The main thread takes one wish
/// after the other, so that no two reloads mix.
final class ServerEvents: Sendable {
    /// The reason why a reload failed, or nil; delivered once.
    typealias Reply = @Sendable (String?) -> Void

    enum Event: Sendable {
        case reload(Reply)
        case end(reason: String)
    }

    private struct State {
        var waiting: [Event] = []
        var isEnding = false
    }

    private let state = Monitor(State())

    /// Waits for the next wish.
    func next() -> Event {
        state.wait { $0.waiting.isEmpty ? nil : $0.waiting.removeFirst() }
    }

    func end(_ reason: String) { add(.end(reason: reason)) }

    /// Asks for a reload and lets it happen later.
    func reload() { add(.reload { _ in }) }

    /// Asks for a reload and waits for what becomes of it: the reason of a failure, or nil.
    func reloadAndWait() -> String? {
        let answer = Monitor<String??>(nil)
        let isTaken = add(
            .reload { reason in
                answer.withLock { $0 = .some(reason) }
                answer.notifyAll()
            })
        guard isTaken else { return "the server is shutting down" }
        return answer.wait { $0 }
    }

    @discardableResult
    private func add(_ event: Event) -> Bool {
        let isTaken = state.withLock { state in
            guard !state.isEnding else { return false }
            if case .end = event { state.isEnding = true }
            state.waiting.append(event)
            return true
        }
        state.notifyAll()
        return isTaken
    }
}
