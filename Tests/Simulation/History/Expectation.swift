// SPDX-License-Identifier: Apache-2.0

internal import Model
internal import TSDB

/// What a database should hold, kept the simple way: every sample of every series, and how sure it
/// is that it is there.
struct Expectation: Sendable {
    enum Certainty: Sendable, Hashable {
        /// The commit failed, or a start did not find it: not to be seen now, but the next start
        /// may find it.
        case refused
        /// Deleted for good, as long as no file is damaged: a block takes its deletions with it,
        /// and the log may still have the samples.
        case gone
        /// Deleted, but a power cut may bring it back.
        case deleted
        /// It may be there or not, now and later.
        case open
        /// It may be there or not: it is settled by the next look.
        case doubtful
        /// Acknowledged: a killed process does not lose it.
        case committed
        /// On the device: a power cut does not lose it.
        case durable
    }

    struct Entry: Sendable {
        var time: Timestamp
        var value: StoredValue
        var certainty: Certainty
        /// Whether it may be among the late samples: blocks that are cut from the samples in order
        /// need not have it.
        var isLate = false
        /// What was stored at this time, too: which of them is seen depends on where they are.
        var others: [StoredValue] = []

        func allows(_ found: StoredValue) -> Bool { found == value || others.contains(found) }
    }

    /// A sample of an answer.
    struct Found: Sendable {
        var time: Timestamp
        var value: StoredValue
    }

    /// In order of time.
    private(set) var series: [Labels: [Entry]] = [:]
    /// The newest time that each series ever took, deleted or not.
    private(set) var highest: [Labels: Timestamp] = [:]
    /// What was deleted of each series.
    private var deleted: [Labels: [TimeRange]] = [:]
    /// What retention may have taken, and must have.
    var horizons: Horizons
    /// The highest end of blocks with all samples in order that there was.
    var endOfBlocks = Timestamp.min

    init(_ retention: RetentionSettings) { horizons = Horizons(retention) }

    /// The newest time that is surely there.
    var newest: Timestamp? {
        series.values.compactMap { $0.last { $0.certainty >= .committed }?.time }.max()
    }

    var sampleCount: Int {
        series.values.reduce(0) { $0 + $1.count { $0.certainty >= .doubtful } }
    }

    func entry(_ labels: Labels, _ time: Timestamp) -> Entry? {
        guard let entries = series[labels] else { return nil }
        let place = Self.place(of: time, in: entries)
        return place < entries.count && entries[place].time == time ? entries[place] : nil
    }

    func newest(of labels: Labels) -> Entry? {
        series[labels]?.last { $0.certainty >= .committed }
    }

    private static func place(of time: Timestamp, in entries: [Entry]) -> Int {
        var (low, high) = (0, entries.count)
        while low < high {
            let middle = (low + high) / 2
            if entries[middle].time < time { low = middle + 1 } else { high = middle }
        }
        return low
    }

    // MARK: What happens

    /// Adds a sample. Where one of its time is known, either may be seen if `mayRepeat`; else the
    /// surer one counts.
    mutating func add(_ labels: Labels, _ new: Entry, mayRepeat: Bool) {
        var new = new
        if new.certainty == .committed {
            // It is taken for one that was there, or falls under the deletion.
            if hidesLater(new.time, of: labels) { new.certainty = .open }
            highest[labels] = max(highest[labels] ?? .min, new.time)
        }
        var entries = series.removeValue(forKey: labels) ?? []
        let place = Self.place(of: new.time, in: entries)
        if place < entries.count, entries[place].time == new.time {
            let known = entries[place]
            if new.certainty > known.certainty { entries[place] = new }
            entries[place].isLate = known.isLate || new.isLate
            if mayRepeat {
                entries[place].others = known.others
                for value in [known.value, new.value] where !entries[place].allows(value) {
                    entries[place].others.append(value)
                }
            }
        } else {
            entries.insert(new, at: place)
        }
        series[labels] = entries
    }

    /// Whether a sample that comes now may be hidden by a deletion that was before it: one that is
    /// not newer than all that its series ever had.
    private func hidesLater(_ time: Timestamp, of labels: Labels) -> Bool {
        guard let newest = highest[labels], time <= newest else { return false }
        return deleted[labels]?.contains { $0.start <= time && time <= $0.end } ?? false
    }

    private mutating func change(_ body: (inout Entry) -> Void) {
        for labels in series.keys {
            guard var entries = series.removeValue(forKey: labels) else { continue }
            for index in entries.indices { body(&entries[index]) }
            series[labels] = entries
        }
    }

    /// Everything acknowledged is on the device, deletions too.
    mutating func sync() {
        change {
            if $0.certainty == .committed { $0.certainty = .durable }
            if $0.certainty == .deleted { $0.certainty = .gone }
        }
    }

    /// Deletes what is there in a closed range; where that failed, some of it.
    mutating func delete(_ range: TimeRange, of labels: Labels, hasFailed: Bool) {
        guard var entries = series.removeValue(forKey: labels) else { return }
        deleted[labels, default: []].append(range)
        for index in entries.indices
        where range.start <= entries[index].time && entries[index].time <= range.end {
            switch entries[index].certainty {
            // What retention took may not be within reach of the deletion, and come back.
            case .refused, .gone, .deleted, .open: continue
            case .doubtful, .committed, .durable:
                entries[index].certainty = hasFailed ? .doubtful : .deleted
            }
        }
        series[labels] = entries
    }

    /// Blocks hold everything before a time, late samples only where `withLate`.
    mutating func sync(before time: Timestamp, withLate: Bool) {
        change {
            guard $0.certainty == .committed, $0.time < time, withLate || !$0.isLate else { return }
            $0.certainty = .durable
        }
    }

    /// Whether a sample ever came late.
    var hasLate: Bool { series.values.contains { $0.contains(where: \.isLate) } }

    /// The time of the newest sample that a series has for sure; the newest that it took may have
    /// gone with a power cut.
    func newestCertain(of labels: Labels) -> Timestamp {
        let newest = series[labels]?.last { [.committed, .durable].contains($0.certainty) }
        return newest?.time ?? .min
    }

    /// Before a time, and of late samples at any time, anything may be lost from here on.
    mutating func letGo(before time: Timestamp) {
        change {
            if $0.time < time || $0.isLate, $0.certainty >= .doubtful { $0.certainty = .open }
        }
    }

    mutating func kill() {
        change { if $0.certainty == .refused { $0.certainty = .doubtful } }
    }

    mutating func cutPower() {
        change {
            if ![.durable, .gone, .open].contains($0.certainty) { $0.certainty = .doubtful }
        }
    }

    /// Anything may be lost, but nothing may be wrong.
    mutating func damage(from start: Timestamp, through end: Timestamp) {
        change { if start <= $0.time, $0.time <= end { $0.certainty = .doubtful } }
    }

    // MARK: Comparing

    /// Compares with everything that was found in a closed range, of the series that `isSelected`.
    /// What was in doubt is settled: found, it is as sure as `found` says; else it is gone.
    mutating func compare(
        _ contents: [Labels: [Found]], _ range: TimeRange, found: Certainty,
        isSelected: (Labels) -> Bool = { _ in true }
    ) throws(Disagreement) {
        for labels in contents.keys where series[labels] == nil {
            throw Disagreement("found a series that was never stored: \(labels)")
        }
        for labels in series.keys.sorted() where isSelected(labels) {
            try compare(labels, contents[labels] ?? [], range, found: found)
        }
    }

    private mutating func compare(
        _ labels: Labels, _ samples: [Found], _ range: TimeRange, found: Certainty
    ) throws(Disagreement) {
        var entries = series.removeValue(forKey: labels) ?? []
        defer { series[labels] = entries }
        var place = Self.place(of: range.start, in: entries)
        var kept = Array(entries[..<place])
        for sample in samples {
            while place < entries.count, entries[place].time < sample.time {
                try miss(entries[place], labels, &kept)
                place += 1
            }
            guard place < entries.count, entries[place].time == sample.time else {
                throw Disagreement(
                    "\(labels): found a sample at \(sample.time) out of nowhere")
            }
            var entry = entries[place]
            place += 1
            guard entry.allows(sample.value) else {
                throw Disagreement(
                    "\(labels) at \(entry.time): found \(sample.value), not \(entry.value)")
            }
            guard entry.certainty != .refused else {
                throw Disagreement("\(labels) at \(entry.time): found what was refused")
            }
            guard entry.certainty != .deleted, entry.certainty != .gone else {
                throw Disagreement("\(labels) at \(entry.time): found what was deleted")
            }
            guard !horizons.mustHide(entry, of: labels) else {
                throw Disagreement("\(labels) at \(entry.time): found what is outlived")
            }
            if entry.certainty == .doubtful {
                entry.certainty = found
                highest[labels] = max(highest[labels] ?? .min, entry.time)
            }
            kept.append(entry)
        }
        while place < entries.count, entries[place].time <= range.end {
            try miss(entries[place], labels, &kept)
            place += 1
        }
        kept += entries[place...]
        entries = kept
    }

    private func miss(
        _ entry: Entry, _ labels: Labels, _ kept: inout [Entry]
    ) throws(Disagreement) {
        if entry.certainty < .doubtful { return kept.append(entry) }
        let isOutlived = entry.time < horizons.horizon(of: labels)
        guard entry.certainty == .doubtful || isOutlived else {
            throw Disagreement("\(labels) at \(entry.time): lost (\(entry.certainty))")
        }
        if isOutlived, horizons.mayReturn {
            var missing = entry
            missing.certainty = .open
            return kept.append(missing)
        }
        // What took it away may be undone, by a power cut or by the next start.
        if entry.certainty == .doubtful {
            var missing = entry
            missing.certainty = .refused
            kept.append(missing)
        }
    }
}

extension Expectation.Certainty: Comparable {
    private var rank: Int {
        switch self {
        case .gone: -1
        case .refused: 0
        case .deleted: 1
        case .open: 2
        case .doubtful: 3
        case .committed: 4
        case .durable: 5
        }
    }

    static func < (left: Self, right: Self) -> Bool { left.rank < right.rank }
}

/// The database and the expectation are not of one opinion.
package struct Disagreement: Error, Sendable, CustomStringConvertible {
    package var description: String

    package init(_ description: String) { self.description = description }
}
