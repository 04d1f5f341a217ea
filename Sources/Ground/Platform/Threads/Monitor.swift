// SPDX-License-Identifier: Apache-2.0

internal import Glibc

/// State behind a lock, and a condition to wait on until it has changed: a bounded queue, a flag.
/// Blocks the thread that waits, so it is for threads of our own, never for the cooperative pool.
/// No callback is to be invoked inside `withLock`.
@safe package final class Monitor<State>: @unchecked Sendable {
    // SAFETY: `state` is touched only while `mutex` is held; both system objects live at a fixed
    // address from init to deinit.
    private let mutex: UnsafeMutablePointer<pthread_mutex_t>
    private let condition: UnsafeMutablePointer<pthread_cond_t>
    private var state: State

    package init(_ state: sending State) {
        self.state = state
        unsafe mutex = .allocate(capacity: 1)
        unsafe condition = .allocate(capacity: 1)
        unsafe mutex.initialize(to: pthread_mutex_t())
        unsafe condition.initialize(to: pthread_cond_t())
        unsafe pthread_mutex_init(mutex, nil)
        var attributes = pthread_condattr_t()
        unsafe pthread_condattr_init(&attributes)
        unsafe pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC)
        unsafe pthread_cond_init(condition, &attributes)
        unsafe pthread_condattr_destroy(&attributes)
    }

    deinit {
        unsafe pthread_cond_destroy(condition)
        unsafe pthread_mutex_destroy(mutex)
        unsafe condition.deallocate()
        unsafe mutex.deallocate()
    }

    package func withLock<Result, Failure: Error>(
        _ body: (inout State) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        unsafe pthread_mutex_lock(mutex)
        defer { unsafe _ = pthread_mutex_unlock(mutex) }
        return try body(&state)
    }

    /// Calls `attempt` under the lock, now and after each notification, until it returns something.
    package func wait<Result>(until attempt: (inout State) -> Result?) -> Result {
        unsafe pthread_mutex_lock(mutex)
        defer { unsafe _ = pthread_mutex_unlock(mutex) }
        while true {
            if let result = attempt(&state) { return result }
            unsafe pthread_cond_wait(condition, mutex)
        }
    }

    /// As `wait(until:)`, but nil once the monotonic clock has passed `deadline` (nanoseconds).
    package func wait<Result>(
        deadline: UInt64, until attempt: (inout State) -> Result?
    ) -> Result? {
        var time = timespec(
            tv_sec: Int(clamping: deadline / 1_000_000_000),
            tv_nsec: Int(deadline % 1_000_000_000))
        unsafe pthread_mutex_lock(mutex)
        defer { unsafe _ = pthread_mutex_unlock(mutex) }
        while true {
            if let result = attempt(&state) { return result }
            if unsafe pthread_cond_timedwait(condition, mutex, &time) == ETIMEDOUT {
                return attempt(&state)
            }
        }
    }

    /// Wakes one waiting thread.
    package func notifyOne() { unsafe pthread_cond_signal(condition) }

    /// Wakes all waiting threads.
    package func notifyAll() { unsafe pthread_cond_broadcast(condition) }
}
