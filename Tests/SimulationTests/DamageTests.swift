// SPDX-License-Identifier: Apache-2.0

import Model
import Platform
import Simulation
import Storage
import TSDB
import Testing

@Suite struct DamageTests {
    private let disk = MemoryDisk()
    private let always = TimeRange(start: .min, end: .max)

    private func open() throws -> Database {
        var options = DatabaseOptions()
        options.blockRange = 1000
        options.settings.retention.time = 0
        return try Database.open("/data", options, DatabaseEnvironment(fileSystem: disk))
    }

    @Test("Labels that cannot be read are an error for those who ask for labels alone")
    func labels() throws {
        let database = try open()
        let series = (0..<3).map { Labels(["__name__": "m", "n": "\($0)"]) }
        let refs = try database.resolve(series)
        for time in stride(from: 0, through: 4000, by: 100) {
            var batch = SampleBatch(sharedTimestamp: Timestamp(time))
            for ref in refs { batch.append(ref, Double(time)) }
            _ = try database.commit(batch, .skipFaulty)
        }
        try database.maintain()
        try database.close()
        let index = try #require(disk.allFiles.first { $0.path.hasSuffix("/index") })
        var hints = SelectHints(range: always)
        hints.labelsOnly = true
        // Wherever a bit is wrong: labels are right, or there is an error, or the block is left
        // out.
        var errors = 0
        for byte in stride(from: 0, to: index.size, by: 7) {
            disk.flip(index.path, bit: byte * 8 + byte % 8)
            defer { disk.flip(index.path, bit: byte * 8 + byte % 8) }
            guard let damaged = try? open() else { continue }
            defer { try? damaged.close() }
            do {
                let set = try damaged.querier(over: always).select([], hints: hints)
                for position in 0..<set.count { #expect(series.contains(set.labels(at: position))) }
            } catch {
                errors += 1
            }
        }
        #expect(errors > 0)
    }
}
