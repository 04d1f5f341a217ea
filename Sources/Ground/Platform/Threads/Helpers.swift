// SPDX-License-Identifier: Apache-2.0

/// Threads that lend a hand to a thread with much to do, as long as nobody else needs them. Who
/// asks goes on working himself and must come to the same end without help.
package final class Helpers: Sendable {
    private let pool: BoundedPool
    /// How many threads there are.
    package let count: Int

    /// Ends its threads when it is released or closed.
    package init(_ name: String, threads count: Int) throws(FileError) {
        self.count = count
        pool = try BoundedPool(name, threads: count, queueLimit: 1, stackSize: 1 << 20)
    }

    /// Runs `job` on a thread that has nothing to do. False where there is none; nothing waits.
    package func help(_ job: @escaping @Sendable () -> Void) -> Bool {
        pool.submitIfIdle(job)
    }

    /// Returns when all jobs and threads have ended.
    package func close() { pool.close() }
}
