// SPDX-License-Identifier: Apache-2.0

import Instrumentation
import Model
import Platform
import Storage
import TSDB
import Testing

private let minute: Int64 = 60_000
private let start: Int64 = 1_767_225_600_000
private let range: Int64 = 10 * minute

private func labels(_ number: Int) -> Labels { Labels(["__name__": "m", "n": "\(number)"]) }

/// A database with blocks of ten minutes, into which samples may come four hours late.
private func open(
    _ path: String, samplesPerChunk: Int = 120, budget: MemoryBudget? = nil
) throws -> Database {
    var options = DatabaseOptions()
    options.blockRange = range
    options.largestBlockRange = range
    options.memory = budget
    options.settings.retention.time = 0
    options.settings.outOfOrderWindow = 24 * range
    return try Database.open(path, options, DatabaseEnvironment()) {
        (minValidTime) throws(StorageError) in
        var headOptions = HeadOptions()
        headOptions.blockRange = range
        headOptions.writesInBackground = false
        headOptions.outOfOrderWindow = 24 * range
        headOptions.samplesPerChunk = samplesPerChunk
        headOptions.memory = budget
        return try Head.open(
            path, headOptions, minValidTime: minValidTime, LocalFileSystem(), Registry())
    }
}

extension Database {
    /// Commits one sample for each of some series.
    fileprivate func add(_ samples: [(number: Int, time: Int64, value: Double)]) throws {
        let refs = try resolve(samples.map { labels($0.number) })
        var batch = SampleBatch(sharedTimestamp: start)
        for (ref, sample) in zip(refs, samples) {
            batch.append(ref, sample.value, at: start + sample.time)
        }
        #expect(try commit(batch, .skipFaulty).stored == samples.count)
    }

    fileprivate func add(_ number: Int, minutes: ClosedRange<Int64>) throws {
        for time in minutes { try add([(number, time * minute, Double(time))]) }
    }

    /// The minutes of all samples of a series.
    fileprivate func minutes(_ number: Int) throws -> [Int64] {
        try (contents(self)[labels(number)] ?? []).map { ($0.timestamp - start) / minute }
    }
}

@Suite struct LateSamplesTests {
    @Test("Of several values for one time that is shown which Prometheus shows")
    func repeats() throws {
        let folder = Scratch()
        let database = try open(folder.path)
        var expected: [Int: [Int64: Double]] = [:]
        func pair(_ text: Substring) throws -> (Int64, Double) {
            let parts = text.split(separator: "=")
            return (try #require(Int64(parts[0])), try #require(Double(parts[1])))
        }
        func compare() throws {
            for (number, samples) in expected {
                let seen = try contents(database)[labels(number)] ?? []
                let found = Dictionary(
                    uniqueKeysWithValues: seen.map { (($0.timestamp - start) / 1000, $0.value) })
                let wrong = found.filter { samples[$0.key] != $0.value }
                #expect(found.count == samples.count && wrong.isEmpty)
            }
            expected = [:]
        }
        for line in lateRepeats.split(separator: "\n") {
            let words = line.split(separator: " ")
            if words[0] != "see" { try compare() }
            switch words[0] {
            case "maintain": try database.maintain()
            case "see":
                let number = try #require(Int(words[1]))
                for word in words.dropFirst(2) {
                    let (second, value) = try pair(word)
                    expected[number, default: [:]][second] = value
                }
            default:
                for batch in words.dropFirst() {
                    try database.add(
                        batch.split(separator: ";").map { sample in
                            let parts = sample.split(separator: "@")
                            let (second, value) = try pair(parts[1])
                            return (try #require(Int(parts[0])), second * 1000, value)
                        })
                }
            }
        }
        try compare()
        try database.close()
    }

    @Test("Late samples that blocks have do not come back into the head with a start")
    func starts() throws {
        let folder = Scratch()
        var database = try open(folder.path, samplesPerChunk: 4)
        try database.add(0, minutes: 1...14)
        try database.add(0, minutes: 17...17)
        try database.add([(1, 17 * minute, 1)])
        // Late, and in the same head chunk file as what stays in the head.
        try database.add(1, minutes: 2...5)
        try database.maintain()
        #expect(try database.minutes(1) == [2, 3, 4, 5, 17])
        try database.close()
        database = try open(folder.path)
        let whole = TimeRange(start: start, end: start + 6 * minute)
        try database.delete(whole, [Matcher("n", equals: "1")])
        #expect(try database.minutes(1) == [17])
        try database.close()
        database = try open(folder.path)
        #expect(try database.minutes(1) == [17])
        try database.close()
    }

    @Test("Late samples older than all others of the head are deleted like these")
    func deletions() throws {
        let folder = Scratch()
        var database = try open(folder.path)
        try database.add(0, minutes: 100...105)
        try database.add(0, minutes: 1...5)
        try database.delete(
            TimeRange(start: start, end: start + 3 * minute), [Matcher("n", equals: "0")])
        #expect(try database.minutes(0) == [4, 5] + Array(100...105))
        try database.close()
        database = try open(folder.path)
        #expect(try database.minutes(0) == [4, 5] + Array(100...105))
        try database.close()
    }

    @Test("A snapshot has the late samples of the head")
    func snapshots() throws {
        let folder = Scratch()
        let database = try open(folder.path)
        try database.add(0, minutes: 50...58)
        try database.add(0, minutes: 11...28)
        let name = try database.snapshot(includingHead: true)
        #expect(try database.minutes(0) == Array(11...28) + Array(50...58))
        try database.close()
        let copy = try open("\(folder.path)/snapshots/\(name)")
        #expect(try copy.minutes(0) == Array(11...28) + Array(50...58))
        try copy.close()
    }

    @Test("A head that was cut early keeps what late blocks reach beyond")
    func earlyCuts() throws {
        let folder = Scratch()
        let budget = MemoryBudget(limit: 100, meter: { 1 << 30 }, now: { 1 << 62 })
        var database = try open(folder.path)
        try database.add(0, minutes: 6...19)
        try database.add(1, minutes: 19...19)
        // Late, in the ten minutes in whose middle the head is cut.
        try database.add(1, minutes: 11...12)
        try database.close()
        database = try open(folder.path, budget: budget)
        try database.maintain()
        #expect(database.blocks.contains { $0.meta.range.end == start + 14 * minute })
        #expect(try database.minutes(0) == Array(6...19))
        try database.close()
        database = try open(folder.path)
        #expect(try database.minutes(0) == Array(6...19))
        #expect(try database.minutes(1) == [11, 12, 19])
        try database.close()
    }
}
