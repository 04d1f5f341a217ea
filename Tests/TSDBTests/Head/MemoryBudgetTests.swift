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

/// A meter and a clock that are set by hand.
private final class Meter: Sendable {
    private let values = Mutex((bytes: 0, time: UInt64(0), readings: 0))

    func set(_ bytes: Int) { values.withLock { $0.bytes = bytes } }
    func pass(seconds: Double) { values.withLock { $0.time += UInt64(seconds * 1e9) } }
    var readings: Int { values.withLock { $0.readings } }

    func budget(_ limit: Int) -> MemoryBudget {
        MemoryBudget(
            limit: limit,
            meter: {
                self.values.withLock {
                    $0.readings += 1
                    return $0.bytes
                }
            }, now: { self.values.withLock { $0.time } })
    }
}

private func labels(_ numbers: Range<Int>) -> [Labels] {
    numbers.map { Labels(["__name__": "m", "n": "\($0)"]) }
}

private func database(
    _ folder: TemporaryFolder, _ budget: MemoryBudget, _ registry: Registry,
    onDue: (@Sendable () -> Void)? = nil
) throws -> Database {
    var options = DatabaseOptions()
    options.settings.retention.time = 0
    options.memory = budget
    options.onMaintenanceDue = onDue
    return try Database.open(folder.path, options, DatabaseEnvironment(registry: registry))
}

extension Database {
    @discardableResult
    fileprivate func add(_ refs: [SeriesRef], _ time: Int64, _ value: Double) throws -> Int {
        var batch = SampleBatch(sharedTimestamp: time * minute)
        for ref in refs { batch.append(ref, value) }
        return try commit(batch, .skipFaulty).stored
    }
}

@Suite struct MemoryBudgetTests {
    @Test("At the budget new series are refused, known ones go on, and later new ones are taken")
    func newSeriesAreRefused() throws {
        let folder = TemporaryFolder()
        let meter = Meter()
        let registry = Registry()
        let database = try database(folder, meter.budget(1000), registry)
        let known = try database.resolve(labels(0..<1024))
        #expect(!known.contains(.refused))
        // Measured once for each 1024 series, so that what it costs is nothing for one.
        #expect(meter.readings == 1)
        meter.set(1000)
        let more = try database.resolve(labels(1000..<1100))
        #expect(Array(more[..<24]) == Array(known[1000...]))
        #expect(more[24...].allSatisfy { $0 == .refused })
        #expect(value(of: "narthex_head_series_refused_total", registry) == 76)
        #expect(try database.add(known + more[24...], 1, 1) == 1024)
        #expect(try database.resolve(labels(5..<7)) == Array(known[5..<7]))

        // Not measured for each refusal, but again after a while.
        meter.set(900)
        let readings = meter.readings
        #expect(try database.resolve(labels(2000..<2001)) == [.refused])
        #expect(meter.readings == readings)
        meter.pass(seconds: 0.2)
        #expect(try database.resolve(labels(2000..<2001)) != [.refused])
        #expect(value(of: "narthex_memory_budget_used_bytes", registry) == 900)
        #expect(value(of: "narthex_memory_budget_bytes", registry) == 1000)
    }

    @Test("Near the budget series that ended leave, the head is cut early, and nothing is lost")
    func roomIsMade() throws {
        let folder = TemporaryFolder()
        let meter = Meter()
        let registry = Registry()
        let requests = Mutex(0)
        let database = try database(folder, meter.budget(1_000_000), registry) {
            requests.withLock { $0 += 1 }
        }
        meter.set(100_000)
        let refs = try database.resolve(labels(0..<100))
        for time in Int64(0)..<30 { try database.add(refs, time, Double(time)) }
        try database.add(Array(refs[..<10]), 30, StaleMarker.value)
        for time in Int64(30)..<110 { try database.add(Array(refs[20...]), time, Double(time)) }
        let before = try seenSamples(database)
        try database.maintain()
        #expect(database.blocks.isEmpty)
        #expect(requests.withLock { $0 } == 0)

        meter.set(950_000)
        try database.maintain()
        #expect(try seenSamples(database) == before)
        // Ten ended; ten more have no sample in the last hour. The block ends an hour ago.
        #expect(value(of: "prometheus_tsdb_head_series", registry) == 80)
        #expect(database.blocks.map(\.meta.range.end).sorted() == [49 * minute, 120 * minute])
        #expect(value(of: "narthex_memory_budget_reliefs_total", registry) == 1)
        // Not again at once, and a commit asks for it when it is time.
        try database.add(Array(refs[20...]), 110, 0)
        try database.maintain()
        #expect(requests.withLock { $0 } == 0)
        meter.pass(seconds: 61)
        try database.add(Array(refs[20...]), 111, 0)
        #expect(requests.withLock { $0 } == 1)
        // What was taken before is taken still.
        #expect(try database.add([refs[30]], 51, 0) == 0)
        let late = try database.resolve([Labels(["__name__": "new"])])
        #expect(try database.add(late, 52, 0) == 1)
    }

    @Test("What the head can use again counts as free")
    func reusableMemoryIsFree() throws {
        let folder = TemporaryFolder()
        let meter = Meter()
        let registry = Registry()
        let database = try database(folder, meter.budget(100_000), registry)
        let refs = try database.resolve(labels(0..<1024))
        try database.add(refs, 0, 1)
        let last = try database.resolve(labels(5000..<5001))
        // Three hours later the head is cut, and a thousand series are gone.
        try database.add(last, 1, 1)
        try database.add(last, 200, 1)
        try database.maintain()
        #expect(value(of: "prometheus_tsdb_head_series", registry) == 1)
        meter.set(150_000)
        meter.pass(seconds: 1)
        let used = try #require(value(of: "narthex_memory_budget_used_bytes", registry))
        #expect(used < 100_000)
        #expect(!(try database.resolve(labels(0..<2000))).contains(.refused))
    }

    @Test("The process' own memory is measured, without the pages of files")
    func privateMemoryIsMeasured() throws {
        let held = ProcessStatistics.privateMemory
        #expect(held > 1 << 20)
        #expect(held < ProcessStatistics.current().residentMemory)
    }
}
