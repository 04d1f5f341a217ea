// SPDX-License-Identifier: Apache-2.0

package import Model

/// How long and how much a database keeps of its blocks. What outlives one of the limits goes.
package struct RetentionSettings: Sendable, Hashable {
    /// How long data is kept, counted back from the newest block; zero keeps it for ever.
    package var time: Milliseconds = 15 * 86_400_000
    /// How many bytes blocks, log and head chunks may occupy; zero means any number.
    package var bytes = 0
    /// The same as a share of the file system, of a hundred. Above zero it goes before `bytes`.
    package var percentage = 0.0
    /// Series that are kept for another time than `time`. The first element that a series fulfils
    /// counts for it.
    package var series: [SeriesRetention] = []

    package init() {}
}

/// Series that are kept for a time of their own.
package struct SeriesRetention: Sendable, Hashable {
    /// How many there may be in one list.
    package static let limit = 100

    /// A series is meant where it fulfils all matchers of one of the selectors.
    package var selectors: [[Matcher]]
    /// Counted back from the newest block; zero keeps the series for ever.
    package var time: Milliseconds

    package init(selectors: [[Matcher]], time: Milliseconds) {
        self.selectors = selectors
        self.time = time
    }
}

/// Which blocks have outlived their time or their place. Time counts from the end of the newest
/// block, not from now: old data that is loaded stays.
/// Source: https://github.com/prometheus/prometheus/blob/main/tsdb/db.go
package struct Retention: Sendable, Hashable {
    /// Blocks that say of themselves that they are to go.
    package private(set) var deletable: Set<ULID> = []
    package private(set) var beyondTime: Set<ULID> = []
    package private(set) var beyondSize: Set<ULID> = []

    /// `bytes` is what all may occupy, and `otherBytes` what else (the log, head chunks) counts.
    package init(
        _ blocks: [(meta: BlockMeta, byteCount: Int)], time: Milliseconds, bytes: Int,
        otherBytes: Int
    ) {
        let newestFirst = blocks.sorted { $0.meta.range.end > $1.meta.range.end }
        deletable = Set(blocks.filter(\.meta.compaction.isDeletable).map(\.meta.id))
        guard let newest = newestFirst.first else { return }
        if time > 0 {
            for block in newestFirst.dropFirst()
            where newest.meta.range.end &- block.meta.range.end >= time {
                beyondTime.insert(block.meta.id)
            }
        }
        if bytes > 0 {
            var total = otherBytes
            for block in newestFirst {
                total += block.byteCount
                if total > bytes { beyondSize.insert(block.meta.id) }
            }
        }
    }

    package var outlived: Set<ULID> { deletable.union(beyondTime).union(beyondSize) }
}
