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

/// The memory of a result. A reference to it goes from thread to thread, so that the result itself
/// always has one owner and is never copied.
private final class ResultBox<Result: Sendable>: @unchecked Sendable {
    // SAFETY: the board hands a box to one thread at a time, under its lock.
    var result: Result

    init(_ result: Result) { self.result = result }
}

/// What the threads that work together know of each other.
private final class Board<Result: Sendable>: Sendable {
    typealias Box = ResultBox<Result>

    struct State: Sendable {
        var next = 0
        var delivered = 0
        var isOver = false
        /// By the piece's number, modulo.
        var done: [Box?]
        var spare: [Box] = []
    }

    let monitor: Monitor<State>
    private let count: Int
    private let ahead: Int

    init(count: Int, ahead: Int) {
        self.count = count
        self.ahead = ahead
        monitor = Monitor(State(done: [Box?](repeating: nil, count: ahead)))
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
    func takeOrEnd() -> (Int, Box?)? {
        monitor.wait { state -> (Int, Box?)?? in
            if let piece = take(&state) { return .some((piece, state.spare.popLast())) }
            return state.isOver || state.next >= count ? .some(nil) : nil
        }
    }

    func finish(_ piece: Int, _ box: Box) {
        monitor.withLock { $0.done[piece % ahead] = box }
        monitor.notifyAll()
    }

    /// For the caller: the result that comes next or, where that is not there yet, something to do
    /// meanwhile.
    enum Turn {
        case deliver(Box)
        case work(Int, Box?)
    }

    func turn() -> Turn {
        monitor.wait { state in
            let slot = state.delivered % ahead
            if let box = state.done[slot].take() { return .deliver(box) }
            return take(&state).map { .work($0, state.spare.popLast()) }
        }
    }

    /// Takes the result back to use its memory again.
    func delivered(_ box: Box) {
        monitor.withLock { state in
            state.delivered += 1
            state.spare.append(box)
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
            case .deliver(let box):
                try deliver(piece, &box.result)
                board.delivered(box)
                piece += 1
            case .work(let taken, let spare):
                let box = spare ?? ResultBox(makeResult())
                work(&worker, taken, &box.result)
                board.finish(taken, box)
            }
        }
    }

    private func help(_ board: Board<Result>) {
        var worker = makeWorker(true)
        while let (piece, spare) = board.takeOrEnd() {
            let box = spare ?? ResultBox(makeResult())
            work(&worker, piece, &box.result)
            board.finish(piece, box)
        }
    }
}
