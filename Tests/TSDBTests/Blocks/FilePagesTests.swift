// SPDX-License-Identifier: Apache-2.0

import Model
import Platform
import Storage
import Synchronization
import TSDB
import Testing

/// Says what is mapped, as it is told, and how often it was asked.
private final class Meter: Sendable {
    private let state: Mutex<(mapped: Int, calls: Int)>

    init() { state = Mutex((0, 0)) }

    var mapped: Int {
        get { state.withLock { $0.mapped } }
        set { state.withLock { $0.mapped = newValue } }
    }
    var calls: Int { state.withLock { $0.calls } }

    func read() -> Int {
        state.withLock { state in
            state.calls += 1
            return state.mapped
        }
    }
}

@Suite struct FilePagesTests {
    private func database(_ scratch: Scratch, _ meter: Meter) throws -> Database {
        var options = DatabaseOptions()
        options.settings.retention.time = 0
        options.filePages = FilePages(limit: 100) { meter.read() }
        return try Database.open(scratch.path, options, DatabaseEnvironment())
    }

    private func select(_ database: Database) throws -> any SeriesSet {
        try database.querier(over: always).select([], hints: SelectHints(range: always))
    }

    @Test("Pages are let go of where more are mapped than were left and the limit allows")
    func release() throws {
        let scratch = Scratch()
        let meter = Meter()
        let database = try database(scratch, meter)
        // Asked twice, before and after, where pages are released.
        for (mapped, calls) in [(50, 1), (150, 1), (151, 2), (250, 1), (20, 1), (120, 1), (121, 2)]
        {
            let before = meter.calls
            meter.mapped = mapped
            _ = try select(database)
            #expect(meter.calls - before == calls, "with \(mapped) mapped")
        }
    }

    @Test("A query over many series looks after pages while it reads", arguments: [0, 3])
    func withinQuery(hours: Int64) throws {
        let scratch = Scratch()
        let meter = Meter()
        let database = try database(scratch, meter)
        let refs = try database.resolve(
            (0..<600).map { Labels(["__name__": "m", "n": "\($0)"]) })
        for time in [0, hours * 3_600_000 + 1] {
            var batch = SampleBatch(sharedTimestamp: time)
            for ref in refs { batch.append(ref, Double(time)) }
            _ = try database.commit(batch, .skipFaulty)
        }
        try database.maintain()
        #expect(database.blocks.count == (hours > 0 ? 1 : 0))
        let set = try select(database)
        let before = meter.calls
        var columns = SampleColumns()
        for index in 0..<set.count { try set.read(index, always, into: &columns) }
        #expect(columns.values.count == 1200)
        // Once in 256 series of each part.
        #expect(meter.calls - before == (hours > 0 ? 4 : 2))
    }
}
