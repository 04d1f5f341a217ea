// SPDX-License-Identifier: Apache-2.0
//
// The series of a selection from the head, read mostly without its lock.
//
// The list of series is made under one hold of the lock, together with the time of each one's
// newest sample. Samples of a series come in order, so nothing later than that time is what
// isolation takes: a commit that came after the selection adds only later samples, and one that
// came before is there as a whole.
//
// Labels never change while a series lives (LabelReader.swift says why that needs no lock).
//
// Samples do change places: an open chunk grows, its memory is used for others once it is full, and
// a full chunk moves from a buffer to a file. So chunks are *captured* under the lock, the open
// ones by copying their bytes, and decoded without it. Full chunks are captured as a range of a
// mapped file, which stays readable when the file is deleted, or copied where they lie in the
// buffer. Whether a chunk is captured before or after it moved makes no difference to its samples.
//
// One hold captures many series: who reads series one after the other finds the following ones
// captured already. Their number doubles with each hold, so that little is captured in vain where
// few are read, up to a bound that limits both the memory and the time for which commits wait.
//
// Nothing that a selection shows is dropped meanwhile: a truncation waits for the lease.

internal import Model
internal import Storage
internal import Synchronization

/// A series of a selection, and the newest sample that the selection shows of it.
struct SelectedSeries: Sendable {
    var slot: UInt32
    var newest: Timestamp
}

struct HeadSeriesSet: SeriesSet {
    let head: Head
    let lease: Lease
    let range: TimeRange
    let members: [SelectedSeries]
    private let captured = CaptureCache()

    init(head: Head, lease: Lease, range: TimeRange, members: [SelectedSeries]) {
        self.head = head
        self.lease = lease
        self.range = range
        self.members = members
    }

    var count: Int { members.count }

    func labels(at index: Int) -> Labels { head.labels.labels(of: members[index].slot) }

    func hasLabels(_ labels: Labels, at index: Int) -> Bool {
        head.labels.hasLabels(labels, members[index].slot)
    }

    func read(
        _ index: Int, _ range: TimeRange, into columns: inout SampleColumns
    ) throws(StorageError) {
        let wanted = TimeRange(
            start: max(range.start, self.range.start),
            end: min(range.end, self.range.end, members[index].newest))
        guard wanted.start <= wanted.end else { return }
        try capture(index).decode(index, wanted, into: &columns)
    }

    private func capture(_ index: Int) throws(StorageError) -> CapturedSeries {
        let (known, size) = captured.find(index)
        if let known { return known }
        let fresh = try head.store.withLock { (store) throws(StorageError) in
            try store.capture(members, from: index, count: size, range)
        }
        captured.add(fresh)
        return fresh
    }
}

/// The series that were captured last; some groups, since several threads may read at once.
private final class CaptureCache: Sendable {
    private static let groupCount = 4
    private let groups = Mutex<[CapturedSeries]>([])

    /// The group with a series. If there is none, how many series to capture.
    func find(_ index: Int) -> (CapturedSeries?, size: Int) {
        groups.withLock { groups in
            var size = 4
            for group in groups.reversed() {
                if group.indices.contains(index) { return (group, 0) }
                if group.indices.upperBound == index { size = 2 * group.indices.count }
            }
            return (nil, min(max(size, 4), HeadStore.captureLimit.series))
        }
    }

    func add(_ group: CapturedSeries) {
        groups.withLock { groups in
            if groups.count == Self.groupCount { groups.removeFirst() }
            groups.append(group)
        }
    }
}
