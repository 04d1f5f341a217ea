// SPDX-License-Identifier: Apache-2.0

import Model
import Storage
import TSDB
import Testing

/// Exemplars of series, which a dictionary could keep as well.
struct ExemplarTests {
    let folder = TemporaryFolder()

    private func options(_ limit: Int) -> HeadOptions {
        var options = HeadOptions()
        options.maxExemplars = limit
        return options
    }

    private func exemplar(
        _ value: Double, at time: Timestamp?, _ trace: String = "a"
    ) -> Exemplar {
        Exemplar(labels: Labels(["trace_id": trace]), value: value, timestamp: time)
    }

    /// Commits a sample at the time and, with it, exemplars of the series.
    @discardableResult
    private func add(
        _ head: Head, _ number: Int, at time: Timestamp, _ exemplars: [Exemplar]
    ) throws -> CommitOutcome {
        let ref = try head.resolve([series(number)])[0]
        var batch = SampleBatch(sharedTimestamp: time)
        batch.append(ref, Double(time))
        batch.exemplars = exemplars.map {
            BatchExemplar(series: .ref(ref), exemplar: $0, defaultTimestamp: time, sample: 0)
        }
        return try head.commit(batch, .skipFaulty)
    }

    private func times(_ head: Head, _ number: Int) -> [Timestamp?] {
        let all = head.exemplars(over: TimeRange(start: .min, end: .max), [[]])
        return all.first { $0.labels == series(number) }?.exemplars.map(\.timestamp) ?? []
    }

    @Test func theSameExemplarAgainIsNoNews() throws {
        let head = try openHead(folder, options(10))
        for time in [1000, 2000, 3000] as [Timestamp] {
            try add(head, 1, at: time, [exemplar(1, at: nil)])
            try add(head, 2, at: time, [exemplar(1, at: 500)])
            try add(head, 3, at: time, [exemplar(1, at: time)])
        }
        #expect(times(head, 1) == [1000])
        #expect(times(head, 2) == [500])
        #expect(times(head, 3) == [1000, 2000, 3000])
    }

    @Test func anOlderExemplarIsRefusedAndOneOfTheSameTimeIsOrderedByValue() throws {
        let head = try openHead(folder, options(10))
        try add(head, 1, at: 1000, [exemplar(5, at: 1000)])
        #expect(try add(head, 1, at: 2000, [exemplar(6, at: 999)]).outOfOrderExemplars == 1)
        #expect(try add(head, 1, at: 3000, [exemplar(4, at: 1000)]).outOfOrderExemplars == 1)
        #expect(try add(head, 1, at: 4000, [exemplar(6, at: 1000)]).outOfOrderExemplars == 0)
        #expect(times(head, 1) == [1000, 1000])
    }

    @Test func aSnapshotHoldsThem() throws {
        let head = try openHead(folder, options(10))
        for time in 1...8 as ClosedRange<Timestamp> {
            try add(head, Int(time % 3), at: time * 1000, [exemplar(Double(time), at: nil)])
            if time == 6 { head.takeSnapshot() }
        }
        let crashed = try folder.copy()
        #expect(crashed.files(in: "narthex") == ["head.snapshot"])
        let reopened = try openHead(crashed, options(10))
        for number in 0..<3 { #expect(times(reopened, number) == times(head, number)) }
        #expect(times(reopened, 1) == [1000, 4000, 7000])
    }

    @Test func labelsOfMoreThan128CharactersAreLeftOut() throws {
        let head = try openHead(folder, options(10))
        let name = "trace_id".count
        let longest = String(repeating: "ü", count: 128 - name)
        try add(head, 1, at: 1000, [exemplar(1, at: nil, longest)])
        try add(head, 1, at: 2000, [exemplar(1, at: nil, longest + "x")])
        #expect(times(head, 1) == [1000])
    }

    @Test func exemplarsOfRefusedSamplesAndUnknownSeriesAreLeftOut() throws {
        let head = try openHead(folder, options(10))
        try add(head, 1, at: 2000, [])
        try add(head, 1, at: 1000, [exemplar(1, at: 1000)])
        #expect(times(head, 1) == [])
        var batch = SampleBatch(sharedTimestamp: 0)
        for number in [1, 2] {
            batch.exemplars.append(
                BatchExemplar(
                    series: .labels(series(number)), exemplar: exemplar(1, at: 1000),
                    defaultTimestamp: 0))
        }
        #expect(try head.commit(batch, .allOrNothing).faults.isEmpty)
        #expect(times(head, 1) == [1000])
        #expect(times(head, 2) == [])
    }

    @Test func nothingIsKeptWhereNothingIsToBeKept() throws {
        let head = try openHead(folder)
        try add(head, 1, at: 1000, [exemplar(1, at: nil)])
        #expect(times(head, 1) == [])
    }

    @Test(arguments: Array(1...8) as [UInt64])
    func theNewestStayWhateverTheSizeAndThroughRestarts(seed: UInt64) throws {
        var random = SeededGenerator(seed)
        var limit = Int.random(in: 1...20, using: &random)
        var folder = folder
        var head = try openHead(folder, options(limit))
        var logged: [(number: Int, time: Timestamp)] = []
        var kept = 0
        for step in 0..<rounds(300, usual: 120) {
            let number = Int.random(in: 0..<5, using: &random)
            let time = Timestamp(step * 1000)
            try add(head, number, at: time, [exemplar(Double(step), at: time)])
            logged.append((number, time))
            kept = min(kept + 1, limit)
            switch Int.random(in: 0..<20, using: &random) {
            case 0:
                limit = Int.random(in: 1...20, using: &random)
                var settings = DatabaseSettings()
                settings.maxExemplars = limit
                try head.apply(settings)
                kept = min(kept, limit)
            case 1:
                // As after a kill. The log has them all.
                folder = try folder.copy()
                head = try openHead(folder, options(limit))
                kept = min(logged.count, limit)
            default: break
            }
            for number in 0..<5 {
                let expected = logged.suffix(kept).filter { $0.number == number }.map(\.time)
                #expect(times(head, number) == expected)
            }
        }
    }

    @Test func aCheckpointKeepsTheExemplarsFromItsTimeOn() throws {
        var options = options(1000)
        options.segmentSize = 32_768
        options.compression = .none
        options.blockRange = 100_000
        let head = try openHead(folder, options)
        for step in 0..<600 {
            let time = Timestamp(step * 500)
            try add(head, step % 2, at: time, [exemplar(Double(step), at: time)])
            try head.add(Array(10..<60), at: time) { Double($0) }
        }
        #expect(folder.files(in: "wal").count > 4)
        try head.truncateWithLog(before: 200_000)
        #expect(folder.files(in: "wal").contains { $0.hasPrefix("checkpoint") })
        let reopened = try openHead(try folder.copy(), options, minValidTime: 200_000)
        for number in 0..<2 {
            #expect(
                times(reopened, number)
                    == (400..<600).filter { $0 % 2 == number }.map { Timestamp($0 * 500) })
        }
    }
}
