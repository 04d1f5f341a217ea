// SPDX-License-Identifier: Apache-2.0

/// A fixed number of threads that work off a queue of limited length: for queries, compaction and
/// all else that blocks or computes long. A full queue refuses; it never grows.
///
/// The thread that became idle last gets the next job, since its stack and its share of the
/// allocator's memory are warm, and those of the others stay small.
package final class BoundedPool: Sendable {
    package typealias Job = @Sendable () -> Void

    /// What a thread is to do next.
    private enum Assignment: Sendable {
        case job(Job)
        case end
    }

    /// Where an idle thread waits for what it is given.
    private typealias Desk = Monitor<Assignment?>

    private struct State: Sendable {
        var queue: [Job] = []
        /// Threads without work, the last one idle for the shortest time. Where there is one, the
        /// queue is empty.
        var idle: [Desk] = []
        var isClosed = false
        var running = 0
    }

    private let state: Monitor<State>
    private let queueLimit: Int
    private let threads: [SystemThread]

    /// Threads are named `name-0`, `name-1`, … Their stacks are deep by default, as jobs may walk
    /// trees that foreign text describes.
    package init(
        _ name: String, threads count: Int, queueLimit: Int,
        stackSize: Int = SystemThread.deepStackSize
    ) throws(FileError) {
        precondition(count > 0 && queueLimit > 0, "a pool needs a thread and room for a job")
        let state = Monitor(State())
        var threads: [SystemThread] = []
        for index in 0..<count {
            let thread = try SystemThread("\(name)-\(index)", stackSize: stackSize) {
                Self.work(state)
            }
            threads.append(thread)
        }
        self.state = state
        self.queueLimit = queueLimit
        self.threads = threads
    }

    deinit { Self.end(state) }

    private static func work(_ state: Monitor<State>) {
        let desk = Desk(nil)
        var hasWorked = false
        while true {
            let next = state.withLock { state -> Assignment? in
                if hasWorked { state.running -= 1 }
                if !state.queue.isEmpty {
                    state.running += 1
                    return .job(state.queue.removeFirst())
                }
                if state.isClosed { return .end }
                state.idle.append(desk)
                return nil
            }
            switch next ?? desk.wait(until: { $0.take() }) {
            case .end: return
            case .job(let job): job()
            }
            hasWorked = true
        }
    }

    private static func give(_ desk: Desk, _ assignment: Assignment) {
        desk.withLock { $0 = assignment }
        desk.notifyOne()
    }

    /// Threads end once the queue is empty.
    private static func end(_ state: Monitor<State>) {
        let idle = state.withLock { state in
            state.isClosed = true
            defer { state.idle.removeAll() }
            return state.idle
        }
        for desk in idle { give(desk, .end) }
    }

    /// False where the queue is full or the pool is closed; the job is then not kept.
    package func submit(_ job: @escaping Job) -> Bool {
        let (isTaken, idle) = state.withLock { state -> (Bool, Desk?) in
            if state.isClosed { return (false, nil) }
            if let desk = state.idle.popLast() {
                state.running += 1
                return (true, desk)
            }
            guard state.queue.count < queueLimit else { return (false, nil) }
            state.queue.append(job)
            return (true, nil)
        }
        if let idle { Self.give(idle, .job(job)) }
        return isTaken
    }

    /// Gives the job to a thread that has nothing to do; false where there is none.
    package func submitIfIdle(_ job: @escaping Job) -> Bool {
        let idle = state.withLock { state -> Desk? in
            guard !state.isClosed, let desk = state.idle.popLast() else { return nil }
            state.running += 1
            return desk
        }
        guard let idle else { return false }
        Self.give(idle, .job(job))
        return true
    }

    /// Jobs that wait and jobs that run.
    package var load: (waiting: Int, running: Int) {
        state.withLock { ($0.queue.count, $0.running) }
    }

    /// Takes no more jobs, works off those in the queue and returns when all threads have ended.
    package func close() {
        Self.end(state)
        for thread in threads { thread.join() }
    }
}
