// SPDX-License-Identifier: Apache-2.0

internal import Synchronization

/// Keeps one copy of each layout that is in use, so that targets which expose the same lines share
/// it.
package final class LayoutPool: Sendable {
    private struct Entry: Sendable {
        weak var layout: Layout?
    }

    private struct State: Sendable {
        var entries: [UInt64: Entry] = [:]
        /// Entries to reach before the dead ones are looked for.
        var sweepAt = 64
    }

    private let state = Mutex(State())

    package init() {}

    /// The layout to use in place of an equal one.
    package func intern(_ layout: Layout) -> Layout {
        state.withLock { state in
            if let known = state.entries[layout.contentHash]?.layout {
                // On a collision of hashes the later layout is merely not shared.
                return known.hasSameContent(as: layout) ? known : layout
            }
            if state.entries.count >= state.sweepAt {
                state.entries = state.entries.filter { $0.value.layout != nil }
                state.sweepAt = max(64, state.entries.count * 2)
            }
            state.entries[layout.contentHash] = Entry(layout: layout)
            return layout
        }
    }

    /// How many layouts are in use, and how many bytes they take.
    package var usage: (layouts: Int, bytes: Int) {
        let layouts = state.withLock { $0.entries.values.compactMap(\.layout) }
        return (layouts.count, layouts.reduce(0) { $0 + $1.byteCount })
    }
}
