// SPDX-License-Identifier: Apache-2.0

import Foundation
import Instrumentation
import Model
import Platform
import Storage
import TSDB
import Testing

private let minute: Int64 = 60_000
private let hour: Int64 = 3_600_000
private let start: Int64 = 1_767_225_600_000
private let marker = StaleMarker.value

private func labels(_ number: Int) -> Labels { Labels(["__name__": "m", "n": "\(number)"]) }

private struct Opened {
    let database: Database
    let head: Head
}

private func open(
    _ path: String, threshold: Double = 0.4, window: Int64 = 0,
    _ fileSystem: any FileSystem = LocalFileSystem(), _ registry: Registry = Registry()
) throws -> Opened {
    var options = DatabaseOptions()
    options.settings.retention.time = 0
    options.settings.staleSeriesThreshold = threshold
    options.settings.outOfOrderWindow = window
    options.largestBlockRange = 6 * hour
    var found: Head?
    let environment = DatabaseEnvironment(fileSystem: fileSystem, registry: registry)
    let database = try Database.open(path, options, environment) {
        (minValidTime) throws(StorageError) in
        var headOptions = HeadOptions()
        headOptions.writesInBackground = false
        headOptions.outOfOrderWindow = window
        let head = try Head.open(
            path, headOptions, minValidTime: minValidTime, fileSystem, registry)
        found = head
        return head
    }
    return Opened(database: database, head: try #require(found))
}

extension Database {
    /// Commits one sample for each of some series; returns how many were stored.
    @discardableResult
    fileprivate func add(_ numbers: [Int], _ time: Int64, _ value: Double) throws -> Int {
        var batch = SampleBatch(sharedTimestamp: start + time * minute)
        for ref in try resolve(numbers.map(labels)) { batch.append(ref, value) }
        return try commit(batch, .skipFaulty).stored
    }
}

@Suite struct StaleSeriesTests {
    @Test("Series that ended leave the head for a block, and nothing else changes")
    func staleSeriesLeave() throws {
        let folder = TemporaryFolder()
        let registry = Registry()
        let opened = try open(folder.path, LocalFileSystem(), registry)
        let database = opened.database
        for time in 0..<200 { try database.add(Array(0..<10), Int64(time), Double(time)) }
        try database.add(Array(0..<4), 200, marker)
        #expect(value(of: "prometheus_tsdb_head_stale_series", registry) == 4)
        let before = try seenSamples(database)
        let querier = try database.querier(over: always)
        _ = consume querier
        try database.maintain()
        #expect(opened.head.seriesCount == 6)
        #expect(value(of: "prometheus_tsdb_head_stale_series", registry) == 0)
        // The head was cut at two hours by then.
        #expect(database.blocks.map(\.meta.compaction.hints) == [[], ["from-stale-series"]])
        #expect(database.blocks.last?.meta.statistics.series == 4)
        #expect(try seenSamples(database) == before)
        let names = try database.querier(over: TimeRange(start: start + 190 * minute, end: .latest))
        #expect(try names.labelValues("n", []) == (0..<10).map(String.init))

        // As after kill -9, and after a clean end; the second start reads what the first left.
        for one in [try folder.copy(), folder] {
            if one === folder { try database.close() }
            for _ in 0..<2 {
                let again = try open(one.path)
                #expect(again.head.seriesCount == 6)
                #expect(try seenSamples(again.database) == before)
                try again.database.close()
            }
        }
    }

    @Test("Below the threshold they stay", arguments: [(0.0, 10), (0.5, 10), (0.3, 7)])
    func thresholdCounts(threshold: Double, left: Int) throws {
        let folder = TemporaryFolder()
        let opened = try open(folder.path, threshold: threshold)
        try opened.database.add(Array(0..<10), 0, 1)
        try opened.database.add(Array(0..<3), 1, marker)
        try opened.database.maintain()
        #expect(opened.head.seriesCount == left)
    }

    @Test("A series that comes back goes on, before it left and after")
    func returningSeriesGoOn() throws {
        let folder = TemporaryFolder()
        let opened = try open(folder.path)
        let database = opened.database
        for time in 0..<5 { try database.add([0, 1, 2, 3], Int64(time), Double(time)) }
        try database.add([0, 1, 2], 5, marker)
        // One comes back while the others are on their way out.
        let cut = try #require(opened.head.staleSeriesCut())
        #expect(cut.range == TimeRange(start: start, end: start + 5 * minute))
        try database.add([1], 6, 6)
        #expect(try cut.release() == 2)
        #expect(opened.head.seriesCount == 2)
        #expect(try seenSamples(database)[labels(1)]?.count == 7)
        // And one afterwards.
        #expect(try database.add([0, 1], 7, 7) == 2)
        for _ in 0..<2 {
            let copy = try folder.copy()
            let crashed = try open(copy.path)
            let found = try seenSamples(crashed.database)
            #expect(found[labels(0)] == [SeenSample(start + 7 * minute, 7)])
            #expect(found[labels(1)]?.count == 8)
            #expect(found[labels(2)] == nil)
            #expect(found[labels(3)]?.count == 5)
            opened.head.takeSnapshot()
        }
    }

    @Test("Series of histograms leave too; those with late samples stay until these are written")
    func histogramsAndLateSamples() throws {
        let folder = TemporaryFolder()
        let opened = try open(folder.path, threshold: 0.1, window: hour)
        let (database, head) = (opened.database, opened.head)
        try head.add(
            labels(0), (0..<5).map { (start + Int64($0) * minute, .integer(integerHistogram($0))) })
        try head.add(labels(0), [(start + 5 * minute, marker)])
        for time in 10..<15 { try database.add([1, 2], Int64(time), Double(time)) }
        try database.add([1], 3, 3)
        try database.add([1], 15, marker)
        let before = try seenSamples(database)
        #expect(head.staleSeriesCount == 2)
        try database.maintain()
        #expect(head.seriesCount == 2)
        #expect(try seenSamples(database) == before)
        let copy = try folder.copy()
        let crashed = try open(copy.path, threshold: 0.1, window: hour)
        #expect(try seenSamples(crashed.database) == before)
    }

    @Test("A disk that fails at any moment costs no sample")
    func failuresCostNothing() throws {
        for change in 0..<40 {
            let folder = TemporaryFolder()
            let fileSystem = FailingFileSystem()
            let database = try open(folder.path, fileSystem).database
            for time in 0..<150 { try database.add([0, 1, 2, 3], Int64(time), Double(time)) }
            try database.add([0, 1], 150, marker)
            let before = try seenSamples(database)
            fileSystem.fail(at: change, isFinal: true)
            _ = try? database.maintain()
            fileSystem.fail(at: .max, isFinal: false)
            #expect(try seenSamples(database) == before)
            let copy = try folder.copy()
            let again = try open(copy.path)
            #expect(try seenSamples(again.database) == before)
            try again.database.maintain()
            #expect(again.head.seriesCount == 2)
            #expect(try seenSamples(again.database) == before)
        }
    }

    @Test("Random lives of series agree with a dictionary, through restarts", arguments: 1...6)
    func randomLives(seed: Int) throws {
        var random = SeededGenerator(UInt64(seed))
        var folder = TemporaryFolder()
        var opened = try open(folder.path, threshold: 0.2)
        var expected: [Labels: [SeenSample]] = [:]
        for time in Int64(0)..<400 {
            var alive: [Int] = []
            var ended: [Int] = []
            for number in 0..<12 {
                let last = expected[labels(number)]?.last
                let isAlive = last.map { $0.bits != marker.bitPattern } ?? false
                let changes = Int.random(in: 0..<25, using: &random) == 0
                if isAlive != changes {
                    alive.append(number)
                } else if isAlive {
                    ended.append(number)
                }
            }
            try opened.database.add(alive, time, Double(time))
            try opened.database.add(ended, time, marker)
            for number in alive {
                expected[labels(number), default: []].append(
                    SeenSample(start + time * minute, Double(time)))
            }
            for number in ended {
                expected[labels(number), default: []].append(
                    SeenSample(start + time * minute, marker))
            }
            switch Int.random(in: 0..<40, using: &random) {
            case 0: try opened.database.maintain()
            case 1:
                folder = try folder.copy()
                opened = try open(folder.path, threshold: 0.2)
            case 2:
                try opened.head.writePending()
                opened.head.takeSnapshot()
            default: continue
            }
            #expect(try seenSamples(opened.database) == expected)
        }
    }
}
