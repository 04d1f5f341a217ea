// SPDX-License-Identifier: Apache-2.0

import Instrumentation
import Model
import Platform
import Simulation
import Storage
import TSDB
import Testing

/// What is on the device of a data folder, step by step.
@Suite struct PowerCutTests {
    private let disk = MemoryDisk()

    private func openHead(_ other: MemoryDisk? = nil, window: Milliseconds = 0) throws -> Head {
        var options = HeadOptions()
        options.outOfOrderWindow = window
        options.segmentSize = 32_768
        options.compression = .none
        options.samplesPerChunk = 5
        options.writesInBackground = false
        return try Head.open(
            "/data", options, minValidTime: .min, other ?? disk, Registry())
    }

    private func add(_ head: Head, series: Int = 1, at times: Range<Int>) throws {
        let labels = (0..<series).map { Labels(["__name__": "m", "n": "\($0)"]) }
        for time in times { try commit(head, labels, at: time) }
    }

    /// How many samples a series has.
    private func count(
        _ head: Head, in range: TimeRange = TimeRange(start: .min, end: .max)
    ) throws -> Int {
        let set = try head.querier(over: range).select([], hints: SelectHints(range: range))
        guard set.count > 0 else { return 0 }
        var columns = SampleColumns()
        try set.read(0, range, into: &columns)
        return columns.timestamps.count
    }

    @Test("What was synced is found in a folder that was made a moment before the power cut")
    func newFolder() throws {
        let head = try openHead()
        try add(head, at: 0..<3)
        try head.writePending()
        try add(head, at: 3..<4)
        disk.cutPower(.nothingElseSurvives)
        #expect(try count(openHead()) == 3)
    }

    @Test("Segments that were begun are found after a power cut")
    func newSegments() throws {
        let head = try openHead()
        try add(head, series: 2000, at: 0..<4)
        try head.writePending()
        #expect(try disk.entries(of: "/data/wal").count > 2)
        disk.cutPower(.nothingElseSurvives)
        #expect(try count(openHead()) == 4)
    }

    @Test("What a killed process left unsynced is synced by its successor")
    func successor() throws {
        try add(openHead(), at: 0..<3)
        disk.kill()
        let head = try openHead()
        try add(head, at: 3..<5)
        try head.writePending()
        disk.cutPower(.nothingElseSurvives)
        #expect(try count(openHead()) == 5)
    }

    @Test("Late samples that blocks have do not come back with the log they were in")
    func lateSamples() throws {
        let head = try openHead(window: 1000)
        try add(head, at: 50..<60)
        try add(head, at: 10..<20)
        try head.writePending()
        let cut = try #require(try head.outOfOrderCut())
        try cut.release()
        disk.cutPower(.nothingElseSurvives)
        #expect(try count(openHead(window: 1000)) == 10)
    }

    @Test("A head chunk that changed on disk is not answered with")
    func headChunk() throws {
        let head = try openHead()
        try add(head, at: 0..<40)
        try head.writePending()
        let file = try #require(disk.allFiles.first { $0.path.contains("chunks_head") })
        disk.flip(file.path, bit: (file.size - 8) * 8)
        let error = #expect(throws: StorageError.self) { try count(head) }
        #expect(error?.code == .damaged)
    }
}

extension PowerCutTests {
    @Test("A head chunk file that lost its end does not hide what the log has")
    func chunkFiles() throws {
        for seed in 0..<200 as Range<UInt64> {
            let disk = MemoryDisk()
            var head = try openHead(disk)
            try add(head, at: 0..<30)
            try head.writePending()
            try disk.syncDirectory("/data")
            try add(head, at: 30..<60)
            try head.writePending()
            // Ends the file of chunks, and begins the next one.
            try head.truncate(before: 10)
            try add(head, at: 60..<90)
            try head.writePending()
            disk.reseed(seed)
            disk.cutPower(.mixed)
            head = try openHead(disk)
            #expect(try count(head) >= 80, "seed \(seed)")
        }
    }

    @Test("A series that a full disk refused does not come back with the late samples of another")
    func refusedSeries() throws {
        for seed in 0..<200 as Range<UInt64> {
            let disk = MemoryDisk()
            var head = try openHead(disk, window: 1000)
            try add(head, series: 40, at: 50..<60)
            try head.writePending()
            let refused = Labels(["__name__": "refused"])
            disk.faults.room = 100
            #expect(throws: StorageError.self) {
                let known = (0..<40).map { Labels(["__name__": "m", "n": "\($0)"]) }
                try commit(head, [refused] + known, at: 60)
            }
            disk.faults.room = nil
            disk.kill()
            head = try openHead(disk, window: 1000)
            let other = Labels(["__name__": "other"])
            try commit(head, [other], at: 61)
            try commit(head, [other], at: 20)
            disk.reseed(seed)
            disk.cutPower(.mixed)
            head = try openHead(disk, window: 1000)
            let always = TimeRange(start: .min, end: .max)
            let set = try head.querier(over: always).select([], hints: SelectHints(range: always))
            #expect((0..<set.count).allSatisfy { set.labels(at: $0) != refused }, "seed \(seed)")
        }
    }

    @Test("A record that is torn and could not be cut off costs nothing behind it")
    func tornRecord() throws {
        for seed in 0..<50 as Range<UInt64> {
            let disk = MemoryDisk()
            try add(openHead(disk), at: 0..<30)
            disk.kill()
            // Its segment is empty, so that it ends without another write.
            var head = try openHead(disk)
            disk.reseed(seed)
            disk.faults.failingOneIn = 1
            disk.faults.operations = [.write, .truncate]
            #expect(throws: StorageError.self) { try add(head, at: 30..<31) }
            disk.faults.failingOneIn = 0
            // Ends the segment with the torn record.
            try head.truncate(before: 10)
            try head.truncateLog()
            try add(head, at: 31..<40)
            disk.kill()
            head = try openHead(disk)
            #expect(try count(head, in: TimeRange(start: 31, end: 39)) == 9, "seed \(seed)")
        }
    }

    @Test("Files of late samples that blocks have do not come back when nothing speaks of them")
    func lateFiles() throws {
        for seed in 0..<50 as Range<UInt64> {
            let disk = MemoryDisk()
            var head = try openHead(disk, window: 1000)
            try add(head, at: 50..<60)
            try add(head, at: 10..<20)
            try #require(try head.outOfOrderCut()).release()
            try head.writePending()
            try disk.syncDirectory("/data/chunks_head")
            try head.truncate(before: 60)
            try head.writePending()
            try head.close()
            head = try openHead(disk, window: 1000)
            disk.reseed(seed)
            disk.cutPower(.mixed)
            head = try openHead(disk, window: 1000)
            #expect(try count(head, in: TimeRange(start: 0, end: 49)) == 0, "seed \(seed)")
        }
    }

    @Test("A log of late samples that was written anew is not taken for what lies behind damage")
    func rewrittenLog() throws {
        for seed in 0..<100 as Range<UInt64> {
            let disk = MemoryDisk()
            var head = try openHead(disk, window: 1000)
            try add(head, at: 50..<60)
            try head.writePending()
            // More than a chunk, which is noted in the log and not in its file yet.
            try add(head, at: 10..<45)
            disk.kill()
            head = try openHead(disk, window: 1000)
            disk.reseed(seed)
            disk.cutPower(.mixed)
            head = try openHead(disk, window: 1000)
            #expect(try count(head, in: TimeRange(start: 10, end: 44)) == 35, "seed \(seed)")
        }
    }

    private func commit(_ head: Head, _ series: [Labels], at time: Int) throws {
        var batch = SampleBatch(sharedTimestamp: Timestamp(time))
        for ref in try head.resolve(series) { batch.append(ref, Double(time)) }
        _ = try head.commit(batch, .skipFaulty)
    }
}
