// SPDX-License-Identifier: Apache-2.0

import Model
import Platform
import Simulation
import Storage
import TSDB
import Testing

/// What stays right while a disk fails now and then.
@Suite struct FailingDiskTests {
    private let always = TimeRange(start: .min, end: .max)

    private func open(_ disk: MemoryDisk) throws -> Database {
        var options = DatabaseOptions()
        options.blockRange = 1000
        options.settings.retention.time = 0
        let environment = DatabaseEnvironment(fileSystem: disk)
        return try Database.open("/data", options, environment) {
            (minValidTime) throws(StorageError) in
            var options = HeadOptions()
            options.blockRange = 1000
            options.writesInBackground = false
            return try Head.open(
                "/data", options, minValidTime: minValidTime, disk, environment.registry)
        }
    }

    private func add(_ database: Database, at times: StrideThrough<Int>) throws {
        let refs = try database.resolve([Labels(["__name__": "m"])])
        for time in times {
            var batch = SampleBatch(sharedTimestamp: Timestamp(time))
            batch.append(refs[0], Double(time))
            _ = try database.commit(batch, .skipFaulty)
        }
    }

    private func count(_ database: Database) throws -> Int {
        let set = try database.querier(over: always).select([], hints: SelectHints(range: always))
        guard set.count > 0 else { return 0 }
        var columns = SampleColumns()
        try set.read(0, always, into: &columns)
        return columns.timestamps.count
    }

    @Test(
        "Blocks that could not be finished, or not be removed, do not bring back what is deleted",
        arguments: [[DiskOperation.syncDirectory], [.remove], [.rename, .map]])
    func deletedSamples(_ operations: Set<DiskOperation>) throws {
        var failures = 0
        for seed in 0..<60 as Range<UInt64> {
            let disk = MemoryDisk()
            let database = try open(disk)
            try add(database, at: stride(from: 0, through: 8000, by: 100))
            disk.reseed(seed)
            disk.faults.operations = operations
            disk.faults.failingOneIn = 3
            // Blocks that are cut, and some that are merged.
            for _ in 0..<3 {
                do { try database.maintain() } catch { failures += 1 }
            }
            disk.faults.failingOneIn = 0
            try database.delete(always, [])
            try database.maintain()
            #expect(try count(database) == 0)
            disk.kill()
            #expect(try count(open(disk)) == 0, "seed \(seed)")
        }
        #expect(failures > 0)
    }
}
