// SPDX-License-Identifier: Apache-2.0
//
// The series of a selection from the head, read mostly without its lock.
//
// The list of series is made under one hold of the lock, together with the time of each one's
// newest sample. Samples of a series come in order, so nothing later than that time is what
// isolation takes: a commit that came after the selection adds only later samples, and one that
// came before is there as a whole.
//
// Late samples come in any order. So the selection keeps those of its series as they were, by
// value: what is added later goes to a copy (OutOfOrderSeries.swift).
//
// Labels never change while a series lives (LabelReader.swift says why that needs no lock).
//
// Samples do change places: an open chunk grows, its memory is used for others once it is full, and
// a full chunk moves from a buffer to a file. So chunks are *captured* under the lock, the open
// ones by copying their bytes, and decoded without it. Full chunks are captured as a range of a
// mapped file, which stays readable when the file is deleted, or copied where they lie in the
// buffer. Whether a chunk is captured before or after it moved makes no difference to its samples.
//
// One hold captures a group of neighbouring series: who reads series one after the other finds the
// following ones captured already. A bound on groups limits both the memory and the time for which
// commits wait. Where several threads read, one captures a group and the others wait for it.
//
// Nothing that a selection shows is dropped meanwhile: a truncation waits for the lease.

internal import Model
internal import Platform
internal import Storage
internal import Synchronization

/// A series of a selection, and the newest sample that the selection shows of it.
struct SelectedSeries: Sendable {
    var slot: UInt32
    /// Whether that sample is a float of which nothing is deleted and no start timestamp known, so
    /// that `value` says all of it.
    var hasValue: Bool
    var newest: Timestamp
    var value: Double
    /// Since when its samples that are not late are steady, in seconds; 0 where that is not known.
    var steadySince: UInt32
}

struct HeadSeriesSet: SeriesSet {
    let head: Head
    let lease: Lease
    let range: TimeRange
    let visible: HeadView
    let members: [SelectedSeries]
    /// The late samples of members, by position.
    private let late: [Int: OutOfOrderSeries]
    private let captured = CaptureCache()

    init(
        _ querier: HeadQuerier, range: TimeRange, _ members: [SelectedSeries],
        _ late: [Int: OutOfOrderSeries]
    ) {
        head = querier.head
        lease = querier.lease
        self.range = range
        visible = querier.visible
        self.members = members
        self.late = late
    }

    var count: Int { members.count }

    func hasLate(_ index: Int) -> Bool { !late.isEmpty && late[index] != nil }

    func labels(at index: Int) -> Labels { head.labels.labels(of: members[index].slot) }

    func appendLabels(at index: Int, to packed: inout [UInt8]) {
        head.labels.appendLabels(of: members[index].slot, to: &packed)
    }

    func hasLabels(_ packed: [UInt8], at index: Int) -> Bool {
        head.labels.hasLabels(packed, members[index].slot)
    }

    func groups(_ cut: LabelCut) -> SeriesGroups? {
        let names = head.store.withLock { store in
            cut.names.compactMap { store.labels.pairs.names.number($0) }
        }
        return head.labels.groups(members, names, keepsNamed: cut.keepsNamed)
    }

    func read(
        _ index: Int, _ range: TimeRange, into columns: inout SampleColumns
    ) throws(StorageError) {
        let wanted = TimeRange(
            start: max(range.start, self.range.start), end: min(range.end, self.range.end))
        let inOrder = TimeRange(
            start: max(wanted.start, visible.start), end: min(wanted.end, members[index].newest))
        if !late.isEmpty, let late = late[index] {
            return try read(index, wanted, inOrder, late, into: &columns)
        }
        guard inOrder.start <= inOrder.end else { return }
        try capture(index).series.decode(index, inOrder, into: &columns)
    }

    /// Queries mostly ask for what there is now: the newest sample, which the selection knows. A
    /// time before it mostly lies in the newest chunk.
    func readNewest(
        _ index: Int, _ range: TimeRange, into columns: inout SampleColumns
    ) throws(StorageError) {
        let member = members[index]
        let start = max(range.start, self.range.start, visible.start)
        let end = min(range.end, self.range.end)
        if hasLate(index) { return try read(index, range, into: &columns) }
        if member.hasValue, member.newest >= start, member.newest <= end {
            columns.timestamps.append(member.newest)
            columns.values.append(member.value)
            return
        }
        let wanted = TimeRange(start: start, end: min(end, member.newest))
        guard wanted.start <= wanted.end else { return }
        try capture(index).series.decodeNewest(index, wanted, into: &columns)
    }

    /// Samples in order and late ones, merged.
    private func read(
        _ index: Int, _ wanted: TimeRange, _ inOrder: TimeRange, _ late: OutOfOrderSeries,
        into columns: inout SampleColumns
    ) throws(StorageError) {
        guard wanted.start <= wanted.end else { return }
        let lateChunks = try head.store.withLock { (store) throws(StorageError) in
            try store.lateChunks(
                late, of: members[index].slot, wanted, after: visible.hiddenThrough)
        }
        guard inOrder.start <= inOrder.end else {
            return try lateChunks.decode(wanted, into: &columns)
        }
        let captured = try capture(index).series
        let chunks = captured.chunks(index).filter { $0.range.touches(inOrder) }
        let spans = chunks.map { chunk in
            TimeRange(start: chunk.range.start, end: min(chunk.range.end, inOrder.end))
        }
        try lateChunks.decode(wanted, merging: spans, into: &columns) {
            (position, source) throws(StorageError) in
            try captured.decode(chunks[position], inOrder, into: &source)
        }
    }

    private func capture(_ index: Int) throws(StorageError) -> CapturedGroup {
        head.options.filePages?.look(atSeries: index)
        if let known = captured.findOrBegin(index) { return known }
        do throws(StorageError) {
            let fresh = CapturedGroup(
                try head.store.withLock { (store) throws(StorageError) in
                    try store.capture(
                        members, from: index, count: CaptureCache.remaining(from: index),
                        TimeRange(start: max(range.start, visible.start), end: range.end))
                })
            captured.end(index, fresh)
            return fresh
        } catch {
            captured.end(index, nil)
            throw error
        }
    }
}

/// Captured series that threads share without copies.
private final class CapturedGroup: Sendable {
    let series: CapturedSeries

    init(_ series: CapturedSeries) { self.series = series }
}

/// The series that were captured last; some groups, since several threads may read at once.
private final class CaptureCache: Sendable {
    private static let groupCount = 4
    private static let groupSize = HeadStore.captureLimit.series

    /// Taken inside of `begun` or by itself.
    private let groups = Mutex<[CapturedGroup]>([])
    /// Numbers of the groups that threads are capturing now.
    private let begun = Monitor<Set<Int>>([])

    /// How many series are left in the group of a series.
    static func remaining(from index: Int) -> Int { groupSize - index % groupSize }

    private func find(_ index: Int) -> CapturedGroup? {
        groups.withLock { groups in
            for group in groups.reversed() where group.series.indices.contains(index) {
                return group
            }
            return nil
        }
    }

    /// What was captured of a series. If that is nothing, the caller is to capture it and must call
    /// `end`; others wait for it meanwhile.
    func findOrBegin(_ index: Int) -> CapturedGroup? {
        if let known = find(index) { return known }
        return begun.wait { begun -> CapturedGroup?? in
            if let known = find(index) { return .some(known) }
            return begun.insert(index / Self.groupSize).inserted ? .some(nil) : nil
        }
    }

    func end(_ index: Int, _ group: CapturedGroup?) {
        begun.withLock { begun in
            if let group {
                groups.withLock { groups in
                    if groups.count == Self.groupCount { groups.removeFirst() }
                    groups.append(group)
                }
            }
            begun.remove(index / Self.groupSize)
        }
        begun.notifyAll()
    }
}
