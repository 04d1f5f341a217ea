// SPDX-License-Identifier: Apache-2.0

internal import Synchronization

/// Tells a running query that nobody waits for its result any more. Any thread may cancel; the
/// query looks at it between batches of series.
package final class Cancellation: Sendable {
    private let flag = Atomic<Bool>(false)

    package init() {}

    package var isCancelled: Bool { flag.load(ordering: .relaxed) }

    package func cancel() { flag.store(true, ordering: .relaxed) }
}
