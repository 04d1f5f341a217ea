// SPDX-License-Identifier: Apache-2.0

import Bytes
import Foundation
import Instrumentation
import Model
import Platform
import Storage
import TSDB
import Testing

private let hour: Int64 = 3_600_000

private func series(_ job: String) -> Labels { Labels(["__name__": "m", "job": job]) }

private func rule(_ job: String, hours: Int64) -> SeriesRetention {
    SeriesRetention(selectors: [[Matcher("job", equals: job)]], time: hours * hour)
}

/// Series `short`, `long` and `other` with a sample a minute over a number of hours, in blocks.
private func database(
    _ scratch: Scratch, _ head: MemoryHead, hours: Int64 = 21, time: Int64 = 0,
    largest: Int64 = 2, _ rules: [SeriesRetention] = [],
    _ fileSystem: any FileSystem = LocalFileSystem(), _ registry: Registry = Registry()
) throws -> Database {
    if head.everything.isEmpty {
        for job in ["long", "other", "short"] {
            head.add(
                series(job),
                (0..<(hours * 60)).map { Sample(timestamp: $0 * 60_000, value: Double($0)) })
        }
    }
    var options = DatabaseOptions()
    options.largestBlockRange = largest * hour
    options.settings.retention.time = time * hour
    options.settings.retention.series = rules
    let environment = DatabaseEnvironment(fileSystem: fileSystem, registry: registry)
    return try Database.open(scratch.path, options, environment) { _ in head }
}

/// The hour of the first sample that is shown of a series; nil where there is none.
private func firstHour(_ database: Database, _ job: String) throws -> Double? {
    let found = try contents(database, [Matcher("job", equals: job)], always)
    return found[series(job)]?.first.map { Double($0.timestamp) / Double(hour) }
}

private func jobs(_ database: Database, through end: Int64) throws -> [String] {
    let querier = try database.querier(over: TimeRange(start: 0, end: end * hour - 1))
    return try querier.labelValues("job", [])
}

@Suite struct SeriesRetentionTests {
    @Test("Series with a shorter time leave the blocks, those with a longer one stay")
    func seriesGoAndStay() throws {
        let scratch = Scratch()
        let head = MemoryHead()
        let registry = Registry()
        let rules = [rule("short", hours: 3), rule("long", hours: 0)]
        let database = try database(scratch, head, time: 8, rules, LocalFileSystem(), registry)
        try database.maintain()
        // The newest block ends at 18 h.
        #expect(database.blocks.map(\.meta.range.end).max() == 18 * hour)
        #expect(try firstHour(database, "short") == 15)
        #expect(try firstHour(database, "other") == 10)
        #expect(try firstHour(database, "long") == 0)
        #expect(try jobs(database, through: 8) == ["long"])
        #expect(try jobs(database, through: 12) == ["long", "other"])
        #expect(database.blocks.map(\.meta.statistics.series) == [1, 1, 1, 2, 2, 3, 3])
        #expect(scratch.blockNames.count == database.blocks.count)
        #expect(value(of: "narthex_tsdb_series_retention_rewrites_total", registry) == 7)
        #expect(value(of: "narthex_tsdb_series_retention_dropped_series_total", registry) == 12)
        // Nothing more is to be done, and a new start shows the same.
        let names = scratch.blockNames
        try database.maintain()
        #expect(scratch.blockNames == names)
        try database.close()
        let again = try self.open(scratch, head, time: 8, rules)
        #expect(try firstHour(again, "other") == 10)
        #expect(try firstHour(again, "long") == 0)
    }

    private func open(
        _ scratch: Scratch, _ head: MemoryHead, time: Int64, _ rules: [SeriesRetention]
    ) throws -> Database { try database(scratch, head, time: time, rules) }

    @Test(
        "The first rule that a series fulfils counts",
        arguments: [
            ([rule("short", hours: 4), rule("short", hours: 0)], 14.0),
            ([rule("short", hours: 0), rule("short", hours: 4)], 0.0),
            (
                [SeriesRetention(selectors: [[], [Matcher("job", equals: "x")]], time: 5 * hour)],
                13
            ),
        ] as [([SeriesRetention], Double)])
    func theFirstRuleCounts(rules: [SeriesRetention], expected: Double) throws {
        let database = try database(Scratch(), MemoryHead(), rules)
        try database.maintain()
        #expect(try firstHour(database, "short") == expected)
    }

    @Test("What is beyond its time is hidden before it is removed, to the sample")
    func expiredSamplesAreHidden() throws {
        let scratch = Scratch()
        let head = MemoryHead()
        let database = try database(scratch, head, time: 0, largest: 6)
        try database.maintain()
        #expect(database.blocks.map { $0.meta.range.end / hour } == [6, 12, 14, 16, 18])
        let before = scratch.blockNames
        var settings = DatabaseSettings()
        settings.retention.time = 6 * hour
        settings.retention.series = [
            rule("short", hours: 8), rule("long", hours: 0),
        ]
        try database.apply(settings)
        #expect(scratch.blockNames == before)
        #expect(try firstHour(database, "short") == 10)
        #expect(try firstHour(database, "other") == 12)
        #expect(try firstHour(database, "long") == 0)
        #expect(try jobs(database, through: 6) == ["long"])
        #expect(try jobs(database, through: 12) == ["long", "short"])
        let early = TimeRange(start: 0, end: 9 * hour)
        #expect(try contents(database, [], early).keys.sorted() == [series("long")])
        try database.maintain()
        #expect(try firstHour(database, "short") == 10)
        #expect(try firstHour(database, "other") == 12)
        #expect(database.blocks.map(\.meta.statistics.series) == [1, 2, 3, 3, 3])
    }

    @Test("Merging leaves out the chunks that are beyond their time, and merges what stays further")
    func mergingLeavesOut() throws {
        let scratch = Scratch()
        let rules = [rule("short", hours: 3), rule("long", hours: 0)]
        let database = try database(
            scratch, MemoryHead(), hours: 57, time: 8, largest: 6, rules)
        try database.maintain()
        #expect(try firstHour(database, "short") == 51)
        #expect(try firstHour(database, "other") == 46)
        #expect(try firstHour(database, "long") == 0)
        // Beyond the time of the rest blocks may grow larger than 6 h.
        #expect(database.blocks.map { $0.meta.range.end / hour }.first == 18)
        let last = try #require(database.blocks.first { $0.meta.range.end == 54 * hour })
        #expect(last.meta.statistics.series == 3)
    }

    @Test("The limit of the size counts for all series")
    func sizeGoesBefore() throws {
        let scratch = Scratch()
        let database = try database(scratch, MemoryHead(), [rule("long", hours: 0)])
        try database.maintain()
        var settings = DatabaseSettings()
        settings.retention.series = [rule("long", hours: 0)]
        settings.retention.bytes = database.blocks.suffix(3).reduce(0) { $0 + $1.byteCount }
        try database.apply(settings)
        try database.maintain()
        #expect(try firstHour(database, "long") == 12)
    }

    @Test("A disk that fails at any moment costs neither what stays nor the folder")
    func failuresCostNothing() throws {
        let rules = [rule("short", hours: 3), rule("long", hours: 0)]
        for change in stride(from: 0, to: 60, by: 3) {
            let scratch = Scratch()
            let head = MemoryHead()
            let fileSystem = FailingFileSystem()
            let first = try database(scratch, head, time: 0, [], fileSystem)
            try first.maintain()
            var settings = DatabaseSettings()
            settings.retention.time = 8 * hour
            settings.retention.series = rules
            try first.apply(settings)
            fileSystem.fail(at: change, isFinal: true)
            _ = try? first.maintain()
            fileSystem.fail(at: .max, isFinal: false)
            // As after a crash: another database opens the same folder.
            try? first.close()
            let again = try database(scratch, head, time: 8, rules)
            try again.maintain()
            #expect(try firstHour(again, "long") == 0)
            #expect(try firstHour(again, "other") == 10)
            #expect(try firstHour(again, "short") == 15)
            #expect(scratch.blockNames.count == again.blocks.count)
        }
    }
}
