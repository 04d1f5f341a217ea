// SPDX-License-Identifier: Apache-2.0

internal import Model

/// The windows of the timestamp columns that were seen last. Rows come in the order of their
/// labels, in which the series of one target seldom stand together: `device` sorts before
/// `instance`. So the windows of many targets are kept, up to 4 MiB.
struct WindowCache {
    /// Tells most timestamp columns apart without looking at all of them.
    private struct Key: Equatable {
        let count: Int
        let first: Timestamp
        let last: Timestamp
    }

    private let empty: WindowIndex
    private let capacity: Int
    private var keys: [Key] = []
    private var indices: [WindowIndex] = []
    private var latest = 0
    private var replaced = 0
    /// How often windows were known already, and how often they had to be computed.
    private(set) var counts = Counts()

    struct Counts {
        var reused = 0
        var computed = 0

        mutating func add(_ other: Counts) {
            reused += other.reused
            computed += other.computed
        }

        static func - (left: Counts, right: Counts) -> Counts {
            Counts(
                reused: left.reused - right.reused, computed: left.computed - right.computed)
        }
    }

    init(_ empty: WindowIndex) {
        self.empty = empty
        // An index and the factors of rates take some 40 bytes a step.
        capacity = max(1, min(512, (4 << 20) / (40 * max(1, empty.times.count))))
    }

    var reach: Milliseconds { empty.reach }

    /// Marks the steps that see a sample of a series that is steady through `run`, and has no other
    /// samples behind it. False where some step lies before the run.
    func take(_ run: TimeRange, into row: inout Row) -> Bool {
        let times = empty.times
        guard times.count > 0, times.first >= run.start else { return false }
        row.floats.removeAll()
        let last = run.end.advancedClamped(by: empty.reach &- 1)
        if times.last <= last {
            row.floats.insertAll()
            return true
        }
        var step = 0
        while step < times.count, times[step] <= last {
            row.floats.insert(step)
            step += 1
        }
        return true
    }

    /// The windows over these timestamps, which ascend.
    mutating func windows(over timestamps: [Timestamp]) -> WindowIndex {
        let key = Key(
            count: timestamps.count, first: timestamps.first ?? 0, last: timestamps.last ?? 0)
        if latest < keys.count, keys[latest] == key, indices[latest].covers(timestamps) {
            counts.reused += 1
            return indices[latest]
        }
        for slot in keys.indices where keys[slot] == key && indices[slot].covers(timestamps) {
            latest = slot
            counts.reused += 1
            return indices[slot]
        }
        if indices.count < capacity {
            latest = indices.count
            indices.append(empty)
            indices[latest].slot = latest
            keys.append(key)
        } else {
            latest = replaced
            replaced = (replaced + 1) % capacity
            keys[latest] = key
        }
        counts.computed += 1
        indices[latest].update(timestamps)
        return indices[latest]
    }
}
