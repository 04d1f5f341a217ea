// SPDX-License-Identifier: Apache-2.0

import Bytes
import ChunkEncoding
import Foundation
import Model
import Platform
import Storage
import Synchronization
import TSDB
import Testing

private let hour: Int64 = 3_600_000

private func open(
    _ scratch: Scratch, _ head: MemoryHead = MemoryHead(),
    _ change: (inout DatabaseOptions) -> Void = { _ in }
) throws -> Database {
    var options = DatabaseOptions()
    options.settings.retention.time = 0
    change(&options)
    return try Database.open(scratch.path, options, DatabaseEnvironment()) { _ in head }
}

/// Some series with a sample a minute over a number of hours.
private func fill(_ head: MemoryHead, from start: Int64 = 0, hours: Int64, series: Int = 5) {
    for number in 0..<series {
        let labels = Labels(["__name__": "m", "n": "\(number)"])
        let samples = (0..<(hours * 60)).map {
            Sample(timestamp: start + $0 * 60_000, value: Double($0 * Int64(number)))
        }
        head.add(labels, samples)
    }
}

private func ranges(_ database: Database) -> [[Int64]] {
    database.blocks.map { [$0.meta.range.start / hour, $0.meta.range.end / hour] }
}

@Test("A long head is cut into blocks and these are merged, and nothing is lost on the way")
func headsBecomeBlocks() throws {
    let scratch = Scratch()
    let head = MemoryHead()
    let database = try open(scratch, head) { $0.largestBlockRange = 18 * hour }
    fill(head, hours: 27)
    let before = head.everything
    try database.maintain()
    #expect(try contents(database) == before)
    #expect(ranges(database) == [[0, 18], [18, 20], [20, 22], [22, 24]])
    try database.close()

    let again = try open(scratch, head) { $0.largestBlockRange = 18 * hour }
    #expect(try contents(again) == before)
    let range = TimeRange(start: 17 * hour, end: 25 * hour)
    let expected = before.mapValues { samples in
        samples.filter { range.start <= $0.timestamp && $0.timestamp <= range.end }
    }
    #expect(try contents(again, [], range) == expected)
    #expect(again.blocks[0].meta.compaction.level == 3)
    #expect(again.blocks[0].meta.compaction.sources.count == 9)
    #expect(again.blocks[0].meta.statistics.samples == 5 * 18 * 60)
}

@Test("A commit asks for upkeep once when the head is due")
func commitsAskForUpkeep() throws {
    let scratch = Scratch()
    let calls = Calls()
    let database = try open(scratch) { $0.onMaintenanceDue = { calls.increment() } }
    let refs = try database.resolve([Labels(["a": "b"])])
    func commit(_ timestamp: Int64) throws {
        var batch = SampleBatch(sharedTimestamp: timestamp)
        batch.append(refs[0], 1)
        _ = try database.commit(batch, .skipFaulty)
    }
    try commit(0)
    try commit(3 * hour)
    #expect(calls.count == 0)
    try commit(3 * hour + 1)
    try commit(3 * hour + 2)
    #expect(calls.count == 1)
    try database.maintain()
    #expect(ranges(database) == [[0, 2]])
    try commit(6 * hour)
    #expect(calls.count == 1)
    try commit(6 * hour + 2)
    #expect(calls.count == 2)
}

private final class Calls: Sendable {
    private let value = Mutex(0)
    var count: Int { value.withLock { $0 } }
    func increment() { value.withLock { $0 += 1 } }
}

@Test("Blocks that overlap are read as one and merged to one")
func overlapsAreMerged() throws {
    let scratch = Scratch()
    let labels = [Labels(["a": "1"]), Labels(["a": "2"]), Labels(["a": "3"])]
    let first = (0..<200).map { Sample(timestamp: Int64($0) * 1000, value: 1) }
    // Where both have a time they agree: which of two values counts, `LateSamplesTests` show.
    let second = (100..<300).map { (number: Int64) in
        Sample(
            timestamp: number * 1000 + number % 2,
            value: number < 200 && number % 2 == 0 ? 1 : 2)
    }
    func write(_ series: [Labels: [Sample]], seed: UInt64) throws {
        var generator = SplitMix(state: seed)
        let times = series.values.flatMap { $0.map(\.timestamp) }
        let meta = BlockMeta(
            id: ULID(milliseconds: Int64(seed), using: &generator),
            range: TimeRange(start: times.min()!, end: times.max()! + 1))
        _ = try BlockWriter(scratch.path, LocalFileSystem())
            .write(MemorySource(series: series), meta)
    }
    try write([labels[0]: first, labels[1]: first], seed: 1)
    try write([labels[0]: second, labels[2]: second], seed: 2)
    var merged: [Int64: Double] = [:]
    for sample in second + first { merged[sample.timestamp] = sample.value }
    let expected = [
        labels[0]: merged.sorted { $0.key < $1.key }.map {
            Sample(timestamp: $0.key, value: $0.value)
        },
        labels[1]: first, labels[2]: second,
    ]
    let database = try open(scratch)
    #expect(try contents(database) == expected)
    try database.maintain()
    #expect(scratch.blockNames.count == 1)
    #expect(database.blocks.count == 1)
    #expect(try contents(database) == expected)
}

@Test("Retention removes whole blocks, also while a query reads them")
func retentionIsSafeUnderQueries() throws {
    let scratch = Scratch()
    let head = MemoryHead()
    let database = try open(scratch, head) {
        $0.largestBlockRange = 2 * hour
        $0.settings.retention.time = 4 * hour
    }
    fill(head, hours: 13)
    let querier = try database.querier(over: always)
    try database.maintain()
    #expect(ranges(database) == [[6, 8], [8, 10]])
    let all = try database.querier(over: always)
    fill(head, from: 13 * hour, hours: 10)
    try database.maintain()
    let set = try all.select([], hints: SelectHints(range: always))
    var columns = SampleColumns()
    try set.read(0, TimeRange(start: 0, end: 12 * hour - 1), into: &columns)
    #expect(columns.timestamps.count > 200)
    #expect(scratch.blockNames.count == database.blocks.count)
    _ = querier
}

@Test("Other limits count from the next round on, without a new start")
func retentionChangesWhileOpen() throws {
    let scratch = Scratch()
    let head = MemoryHead()
    var environment = DatabaseEnvironment()
    environment.diskSize = { _ in 100_000 }
    var options = DatabaseOptions()
    options.largestBlockRange = 2 * hour
    options.settings.retention.time = 0
    let database = try Database.open(scratch.path, options, environment) { _ in head }
    fill(head, hours: 21)
    try database.maintain()
    #expect(database.blocks.count == 9)
    var settings = options.settings
    settings.retention.time = 10 * hour
    try database.apply(settings)
    try database.maintain()
    #expect(ranges(database).first == [8, 10])
    func expose(_ name: String) -> Double? { value(of: name, environment.registry) }
    #expect(expose("prometheus_tsdb_retention_limit_seconds") == 36_000)
    #expect(expose("prometheus_tsdb_time_retentions_total") == 1)
    #expect(expose("prometheus_tsdb_size_retentions_total") == 0)

    // Room for two blocks, as bytes and as a share of the disk, which goes before the bytes.
    let room = database.blocks.suffix(2).reduce(0) { $0 + $1.byteCount }
    settings.retention.time = 0
    settings.retention.bytes = 1 << 40
    settings.retention.percentage = (Double(room) + 0.5) / 1000
    try database.apply(settings)
    try database.maintain()
    #expect(ranges(database) == [[14, 16], [16, 18]])
    #expect(expose("prometheus_tsdb_size_retentions_total") == 1)
    settings.retention.percentage = 0
    settings.retention.bytes = room - 1
    try database.apply(settings)
    try database.maintain()
    #expect(ranges(database) == [[16, 18]])
}

@Test("A damaged block is left out, stays on disk, and the rest is served")
func damagedBlocksAreSetAside() throws {
    let scratch = Scratch()
    let head = MemoryHead()
    var database = try open(scratch, head) { $0.largestBlockRange = 2 * hour }
    fill(head, hours: 8)
    try database.maintain()
    #expect(database.blocks.count == 3)
    let victim = database.blocks[1].meta
    try database.close()
    let index = "\(scratch.path)/\(victim.id)/index"
    try Data(contentsOf: URL(fileURLWithPath: index)).dropLast(20)
        .write(to: URL(fileURLWithPath: index))
    database = try open(scratch, head) { $0.largestBlockRange = 2 * hour }
    #expect(database.blocks.count == 2)
    #expect(scratch.blockNames.count == 3)
    let times = try contents(database)[Labels(["__name__": "m", "n": "1"])]!.map(\.timestamp)
    #expect(times.allSatisfy { $0 < victim.range.start || $0 >= victim.range.end })
    try database.maintain()
    #expect(scratch.blockNames.count == 3)
}

@Test("What an interrupted run left behind goes at the next start; other folders stay")
func leftoversAreRemoved() throws {
    let scratch = Scratch()
    for name in [
        "01M814WHH6PBMZ1HWTD0XJAJ0G.tmp-for-creation",
        "01M814WHH6PBMZ1HWTD0XJAJ0G.tmp-for-deletion",
        "01M814WHH6PBMZ1HWTD0XJAJ0G.tmp", "mine.tmp", "wal", "snapshots",
    ] {
        try FileManager.default.createDirectory(
            atPath: "\(scratch.path)/\(name)/chunks", withIntermediateDirectories: true)
    }
    _ = try open(scratch)
    #expect(scratch.names() == ["lock", "mine.tmp", "snapshots", "wal"])
}

@Test("A block whose data is in a merged one is removed at the start")
func parentsAreRemoved() throws {
    let scratch = Scratch()
    let head = MemoryHead()
    let database = try open(scratch, head) { $0.largestBlockRange = 2 * hour }
    fill(head, hours: 6)
    try database.maintain()
    let blocks = database.blocks
    #expect(blocks.count == 2)
    // A merge that was interrupted before it could remove its parents.
    let merge = BlockMerge(blocks)
    var generator = SplitMix(state: 1)
    let id = ULID(milliseconds: 5, using: &generator)
    _ = try BlockWriter(scratch.path, LocalFileSystem()).write(merge, merge.meta(id: id))
    #expect(scratch.blockNames.count == 3)
    try database.close()
    let again = try open(scratch, head)
    #expect(again.blocks.map(\.meta.id) == [id])
    #expect(scratch.blockNames == ["\(id)"])
}

@Test("A folder is open in one place at a time, and says how it was left")
func foldersAreLocked() throws {
    let scratch = Scratch()
    let database = try open(scratch)
    #expect(throws: StorageError.self) { _ = try open(scratch) }
    #expect(scratch.names() == ["lock"])
    try database.close()
    #expect(scratch.names() == [])
    #expect(throws: StorageError.self) { _ = try database.querier(over: always) }
}

@Test("A snapshot holds all data, the head's as a block")
func snapshotsAreComplete() throws {
    let scratch = Scratch()
    let head = MemoryHead()
    let database = try open(scratch, head)
    fill(head, hours: 7)
    try database.maintain()
    let before = try contents(database)
    for (includingHead, count) in [(false, 2), (true, 3)] {
        let name = try database.snapshot(includingHead: includingHead)
        #expect(name.wholeMatch(of: /\d{8}T\d{6}Z-[0-9a-f]+/) != nil)
        let copies = try FileManager.default.contentsOfDirectory(
            atPath: "\(scratch.path)/snapshots/\(name)")
        #expect(copies.count == count)
        if includingHead {
            let copy = try Database.open(
                "\(scratch.path)/snapshots/\(name)", DatabaseOptions(), DatabaseEnvironment()
            ) { _ in MemoryHead() }
            #expect(try contents(copy) == before)
        }
    }
}

@Test("meta.json keeps what it does not know and looks as upstream writes it")
func metasKeepForeignKeys() throws {
    let scratch = Scratch()
    let head = MemoryHead()
    let database = try open(scratch, head)
    fill(head, hours: 4)
    try database.maintain()
    let id = database.blocks[0].meta.id
    try database.close()
    let path = "\(scratch.path)/\(id)/meta.json"
    let text = try String(contentsOfFile: path, encoding: .utf8)
    #expect(
        text == """
            {
            \t"ulid": "\(id)",
            \t"minTime": 0,
            \t"maxTime": 7200000,
            \t"stats": {
            \t\t"numSamples": 600,
            \t\t"numFloatSamples": 600,
            \t\t"numSeries": 5,
            \t\t"numChunks": 5
            \t},
            \t"compaction": {
            \t\t"level": 1,
            \t\t"sources": [
            \t\t\t"\(id)"
            \t\t]
            \t},
            \t"version": 1
            }
            """)
    let foreign = text.replacing(
        "\"version\": 1",
        with:
            "\"version\": 1,\n\t\"thanos\": {\n\t\t\"labels\": {\n\t\t\t\"a\": \"<b>\"\n\t\t},\n\t\t\"files\": []\n\t}"
    )
    try foreign.write(toFile: path, atomically: false, encoding: .utf8)
    let block = try Block("\(scratch.path)/\(id)", LocalFileSystem())
    let copy = Scratch()
    _ = try BlockWriter(copy.path, LocalFileSystem()).write(BlockMerge([block]), block.meta)
    let written = try String(contentsOfFile: "\(copy.path)/\(id)/meta.json", encoding: .utf8)
    #expect(written.contains("\t\"thanos\": {\n\t\t\"labels\": {\n\t\t\t\"a\": "))
}

@Test("A disk that refuses any one change, or all from there on, costs no sample")
func fullDisksCostNothing() throws {
    let calm = FailingFileSystem()
    func upkeep(_ scratch: Scratch, _ disk: FailingFileSystem, _ head: MemoryHead) throws
        -> Database
    {
        var options = DatabaseOptions()
        options.settings.retention.time = 0
        options.largestBlockRange = 6 * hour
        return try Database.open(
            scratch.path, options, DatabaseEnvironment(fileSystem: disk)
        ) { _ in head }
    }
    func round(_ change: Int, isFinal: Bool) throws -> Int {
        let scratch = Scratch()
        let head = MemoryHead()
        fill(head, hours: 12, series: 2)
        let before = head.everything
        let disk = FailingFileSystem()
        do {
            let database = try upkeep(scratch, disk, head)
            disk.fail(at: change, isFinal: isFinal)
            try? database.maintain()
            #expect(try contents(database) == before, "change \(change)")
            if !isFinal {
                try database.maintain()
                #expect(try contents(database) == before, "change \(change)")
            }
            try? database.close()
        }
        let again = try upkeep(scratch, calm, head)
        #expect(try contents(again) == before, "change \(change), after a restart")
        try again.maintain()
        #expect(try contents(again) == before, "change \(change), after a restart and upkeep")
        #expect(scratch.names().allSatisfy { !$0.contains("tmp") })
        try again.close()
        return disk.count
    }
    let changes = try round(.max, isFinal: false)
    #expect(changes > 60)
    // Every change in turn takes minutes; these steps meet all kinds of them.
    for change in stride(from: 0, to: changes, by: rounds(7, usual: 29)) {
        _ = try round(change, isFinal: change % 2 == 0)
    }
}
