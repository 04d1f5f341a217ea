// SPDX-License-Identifier: Apache-2.0

internal import Platform

/// What ends a query from outside: nobody waits for it any more, or its time is over. Any thread
/// may look, and once it is due it stays so.
struct Interruption: Sendable {
    let cancellation: Cancellation?
    /// On the monotonic clock, in nanoseconds.
    let deadline: UInt64

    var isCancelled: Bool { cancellation?.isCancelled ?? false }
    var isOverdue: Bool { monotonicNanoseconds() > deadline }
    var isDue: Bool { isCancelled || isOverdue }

    /// What to say when it is due.
    var error: QueryError { isCancelled ? .cancelled : .timedOut }
}
