// SPDX-License-Identifier: Apache-2.0

package import Model

/// What a database should hold, kept the simple way: every sample of every series, and how sure it
/// is that it is there.
package struct Expectation: Sendable {
    package enum Certainty: Sendable, Hashable {
        /// The commit failed, or a start did not find it: not to be seen now, but the next start
        /// may find it.
        case refused
        /// Deleted for good, as long as no file is damaged: a block takes its deletions with it,
        /// and the log may still have the samples.
        case gone
        /// Deleted, but a power cut may bring it back.
        case deleted
        /// It may be there or not: it is settled by the next look.
        case doubtful
        /// Acknowledged: a killed process does not lose it.
        case committed
        /// On the device: a power cut does not lose it.
        case durable
    }

    package struct Entry: Sendable {
        package var time: Timestamp
        package var value: StoredValue
        package var certainty: Certainty
    }

    /// A sample of an answer.
    struct Found: Sendable {
        var time: Timestamp
        var value: StoredValue
    }

    /// In order of time.
    package private(set) var series: [Labels: [Entry]] = [:]
    /// The newest time that each series ever took, deleted or not.
    private(set) var highest: [Labels: Timestamp] = [:]
    /// Before this time retention may have taken samples.
    var horizon = Timestamp.min
    /// The highest end of blocks that there was.
    var endOfBlocks = Timestamp.min

    package init() {}

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

    mutating func add(
        _ labels: Labels, _ time: Timestamp, _ value: StoredValue, _ certainty: Certainty
    ) {
        if certainty == .committed { highest[labels] = max(highest[labels] ?? .min, time) }
        var entries = series.removeValue(forKey: labels) ?? []
        let place = Self.place(of: time, in: entries)
        if place < entries.count, entries[place].time == time {
            if certainty > entries[place].certainty {
                entries[place] = Entry(time: time, value: value, certainty: certainty)
            }
        } else {
            entries.insert(Entry(time: time, value: value, certainty: certainty), at: place)
        }
        series[labels] = entries
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
        for index in entries.indices
        where range.start <= entries[index].time && entries[index].time <= range.end {
            guard entries[index].certainty >= .doubtful else { continue }
            entries[index].certainty = hasFailed ? .doubtful : .deleted
        }
        series[labels] = entries
    }

    /// Blocks hold everything before a time.
    mutating func sync(before time: Timestamp) {
        change { if $0.certainty == .committed, $0.time < time { $0.certainty = .durable } }
    }

    mutating func kill() {
        change { if $0.certainty == .refused { $0.certainty = .doubtful } }
    }

    mutating func cutPower() {
        change {
            if $0.certainty != .durable, $0.certainty != .gone { $0.certainty = .doubtful }
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
            guard entry.value == sample.value else {
                throw Disagreement(
                    "\(labels) at \(entry.time): found \(sample.value), not \(entry.value)")
            }
            guard entry.certainty != .refused else {
                throw Disagreement("\(labels) at \(entry.time): found what was refused")
            }
            guard entry.certainty != .deleted, entry.certainty != .gone else {
                throw Disagreement("\(labels) at \(entry.time): found what was deleted")
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
        guard entry.certainty == .doubtful || entry.time < horizon else {
            throw Disagreement("\(labels) at \(entry.time): lost (\(entry.certainty))")
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
        case .doubtful: 2
        case .committed: 3
        case .durable: 4
        }
    }

    package static func < (left: Self, right: Self) -> Bool { left.rank < right.rank }
}

/// The database and the expectation are not of one opinion.
package struct Disagreement: Error, Sendable, CustomStringConvertible {
    package var description: String

    package init(_ description: String) { self.description = description }
}
