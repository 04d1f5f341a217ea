// SPDX-License-Identifier: Apache-2.0

import Foundation
import Instrumentation
import Model
import Platform
import Storage
import Synchronization
import TSDB
import Testing

private let minute: Int64 = 60_000
private let hour: Int64 = 3_600_000
private let start: Int64 = 1_767_225_600_000

private func open(_ scratch: Scratch) throws -> Database {
    var options = DatabaseOptions()
    options.settings.retention.time = 0
    options.largestBlockRange = 18 * hour
    return try Database.open(scratch.path, options, DatabaseEnvironment())
}

private let series = (0..<7).map { Labels(["__name__": "m", "n": "\($0)"]) }

/// Commits a sample of each series at minutes of a range.
private func load(_ database: Database, _ minutes: Range<Int64>) throws {
    let refs = try database.resolve(series)
    var current = refs
    for number in minutes {
        var batch = SampleBatch(sharedTimestamp: start + number * minute)
        for (index, ref) in current.enumerated() {
            batch.append(ref, Double(number) * Double(index))
        }
        let outcome = try database.commit(batch, .skipFaulty)
        if outcome.stored != series.count {
            current = try database.resolve(series)
        }
        #expect(outcome.stored == series.count)
    }
}

private func expected(_ minutes: Range<Int64>) -> [Labels: [Sample]] {
    var contents: [Labels: [Sample]] = [:]
    for (index, labels) in series.enumerated() {
        contents[labels] = minutes.map {
            Sample(timestamp: start + $0 * minute, value: Double($0) * Double(index))
        }
    }
    return contents
}

@Test("What is committed is read back from head and blocks, before and after a restart")
func databasesKeepWhatIsCommitted() throws {
    let scratch = Scratch()
    var database = try open(scratch)
    try load(database, 0..<(5 * 60))
    #expect(try contents(database) == expected(0..<300))
    try database.maintain()
    #expect(database.blocks.count == 1)
    #expect(try contents(database) == expected(0..<300))
    try load(database, 300..<1600)
    try database.maintain()
    #expect(try contents(database) == expected(0..<1600))
    try database.close()
    database = try open(scratch)
    #expect(try contents(database) == expected(0..<1600))
    try load(database, 1600..<1700)
    try database.maintain()
    let range = TimeRange(start: start + 1000 * minute, end: start + 1650 * minute)
    #expect(try contents(database, [], range) == expected(1000..<1651))
    let name = try database.snapshot(includingHead: true)
    try database.close()

    let copy = try Database.open(
        "\(scratch.path)/snapshots/\(name)", DatabaseOptions(), DatabaseEnvironment())
    #expect(try contents(copy) == expected(0..<1700))
    try copy.close()
}

@Test("A round that cuts many blocks rewrites the log once, and the log keeps what is not in them")
func roundsRewriteTheLogOnce() throws {
    let scratch = Scratch()
    let registry = Registry()
    var headOptions = HeadOptions()
    headOptions.segmentSize = 32_768
    headOptions.compression = .none
    func open() throws -> Database {
        try Database.open(
            scratch.path, DatabaseOptions(), DatabaseEnvironment(registry: registry)
        ) { (minValidTime) throws(StorageError) in
            try Head.open(
                scratch.path, headOptions, minValidTime: minValidTime, LocalFileSystem(), registry)
        }
    }
    func count(_ name: String) -> Double? { value(of: "prometheus_tsdb_\(name)_total", registry) }
    let database = try open()
    try load(database, 0..<1600)
    #expect(try LocalFileSystem().status(of: "\(scratch.path)/wal/00000000") != nil)
    try database.maintain()
    #expect(count("head_truncations").map { $0 > 5 } == true)
    #expect(count("checkpoint_creations") == 1)
    #expect(try LocalFileSystem().status(of: "\(scratch.path)/wal/00000000") == nil)
    try database.maintain()
    #expect(count("checkpoint_creations") == 1)
    try database.close()
    let reopened = try open()
    #expect(try contents(reopened) == expected(0..<1600))
}

@Test("Queries see every sample once while blocks are cut and merged under them")
func queriesAreConsistentUnderUpkeep() throws {
    let scratch = Scratch()
    let database = try open(scratch)
    let total: Int64 = 2400
    let committed = Atomic<Int64>(0)
    let failures = Mutex<[String]>([])
    func run(_ body: @escaping @Sendable () throws -> Void) throws -> SystemThread {
        try SystemThread("test") {
            do { try body() } catch { failures.withLock { $0.append("\(error)") } }
        }
    }
    let writer = try run {
        let refs = try database.resolve(series)
        for number in 0..<total {
            var batch = SampleBatch(sharedTimestamp: start + number * minute)
            for (index, ref) in refs.enumerated() {
                batch.append(ref, Double(number) * Double(index))
            }
            _ = try database.commit(batch, .skipFaulty)
            committed.store(number + 1, ordering: .releasing)
        }
    }
    let keeper = try run {
        while committed.load(ordering: .acquiring) < total { try database.maintain() }
        try database.maintain()
    }
    let reader = try run {
        while committed.load(ordering: .acquiring) < total {
            let known = committed.load(ordering: .acquiring)
            for (labels, samples) in try contents(database) {
                let isGapless = samples.enumerated().allSatisfy {
                    $1.timestamp == start + Int64($0) * minute
                }
                if !isGapless || samples.count < known {
                    failures.withLock {
                        $0.append("\(labels): \(samples.count) of \(known), \(isGapless)")
                    }
                    return
                }
            }
        }
    }
    for thread in [writer, reader, keeper] { thread.join() }
    #expect(failures.withLock { $0 } == [])
    #expect(try contents(database) == expected(0..<total))
    #expect(database.blocks.count > 2)
    try database.close()
}
