// SPDX-License-Identifier: Apache-2.0
//
// Work in pieces that may be done at once, whose results are wanted one after the other.
//
//     pieces    0    1    2    3    4    5    6 …
//               delivered │ done │ in work │ free
//                         └──── at most `ahead` ────┘
//
// The caller and the helpers take the next free piece. The caller hands on results in order and
// works in between; it waits only where a helper is at the very piece that comes next. A piece is
// free only so far ahead of the last one delivered, which bounds what results are held, and their
// memory is used again. Without helpers the caller does one piece after the other.

/// What the threads that work together know of each other.
private final class Board<Result: Sendable>: Sendable {
    struct State: Sendable {
        var next = 0
        var delivered = 0
        var isOver = false
        /// By the piece's number, modulo.
        var done: [Result?]
        var spare: [Result] = []
    }

    let monitor: Monitor<State>
    private let count: Int
    private let ahead: Int

    init(count: Int, ahead: Int) {
        self.count = count
        self.ahead = ahead
        monitor = Monitor(State(done: [Result?](repeating: nil, count: ahead)))
    }

    /// What there is to do next: nil for nothing now, a piece, or the end.
    private func take(_ state: inout State) -> Int? {
        guard !state.isOver, state.next < count, state.next < state.delivered + ahead else {
            return nil
        }
        state.next += 1
        return state.next - 1
    }

    /// For helpers: waits for a free piece; nil at the end.
    func takeOrEnd() -> (Int, Result?)? {
        monitor.wait { state -> (Int, Result?)?? in
            if let piece = take(&state) { return .some((piece, state.spare.popLast())) }
            return state.isOver || state.next >= count ? .some(nil) : nil
        }
    }

    /// Takes the result away, so that its memory has one owner again.
    func finish(_ piece: Int, _ result: inout Result?) {
        monitor.withLock { swap(&$0.done[piece % ahead], &result) }
        monitor.notifyAll()
    }

    /// For the caller: the result that comes next or, where that is not there yet, something to do
    /// meanwhile.
    enum Turn {
        case deliver(Result)
        case work(Int, Result?)
    }

    func turn() -> Turn {
        monitor.wait { state in
            let slot = state.delivered % ahead
            if let result = state.done[slot].take() { return .deliver(result) }
            return take(&state).map { .work($0, state.spare.popLast()) }
        }
    }

    /// Takes the result back to use its memory again.
    func delivered(_ result: inout Result?) {
        monitor.withLock { state in
            state.delivered += 1
            if let result = result.take() { state.spare.append(result) }
        }
        monitor.notifyAll()
    }

    func end() {
        monitor.withLock { $0.isOver = true }
        monitor.notifyAll()
    }
}

/// How to do work in pieces: `Worker` is what one thread needs for it, `Result` what comes of a
/// piece.
package struct OrderedWork<Worker, Result: Sendable>: Sendable {
    /// What a thread needs; whether it is a helper.
    package let makeWorker: @Sendable (_ isHelper: Bool) -> Worker
    package let makeResult: @Sendable () -> Result
    /// Does a piece. The result is a new one or has been delivered before.
    package let work:
        @Sendable (_ worker: inout Worker, _ piece: Int, _ result: inout Result) -> Void

    package init(
        makeWorker: @escaping @Sendable (Bool) -> Worker,
        makeResult: @escaping @Sendable () -> Result,
        work: @escaping @Sendable (inout Worker, Int, inout Result) -> Void
    ) {
        self.makeWorker = makeWorker
        self.makeResult = makeResult
        self.work = work
    }

    /// Does the pieces 0 ..< `count` and hands their results to `deliver` on this thread, in order.
    /// An error of `deliver` ends the work; helpers may still be at a piece for a moment.
    package func run<Failure: Error>(
        count: Int, helpers: Helpers?,
        deliver: (_ piece: Int, _ result: inout Result) throws(Failure) -> Void
    ) throws(Failure) {
        var worker = makeWorker(false)
        guard let helpers, helpers.count > 0, count > 1 else {
            var result = makeResult()
            for piece in 0..<count {
                work(&worker, piece, &result)
                try deliver(piece, &result)
            }
            return
        }
        let board = Board<Result>(count: count, ahead: 2 * helpers.count + 2)
        defer { board.end() }
        for _ in 0..<min(helpers.count, count - 1) {
            guard helpers.help({ help(board) }) else { break }
        }
        var piece = 0
        while piece < count {
            switch board.turn() {
            case .deliver(let next):
                var result: Result? = next
                try deliver(piece, &result!)
                board.delivered(&result)
                piece += 1
            case .work(let taken, let spare):
                var result: Result? = spare ?? makeResult()
                work(&worker, taken, &result!)
                board.finish(taken, &result)
            }
        }
    }

    private func help(_ board: Board<Result>) {
        var worker = makeWorker(true)
        while let (piece, spare) = board.takeOrEnd() {
            var result: Result? = spare ?? makeResult()
            work(&worker, piece, &result!)
            board.finish(piece, &result)
        }
    }
}
