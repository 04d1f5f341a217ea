// SPDX-License-Identifier: Apache-2.0

internal import Model
internal import Platform
internal import Storage
internal import TSDB

private let always = TimeRange(start: .earliest, end: .latest)

extension Run {
    /// Everything that a selection shows within a closed range; checks its order.
    static func contents(
        _ queryable: any Queryable, _ matchers: [Matcher] = [], _ range: TimeRange = always
    ) throws -> [Labels: [Expectation.Found]] {
        let querier = try queryable.querier(over: range)
        return try samples(querier.select(matchers, hints: SelectHints(range: range)), range)
    }

    private static func samples(
        _ set: any SeriesSet, _ range: TimeRange
    ) throws -> [Labels: [Expectation.Found]] {
        var found: [Labels: [Expectation.Found]] = [:]
        var previous: Labels?
        var columns = SampleColumns()
        for index in 0..<set.count {
            let labels = set.labels(at: index)
            columns.removeAll()
            // Where the labels cannot be read, this fails.
            try set.read(index, range, into: &columns)
            if let previous, !(previous < labels) {
                throw Disagreement("a selection is not in order: \(previous), \(labels)")
            }
            previous = labels
            let samples = Self.samples(columns)
            guard zip(samples, samples.dropFirst()).allSatisfy({ $0.time < $1.time }) else {
                throw Disagreement("\(labels): times do not ascend")
            }
            if !samples.isEmpty { found[labels] = samples }
        }
        return found
    }

    /// Floats and histograms, in order of time.
    private static func samples(_ columns: SampleColumns) -> [Expectation.Found] {
        let floats = zip(columns.timestamps, columns.values).map {
            Expectation.Found(time: $0, value: StoredValue($1))
        }
        if columns.histogramTimestamps.isEmpty { return floats }
        let histograms = zip(columns.histogramTimestamps, columns.histograms).map {
            Expectation.Found(time: $0, value: StoredValue($1))
        }
        return (floats + histograms).sorted { $0.time < $1.time }
    }

    /// Compares everything.
    mutating func look(found: Expectation.Certainty = .committed) throws(Disagreement) {
        guard let database else { return }
        do {
            let contents = try Self.contents(database)
            try expectation.compare(contents, always, found: found)
            try extras.compare(database.exemplars(over: always, [[]]), certainty: found)
            for (labels, ref) in refs {
                try extras.compare(head?.metadata(of: ref), of: labels)
            }
        } catch {
            try judge(error, "a query of everything")
        }
    }

    private func judge(_ error: any Error, _ doing: String) throws(Disagreement) {
        if let disagreement = error as? Disagreement { throw disagreement }
        try excuse(error, doing)
    }

    /// Compares a part of the time, of some series.
    mutating func query() throws(Disagreement) {
        guard let database else { return }
        let back = Timestamp(random.below(12 * Int(setup.blockRange)))
        let start = surroundings.clock - back
        let length = Timestamp(random.below(Int(setup.blockRange) * 4))
        let range = TimeRange(start: start, end: start + length)
        do {
            let matcher = try someMatcher()
            let contents = try Self.contents(database, [matcher], range)
            try expectation.compare(contents, range, found: .committed) { matcher.matches($0) }
        } catch {
            try judge(error, "a query")
        }
    }

    /// A matcher that fits some of the series.
    mutating func someMatcher() throws -> Matcher {
        let number = random.below(setup.seriesCount)
        return switch random.below(4) {
        case 0: Matcher("__name__", equals: "metric_\(random.below(3))")
        case 1: try Matcher("instance", .regexMatch, "host-[\(number % 10)5].*")
        case 2: try Matcher("generation", .notEqual, "0")
        default: Matcher("instance", equals: "host-\(number)")
        }
    }

    /// What is selected is not touched by what comes after.
    mutating func isolate() throws(Disagreement) {
        guard let database else { return }
        do {
            let querier = try database.querier(over: always)
            let set = try querier.select([], hints: SelectHints(range: always))
            var before = expectation
            try append()
            let contents = try Self.samples(set, always)
            try before.compare(contents, always, found: .committed)
        } catch {
            try judge(error, "a query beside commits")
        }
    }

    /// A snapshot holds everything, as a folder of its own.
    mutating func snapshot() throws(Disagreement) {
        guard let database else { return }
        var folder: String?
        do {
            folder = "\(Self.folder)/snapshots/\(try database.snapshot(includingHead: true))"
            if let folder {
                let (copy, _) = try open(folder)
                let contents = try Self.contents(copy)
                try copy.close()
                // A block that could not be read is left out of the copy that is looked at.
                if !areFaultsOn {
                    var before = expectation
                    before.horizons.move(to: copy.blocks.map(\.meta.range.end), startOfHead: .max)
                    try before.compare(contents, always, found: .committed)
                }
            }
        } catch {
            try judge(error, "a snapshot")
            note("failed: \(error)")
        }
        if let folder { try? disk.remove(folder) }
    }
}
