// SPDX-License-Identifier: Apache-2.0

internal import CPlatform

/// What a thread has on the heap.
package enum ThreadMemory {
    /// The bytes that the calling thread has allocated less those it has freed since it began, by
    /// the allocator's own counters: reading them costs a nanosecond or two. What one thread
    /// allocates and another frees counts for the one and against the other, so that only
    /// differences over work that stays on a thread mean something. nil where the program's
    /// allocator does not count.
    @inline(__always)
    package static var held: Int? {
        let bytes = narthex_thread_memory()
        return bytes == .min ? nil : Int(bytes)
    }
}
