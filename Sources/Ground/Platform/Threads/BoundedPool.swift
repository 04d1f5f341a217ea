// SPDX-License-Identifier: Apache-2.0

/// A fixed number of threads that work off a queue of limited length: for queries, compaction and
/// all else that blocks or computes long. A full queue refuses; it never grows.
package final class BoundedPool: Sendable {
    package typealias Job = @Sendable () -> Void

    private struct State {
        var queue: [Job] = []
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

    deinit {
        state.withLock { $0.isClosed = true }
        state.notifyAll()
    }

    private static func work(_ state: Monitor<State>) {
        while true {
            let job: Job? = state.wait { state in
                if !state.queue.isEmpty {
                    state.running += 1
                    return .some(state.queue.removeFirst())
                }
                return state.isClosed ? .some(nil) : nil
            }
            guard let job else { return }
            job()
            state.withLock { $0.running -= 1 }
        }
    }

    /// False where the queue is full or the pool is closed; the job is then not kept.
    package func submit(_ job: @escaping Job) -> Bool {
        let isTaken = state.withLock { state in
            guard !state.isClosed, state.queue.count < queueLimit else { return false }
            state.queue.append(job)
            return true
        }
        if isTaken { state.notifyOne() }
        return isTaken
    }

    /// Jobs that wait and jobs that run.
    package var load: (waiting: Int, running: Int) {
        state.withLock { ($0.queue.count, $0.running) }
    }

    /// Takes no more jobs, works off those in the queue and returns when all threads have ended.
    package func close() {
        state.withLock { $0.isClosed = true }
        state.notifyAll()
        for thread in threads { thread.join() }
    }
}
