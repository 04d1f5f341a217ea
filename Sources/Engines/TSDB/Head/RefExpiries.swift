// SPDX-License-Identifier: Apache-2.0

package import Model

/// Refs of series that are gone or are known under another ref, with the time up to which the log
/// may have samples under them: their series records stay in checkpoints for as long.
///
/// Series that come together tend to go together, so refs that follow one another and expire in
/// the same minute are one run of 24 bytes. A time is rounded up to its minute, and a ref of a run
/// may get the time of a later one: a record that stays longer than it must does no harm.
package struct RefExpiries: Sendable {
    private struct Run {
        /// Closed.
        var first: UInt64
        var last: UInt64
        /// Milliseconds since the Unix epoch, of a full minute.
        var time: Timestamp
    }

    private static let minute: Timestamp = 60_000

    /// Ascending; none touches another of the same time.
    private var runs: [Run] = []

    package init() {}

    /// How many refs there are.
    package var count: Int { runs.reduce(0) { $0 + Int($1.last - $1.first) + 1 } }

    /// Calls `body` with each ref and its time, in the order of refs.
    package func forEach(_ body: (_ ref: UInt64, _ time: Timestamp) -> Void) {
        for run in runs {
            for ref in run.first...run.last { body(ref, run.time) }
        }
    }

    /// The log has samples of a ref up to a time, or further where that is known already.
    package mutating func note(_ ref: UInt64, through time: Timestamp) {
        let new = Run(first: ref, last: ref, time: Self.roundedUp(time))
        let at = place(of: ref)
        guard at < runs.count else { return Self.append(new, to: &runs) }
        if runs[at].first <= ref {
            runs[at].time = max(runs[at].time, new.time)
            return
        }
        if at > 0, Self.isContinued(runs[at - 1], by: new) {
            runs[at - 1].last = ref
        } else if Self.isContinued(new, by: runs[at]) {
            runs[at].first = ref
        } else {
            runs.insert(new, at: at)
        }
    }

    /// The same of many refs, in any order: in one pass.
    package mutating func note(_ entries: [(ref: UInt64, time: Timestamp)]) {
        var new: [Run] = []
        for (ref, time) in entries.sorted(by: { $0.ref < $1.ref }) {
            let run = Run(first: ref, last: ref, time: Self.roundedUp(time))
            let at = place(of: ref)
            if at < runs.count, runs[at].first <= ref {
                runs[at].time = max(runs[at].time, run.time)
            } else {
                Self.append(run, to: &new)
            }
        }
        guard !new.isEmpty else { return }
        var merged: [Run] = []
        merged.reserveCapacity(runs.count + new.count)
        var next = new[...]
        for run in runs {
            // A new one lies between two that were there.
            while let first = next.first, first.first < run.first {
                Self.append(first, to: &merged)
                next.removeFirst()
            }
            Self.append(run, to: &merged)
        }
        for run in next { Self.append(run, to: &merged) }
        runs = merged
    }

    /// Forgets the refs that expire before a time.
    package mutating func removeAll(before time: Timestamp) { runs.removeAll { $0.time < time } }

    /// The first run that ends at a ref or behind it.
    private func place(of ref: UInt64) -> Int {
        var (low, high) = (0, runs.count)
        while low < high {
            let middle = (low + high) / 2
            if runs[middle].last < ref { low = middle + 1 } else { high = middle }
        }
        return low
    }

    private static func isContinued(_ run: Run, by next: Run) -> Bool {
        run.last &+ 1 == next.first && run.time == next.time
    }

    /// Adds a run behind all others; one ref again raises its time.
    private static func append(_ run: Run, to runs: inout [Run]) {
        guard let last = runs.last else { return runs.append(run) }
        if last.last >= run.first {
            runs[runs.count - 1].time = max(last.time, run.time)
        } else if isContinued(last, by: run) {
            runs[runs.count - 1].last = run.last
        } else {
            runs.append(run)
        }
    }

    private static func roundedUp(_ time: Timestamp) -> Timestamp {
        let down = time / minute * minute
        guard down < time else { return down }
        let (up, isTooLate) = down.addingReportingOverflow(minute)
        return isTooLate ? .max : up
    }
}
