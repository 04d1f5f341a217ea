// SPDX-License-Identifier: Apache-2.0

import Foundation
import Model
import Platform
import Storage
import TSDB
import Testing

private let minute: Int64 = 60_000
private let hour: Int64 = 3_600_000
private let start: Int64 = 1_767_225_600_000
private let seriesCount = 10

private func open(
    _ scratch: Scratch, _ disk: any FileSystem = LocalFileSystem()
) throws -> Database {
    var options = DatabaseOptions()
    options.settings.retention.time = 0
    options.largestBlockRange = 18 * hour
    return try Database.open(scratch.path, options, DatabaseEnvironment(fileSystem: disk))
}

private func labels(_ number: Int) -> Labels {
    Labels(["__name__": "m", "n": "\(number)", "third": "\(number % 3)"])
}

private func load(_ database: Database, hours: Range<Int64>) throws {
    for number in (hours.lowerBound * 60)..<(hours.upperBound * 60) {
        let refs = try database.resolve((0..<seriesCount).map(labels))
        var batch = SampleBatch(sharedTimestamp: start + number * minute)
        for (index, ref) in refs.enumerated() { batch.append(ref, Double(number + Int64(index))) }
        #expect(try database.commit(batch, .skipFaulty).stored == seriesCount)
    }
}

private func third(_ number: Int) throws -> [Matcher] {
    [try Matcher("third", .equal, "\(number)")]
}

private func without(
    _ all: [Labels: [Sample]], _ third: Int, _ range: TimeRange
) -> [Labels: [Sample]] {
    var rest: [Labels: [Sample]] = [:]
    for (labels, samples) in all {
        let kept = samples.filter {
            labels["third"] != "\(third)" || $0.timestamp < range.start || range.end < $0.timestamp
        }
        if !kept.isEmpty { rest[labels] = kept }
    }
    return rest
}

private func stones(_ database: Database) -> [Int64] {
    database.blocks.map(\.meta.statistics.tombstones)
}

@Test("What is shown after a deletion that failed is what the next start shows")
func failedDeletionsAreWholeOrNothing() throws {
    for change in 0..<12 {
        let scratch = Scratch()
        let disk = FailingFileSystem()
        var database = try open(scratch, disk)
        try load(database, hours: 0..<4)
        try database.maintain()
        disk.fail(at: change, isFinal: false)
        let range = TimeRange(start: start, end: start + hour)
        // Which change it is that fails decides whether anything is deleted.
        try? database.delete(range, try third(1))
        disk.fail(at: .max, isFinal: false)
        let shown = try contents(database)
        try database.close()
        database = try open(scratch)
        #expect(try contents(database) == shown, "change \(change)")
        try database.close()
    }
}

@Test("Deletions hold in blocks and head, through restarts, merges and cleaning")
func deletionsHoldEverywhere() throws {
    let scratch = Scratch()
    var database = try open(scratch)
    try load(database, hours: 0..<9)
    try database.maintain()
    #expect(database.blocks.count == 3)
    var expected = try contents(database)
    // From inside the first block to inside the head.
    let range = TimeRange(start: start + hour + 1, end: start + 8 * hour + 30 * minute)
    try database.delete(range, try third(1))
    expected = without(expected, 1, range)
    #expect(try contents(database) == expected)
    #expect(stones(database) == [3, 3, 3])
    try database.close()
    database = try open(scratch)
    #expect(stones(database) == [3, 3, 3])
    #expect(try contents(database) == expected)

    // The same again and a part of it change nothing.
    try database.delete(TimeRange(start: start + 2 * hour, end: start + 3 * hour), try third(1))
    #expect(stones(database) == [3, 3, 3])

    // Everything of one block's series, and all of another third.
    try database.delete(TimeRange(start: .min, end: .max), try third(2))
    expected = without(expected, 2, TimeRange(start: .min, end: .max))
    #expect(try contents(database) == expected)
    let before = database.blocks.map(\.meta)
    try database.cleanTombstones()
    #expect(try contents(database) == expected)
    #expect(stones(database) == [0, 0, 0])
    #expect(database.blocks.map(\.meta.range) == before.map(\.range))
    #expect(database.blocks.map { $0.meta.compaction.parents.map(\.id) } == before.map { [$0.id] })
    #expect(database.blocks.map(\.meta.statistics.series) == [7, 4, 4])
    #expect(scratch.blockNames == database.blocks.map(\.meta.id.description).sorted())

    try load(database, hours: 9..<24)
    try database.delete(range, try third(0))
    expected = without(try contents(database), 0, range)
    try database.maintain()
    #expect(try contents(database) == expected)
    try database.close()
    database = try open(scratch)
    #expect(try contents(database) == expected)
    #expect(database.blocks.contains { $0.meta.compaction.level > 1 })
    try database.close()
}

@Test("A block of which everything is deleted goes when tombstones are cleaned")
func emptiedBlocksGo() throws {
    let scratch = Scratch()
    let database = try open(scratch)
    try load(database, hours: 0..<6)
    try database.maintain()
    let range = TimeRange(start: start, end: start + 2 * hour - 1)
    for number in 0..<3 { try database.delete(range, try third(number)) }
    #expect(try contents(database, [], range).isEmpty)
    try database.cleanTombstones()
    #expect(database.blocks.map(\.meta.range.start) == [start + 2 * hour])
    #expect(scratch.blockNames.count == 1)
    try database.close()
}

@Test(
    "What was deleted from a block does not come back when the block is gone",
    arguments: [false, true])
func deletionsOutliveTheirBlocks(bySize: Bool) throws {
    let scratch = Scratch()
    var database = try open(scratch)
    try load(database, hours: 0..<4)
    try database.maintain()
    let range = TimeRange(start: start, end: start + 2 * hour - 1)
    let expected = try contents(database, [], TimeRange(start: range.end + 1, end: .max))
    if bySize {
        var settings = DatabaseSettings()
        settings.retention.bytes = 1
        try database.apply(settings)
        try database.maintain()
    } else {
        for number in 0..<3 { try database.delete(range, try third(number)) }
        try database.cleanTombstones()
    }
    #expect(database.blocks.isEmpty)
    try database.close()
    // The log has it all still.
    database = try open(scratch)
    #expect(try contents(database) == expected)
    try load(database, hours: 4..<5)
    try database.close()
}

@Test("What was noted of a log is forgotten with the log")
func notesGoWithTheirLog() throws {
    let scratch = Scratch()
    var database = try open(scratch)
    try load(database, hours: 0..<4)
    try database.maintain()
    try database.close()
    for name in scratch.names() where name != "narthex" {
        try FileManager.default.removeItem(atPath: "\(scratch.path)/\(name)")
    }
    database = try open(scratch)
    try load(database, hours: 0..<1)
    let before = try contents(database)
    #expect(before.count == seriesCount)
    try database.close()
    database = try open(scratch)
    #expect(try contents(database) == before)
    try database.close()
}

@Test("A snapshot keeps what is deleted after it")
func snapshotsAreIndependent() throws {
    let scratch = Scratch()
    let database = try open(scratch)
    try load(database, hours: 0..<6)
    try database.maintain()
    let before = try contents(database)
    let name = try database.snapshot(includingHead: true)
    for number in 0..<3 { try database.delete(always, try third(number)) }
    #expect(try contents(database).isEmpty)
    let copy = try Database.open(
        "\(scratch.path)/snapshots/\(name)", DatabaseOptions(), DatabaseEnvironment())
    #expect(try contents(copy) == before)
    try copy.close()
    try database.close()
}

@Test("Compaction chooses large blocks with many deletions, and small ones with nothing left")
func plansFollowDeletions() {
    var generator = SplitMix(state: 3)
    func plan(_ blocks: [(start: Int64, end: Int64, series: Int64, stones: Int64)]) -> [Int64] {
        let metas = blocks.map { block in
            var meta = BlockMeta(
                id: ULID(milliseconds: 1, using: &generator),
                range: TimeRange(start: block.start, end: block.end))
            meta.statistics.series = block.series
            meta.statistics.tombstones = block.stones
            return meta
        }
        return CompactionPlan.next(metas, ranges: [20, 60, 180]).map(\.range.start)
    }
    // Six of a hundred series are too many, five are not; the newest block is never looked at.
    #expect(plan([(0, 60, 100, 6)]) == [])
    #expect(plan([(0, 60, 100, 6), (60, 120, 100, 0), (120, 140, 10, 10)]) == [0])
    #expect(plan([(0, 60, 100, 5), (60, 120, 100, 0), (120, 140, 10, 10)]) == [])
    // A small block stops the search, unless nothing is left in it.
    #expect(plan([(0, 60, 100, 50), (60, 80, 10, 9), (80, 100, 10, 0)]) == [])
    #expect(plan([(0, 60, 100, 50), (60, 80, 10, 10), (80, 100, 10, 0)]) == [60])
}
