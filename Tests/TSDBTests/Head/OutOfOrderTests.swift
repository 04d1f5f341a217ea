// SPDX-License-Identifier: Apache-2.0

import Model
import Platform
import Storage
import TSDB
import Testing

private let hour: Int64 = 3_600_000

/// Which value a series has at a time: the same whenever it comes.
private func value(_ number: Int, _ time: Int64) -> Double {
    Double((Int64(number) * 7919 ^ time / 1000) % 1009)
}

/// What a head with a window should hold, kept the simple way.
private struct LateModel {
    let window: Int64
    var samples: [Int: [Int64: Double]] = [:]
    var newestInOrder: [Int: Int64] = [:]
    var newest: Int64?

    /// Takes a sample or tells why it should be refused.
    mutating func add(_ number: Int, _ time: Int64, _ headNewest: Int64) -> SampleFault? {
        let bound = headNewest - hour
        let last = newestInOrder[number]
        if time >= bound, last.map({ $0 < time }) ?? true {
            newestInOrder[number] = time
            newest = max(newest ?? time, time)
        } else if time == last, time >= bound {
            return nil
        } else if window == 0 || time < headNewest - window {
            return window > 0 ? .tooOld : time < bound ? .outOfBounds : .outOfOrder
        }
        samples[number, default: [:]][time] = value(number, time)
        return nil
    }

    var contents: [Labels: SeriesColumn] {
        var found: [Labels: SeriesColumn] = [:]
        for (number, column) in samples {
            let times = column.keys.sorted()
            found[series(number)] = SeriesColumn(
                times: times, bits: times.map { column[$0]!.bitPattern })
        }
        return found
    }
}

private func options(_ window: Int64) -> HeadOptions {
    var options = HeadOptions()
    options.outOfOrderWindow = window
    return options
}

/// What a selection shows, by labels.
private func contents(_ set: any SeriesSet) throws -> [Labels: SeriesColumn] {
    var found: [Labels: SeriesColumn] = [:]
    for index in 0..<set.count {
        var columns = SampleColumns()
        try set.read(index, TimeRange(start: .min, end: .max), into: &columns)
        if columns.isEmpty { continue }
        found[set.labels(at: index)] = SeriesColumn(
            times: columns.timestamps, bits: columns.values.map(\.bitPattern))
    }
    return found
}

struct OutOfOrderTests {
    @Test(arguments: Array(1...8) as [UInt64])
    func randomLateSamplesAreKeptAndShownThroughRestarts(seed: UInt64) throws {
        var random = SeededGenerator(seed)
        var folder = TemporaryFolder()
        var options = options([0, 600_000, 2 * hour, 50 * hour][Int(seed % 4)])
        options.segmentSize = 32_768
        options.compression = [.none, .snappy, .zstd][Int(seed % 3)]
        // Every second history ends its runs with snapshots, and takes more in between.
        options.snapshotTail = seed % 2 == 0 ? 1 : .max
        var head = try openHead(folder, options)
        var model = LateModel(window: options.outOfOrderWindow)
        var time: Int64 = 1_700_000_000_000
        var held: [(set: any SeriesSet, expected: [Labels: SeriesColumn])] = []
        for _ in 0..<rounds(500, usual: 150) {
            time += Int64.random(in: 0...20_000, using: &random) / 1000 * 1000
            let isLate = Int.random(in: 0..<3, using: &random) == 0
            let delay = isLate ? Int64.random(in: 0...(3 * 3600), using: &random) * 1000 : 0
            let first = Int.random(in: 0..<20, using: &random)
            let numbers = Array(first..<(first + Int.random(in: 1...20, using: &random)))
            let newest = model.newest ?? time - delay
            let outcome = try head.add(numbers, at: time - delay) { value($0, time - delay) }
            var faults: [Int: SampleFault] = [:]
            for (index, number) in numbers.enumerated() {
                faults[index] = model.add(number, time - delay, newest)
            }
            #expect(
                Dictionary(uniqueKeysWithValues: outcome.faults.map { ($0.index, $0.fault) })
                    == faults)
            switch Int.random(in: 0..<40, using: &random) {
            case 5, 6: if seed % 2 == 0 { head.takeSnapshot() }
            case 0:
                held = []
                try head.close()
                head = try openHead(folder, options)
                #expect(try headContents(head) == model.contents)
            case 1:
                held = []
                folder = try folder.copy()
                head = try openHead(folder, options)
                #expect(try headContents(head) == model.contents)
            case 2...4:
                let range = TimeRange(start: .min, end: .max)
                let set = try head.querier(over: range).select([], hints: SelectHints(range: range))
                held.append((set, model.contents))
            default: break
            }
            if held.count > 3 {
                let first = held.removeFirst()
                #expect(try contents(first.set) == first.expected)
            }
        }
        #expect(try headContents(head) == model.contents)
        folder = try folder.copy()
        #expect(try headContents(try openHead(folder, options)) == model.contents)
    }

    /// Two cuts leave a file of chunks each; what is noted of them lies in the second.
    @Test func aLostFileOfLateChunksBringsNothingBack() throws {
        var folder = TemporaryFolder()
        var options = options(hour)
        options.samplesPerChunk = 4
        var head = try openHead(folder, options)
        for round in 1...2 as ClosedRange<Int64> {
            for step in 1...40 as ClosedRange<Int64> {
                try head.add([1], at: round * hour + step * 10_000) { _ in 1 }
            }
            try head.add([1], at: round * hour + 5_000) { _ in 2 }
            try #require(try head.outOfOrderCut()).release()
        }
        #expect(folder.files(in: "chunks_head") == ["000001", "000002"])
        try folder.write([0], "chunks_head/000002")
        for _ in 0..<2 {
            folder = try folder.copy()
            head = try openHead(folder, options, minValidTime: 4 * hour)
            #expect(folder.files(in: "chunks_head").contains("000001"))
            #expect(try headContents(head).isEmpty)
            #expect(head.outOfOrderRange == nil)
        }
    }

    @Test func aRangeShowsOnlyWhatIsInIt() throws {
        let folder = TemporaryFolder()
        let head = try openHead(folder, options(hour))
        for time in stride(from: Int64(1_000_000), to: 2_000_000, by: 10_000) {
            try head.add([1], at: time) { value($0, time) }
        }
        for time in stride(from: Int64(1_905_000), to: 1_000_000, by: -10_000) {
            try head.add([1, 2], at: time) { value($0, time) }
        }
        for (start, end) in [(0, 1_500_000), (1_234_567, 1_345_678), (1_980_000, 3_000_000)]
            as [(Int64, Int64)]
        {
            let times = stride(from: Int64(1_000_000), to: 2_000_000, by: 5000)
                .filter { $0 % 10_000 == 0 || $0 <= 1_905_000 }.filter { $0 >= start && $0 <= end }
            let found = try headContents(head, from: start, through: end)
            #expect(found[series(1)]?.times == times)
            #expect((found[series(2)]?.times ?? []) == times.filter { $0 % 10_000 != 0 })
        }
    }

    @Test func theWindowMayChangeWhileTheHeadIsOpen() throws {
        let folder = TemporaryFolder()
        let head = try openHead(folder)
        try head.add([1], at: 2_000_000) { _ in 1 }
        #expect(try head.add([1], at: 1_000_000) { _ in 1 }.faults.map(\.fault) == [.outOfOrder])
        var settings = DatabaseSettings()
        settings.outOfOrderWindow = hour
        try head.apply(settings)
        #expect(try head.add([1], at: 1_000_000) { _ in 1 }.faults.isEmpty)
        settings.outOfOrderWindow = 0
        try head.apply(settings)
        #expect(try head.add([1], at: 1_500_000) { _ in 1 }.faults.map(\.fault) == [.outOfOrder])
        #expect(try headContents(head)[series(1)]?.times == [1_000_000, 2_000_000])
        // What came late is there whatever the window at the next start.
        let reopened = try openHead(try folder.copy())
        #expect(try headContents(reopened)[series(1)]?.times == [1_000_000, 2_000_000])
    }

    @Test func aSampleBeforeTheLastBlockIsLateEvenInANewSeries() throws {
        let folder = TemporaryFolder()
        let head = try openHead(folder, options(10 * hour), minValidTime: 20 * hour)
        try head.add([1], at: 21 * hour) { _ in 1 }
        #expect(try head.add([2], at: 12 * hour) { _ in 2 }.faults.isEmpty)
        #expect(try head.add([3], at: 10 * hour) { _ in 2 }.faults.map(\.fault) == [.tooOld])
        #expect(try headContents(head)[series(2)]?.times == [12 * hour])
        #expect(head.timeRange == TimeRange(start: 21 * hour, end: 21 * hour))
        #expect(head.outOfOrderRange == TimeRange(start: 12 * hour, end: 12 * hour))
    }

    @Test func lateSamplesCanBeDeleted() throws {
        let folder = TemporaryFolder()
        let head = try openHead(folder, options(hour))
        for time in [2_000_000, 1_000_000, 1_500_000, 1_800_000] as [Int64] {
            try head.add([1], at: time) { value($0, time) }
        }
        try head.delete(TimeRange(start: 0, end: 1_600_000), [])
        #expect(try headContents(head)[series(1)]?.times == [1_800_000, 2_000_000])
        let reopened = try openHead(try folder.copy(), options(hour))
        #expect(try headContents(reopened)[series(1)]?.times == [1_800_000, 2_000_000])
    }

    @Test func aFullDiskLeavesNothingOfABatchBehind() throws {
        let folder = TemporaryFolder()
        let disk = FullDisk()
        let head = try openHead(folder, options(hour), disk)
        try head.add([0, 1], at: 2_000_000) { Double($0) }
        try head.add([0, 1], at: 1_000_000) { Double($0) }
        let before = try headContents(head)
        disk.isFull.withLock { $0 = true }
        #expect(throws: StorageError.self) {
            try head.add([0, 1, 2], at: 1_500_000) { Double($0) }
        }
        #expect(try headContents(head) == before)
        disk.isFull.withLock { $0 = false }
        try head.add([0, 2], at: 1_600_000) { Double($0) }
        let expected = try headContents(head)
        #expect(expected[series(0)]?.times == [1_000_000, 1_600_000, 2_000_000])
        #expect(try headContents(try openHead(try folder.copy(), options(hour))) == expected)
    }

    @Test func aTornWriteBehindLogLosesOnlyWhatItTore() throws {
        let folder = TemporaryFolder()
        var options = options(hour)
        options.compression = .none
        // Full chunks would show more than the log.
        options.writesInBackground = false
        let head = try openHead(folder, options)
        try head.add(Array(0..<10), at: 3_000_000) { Double($0) }
        var states = [(size: 0, contents: try headContents(head))]
        for step in 0..<80 {
            try head.add(Array(0..<10), at: 2_900_000 - Int64(step * 1000)) { Double($0) }
            states.append((try folder.contents("wbl/00000000").count, try headContents(head)))
        }
        let whole = try folder.contents("wbl/00000000")
        var random = SeededGenerator(3)
        for _ in 0..<rounds(40, usual: 10) {
            let torn = try folder.copy()
            let size = Int.random(in: 0..<whole.count, using: &random)
            try torn.write(Array(whole[..<size]), "wbl/00000000")
            let expected = states.last { $0.size <= size }!.contents
            let reopened = try openHead(torn, options)
            #expect(try headContents(reopened) == expected)
            try reopened.add([0], at: 1_000_000) { _ in 5 }
            let after = try headContents(reopened)
            #expect(try headContents(try openHead(try torn.copy(), options)) == after)
        }
    }
}

struct OutOfOrderHistogramTests {
    /// A histogram whose count says when it was taken.
    private func histogram(_ time: Int64, isFloat: Bool) -> HistogramValue {
        var histogram = IntegerHistogram()
        histogram.schema = 1
        histogram.count = UInt64(time / 1000)
        histogram.sum = Double(time)
        histogram.positiveSpans = [BucketSpan(offset: 0, length: 1)]
        histogram.positiveDeltas = [time / 1000]
        return isFloat ? .float(histogram.floating) : .integer(histogram)
    }

    private func add(
        _ storage: any Appendable, _ time: Int64, isFloat: Bool
    ) throws -> [SampleFault] {
        let ref = try storage.resolve([series(1)])[0]
        var batch = SampleBatch(sharedTimestamp: time)
        batch.histograms = [HistogramSample(ref, histogram(time, isFloat: isFloat), at: time)]
        return try storage.commit(batch, .skipFaulty).histogramFaults.map(\.fault)
    }

    private func times(_ source: any Queryable) throws -> [Int64] {
        let range = TimeRange(start: .min, end: .max)
        let set = try source.querier(over: range).select([], hints: SelectHints(range: range))
        var columns = SampleColumns()
        for index in 0..<set.count { try set.read(index, range, into: &columns) }
        for (time, found) in zip(columns.histogramTimestamps, columns.histograms) {
            #expect(found.count == Double(time / 1000) && found.sum == Double(time))
        }
        return columns.histogramTimestamps
    }

    @Test(arguments: [false, true])
    func lateHistogramsAreKeptThroughRestarts(isFloat: Bool) throws {
        let folder = TemporaryFolder()
        let head = try openHead(folder, options(hour))
        for step in 0..<200 {
            #expect(try add(head, 4_000_000 + Int64(step) * 5000, isFloat: isFloat) == [])
        }
        for step in 0..<100 {
            let time = 4_900_000 - Int64(step * 37 % 101) * 7000 - 1000
            #expect(try add(head, time, isFloat: isFloat) == [])
        }
        #expect(try add(head, 1_000_000, isFloat: isFloat) == [.tooOld])
        let onTime = (0..<200).map { (step: Int64) -> Int64 in 4_000_000 + step * 5000 }
        let late = (0..<100).map { (step: Int64) -> Int64 in
            4_900_000 - step * 37 % 101 * 7000 - 1000
        }
        let expected = Set(onTime + late).sorted()
        #expect(try times(head) == expected)
        #expect(try times(try openHead(try folder.copy(), options(hour))) == expected)
        try head.close()
        #expect(try times(try openHead(folder, options(hour))) == expected)
    }

    @Test(arguments: [false, true])
    func histogramsBehindTheirBatchAreLate(isFloat: Bool) throws {
        let folder = TemporaryFolder()
        let head = try openHead(folder, options(hour))
        let ref = try head.resolve([series(1)])[0]
        func add(_ times: [Int64], float: Int64?) throws {
            var batch = SampleBatch(sharedTimestamp: 0)
            if let float { batch.append(ref, 1, at: float) }
            batch.histograms = times.map {
                HistogramSample(ref, histogram($0, isFloat: isFloat), at: $0)
            }
            let outcome = try head.commit(batch, .allOrNothing)
            #expect(!outcome.hasFaults && outcome.stored == times.count + batch.count)
        }
        try add([5_000_000, 4_900_000, 5_100_000, 5_050_000], float: nil)
        try add([6_000_000, 5_500_000], float: 5_800_000)
        let expected: [Int64] = [
            4_900_000, 5_000_000, 5_050_000, 5_100_000, 5_500_000, 6_000_000,
        ]
        #expect(try times(head) == expected)
        #expect(try times(try openHead(try folder.copy(), options(hour))) == expected)
    }

    @Test(arguments: [0, hour])
    func aMarkerOfHistogramsComesBeforeTheFloatsThatFollowIt(window: Int64) throws {
        let folder = TemporaryFolder()
        let head = try openHead(folder, options(window))
        let numbers = [1, 2, 3]
        let refs = try head.resolve(numbers.map(series))
        var batch = SampleBatch(sharedTimestamp: 0)
        batch.histograms = refs.map {
            HistogramSample($0, histogram(1000, isFloat: false), at: 1000)
        }
        #expect(try head.commit(batch, .allOrNothing).stored == 3)
        batch = SampleBatch(sharedTimestamp: 0)
        // In any order of series, with others in between.
        for (time, value) in [(2000, StaleMarker.value), (3000, 7), (4000, 8)] as [(Int64, Double)]
        {
            for ref in time == 3000 ? refs.reversed() : refs { batch.append(ref, value, at: time) }
        }
        batch.append(refs[0], 5, at: 1500)
        let outcome = try head.commit(batch, .skipFaulty)
        #expect(outcome.faults.map(\.index) == (window == 0 ? [9] : []))
        let others = [
            SeenSample(1000, histogram(1000, isFloat: false)), SeenSample(2000, StaleMarker.value),
            SeenSample(3000, 7), SeenSample(4000, 8),
        ]
        let late = window == 0 ? [] : [SeenSample(1500, 5)]
        for storage in [head, try openHead(try folder.copy(), options(window))] {
            let seen = try seenSamples(storage)
            #expect(seen[series(1)] == (others + late).sorted())
            for number in [2, 3] { #expect(seen[series(number)] == others) }
        }
    }

    @Test func lateHistogramsBecomeBlocks() throws {
        let scratch = Scratch()
        var options = DatabaseOptions()
        options.settings.retention.time = 0
        options.settings.outOfOrderWindow = 30 * hour
        let database = try Database.open(scratch.path, options, DatabaseEnvironment())
        let begin: Int64 = 1_767_225_600_000
        var expected: Set<Int64> = []
        for minute in 0..<(8 * 60) {
            for time in [
                begin + Int64(minute) * 60_000, begin + Int64(minute * 41 % 480) * 60_000 - 7000,
            ] {
                #expect(try add(database, time, isFloat: minute % 200 < 100) == [])
                expected.insert(time)
            }
        }
        #expect(try times(database) == expected.sorted())
        try database.maintain()
        #expect(try times(database) == expected.sorted())
        #expect(database.blocks.count > 0)
        try database.close()
        let reopened = try Database.open(scratch.path, options, DatabaseEnvironment())
        #expect(try times(reopened) == expected.sorted())
        try reopened.close()
    }
}

struct OutOfOrderDatabaseTests {
    private func open(_ scratch: Scratch, window: Int64) throws -> Database {
        var options = DatabaseOptions()
        options.settings.retention.time = 0
        options.largestBlockRange = 18 * hour
        options.settings.outOfOrderWindow = window
        return try Database.open(scratch.path, options, DatabaseEnvironment())
    }

    private func commit(_ database: Database, _ numbers: [Int], at time: Int64) throws {
        let refs = try database.resolve(numbers.map(series))
        var batch = SampleBatch(sharedTimestamp: time)
        for (number, ref) in zip(numbers, refs) { batch.append(ref, value(number, time)) }
        #expect(try database.commit(batch, .skipFaulty).faults.isEmpty)
    }

    @Test func lateSamplesBecomeBlocksOfTheirOwnThatAreMergedWithTheOthers() throws {
        let scratch = Scratch()
        var database = try open(scratch, window: 30 * hour)
        var model: [Int: Set<Int64>] = [:]
        func add(_ numbers: [Int], _ time: Int64) throws {
            try commit(database, numbers, at: time)
            for number in numbers { model[number, default: []].insert(time) }
        }
        func expected() -> [Labels: SeriesColumn] {
            var found: [Labels: SeriesColumn] = [:]
            for (number, times) in model {
                let times = times.sorted()
                found[series(number)] = SeriesColumn(
                    times: times, bits: times.map { value(number, $0).bitPattern })
            }
            return found
        }
        let begin: Int64 = 1_767_225_600_000
        for minute in 0..<(11 * 60) {
            let time = begin + Int64(minute) * 60_000
            try add([0, 1, 2, 3], time)
            if minute % 3 == 0, minute > 0 {
                try add([1, 2, 9], time - Int64(minute * 7919 % 36_000) * 1000 - 500)
            }
            if minute == 300 {
                try database.close()
                database = try open(scratch, window: 30 * hour)
            }
        }
        #expect(try headContents(database) == expected())
        try database.maintain()
        #expect(try headContents(database) == expected())
        let ranges = database.blocks.map(\.meta.range)
        #expect(ranges.count > 0)
        #expect(zip(ranges, ranges.dropFirst()).allSatisfy { $0.end <= $1.start })
        let segments = try LocalFileSystem().entries(of: "\(scratch.path)/wbl")
        #expect(segments.count == 1)
        try database.close()
        database = try open(scratch, window: 30 * hour)
        #expect(try headContents(database) == expected())
        // Late samples of times for which there is no other block.
        try add([3, 4], begin - 18 * hour)
        for minute in (11 * 60)..<(16 * 60) { try add([0, 1], begin + Int64(minute) * 60_000) }
        try database.maintain()
        #expect(try headContents(database) == expected())
        try database.close()
    }

    @Test func aBlockOfLateSamplesSaysSo() throws {
        let scratch = Scratch()
        let database = try open(scratch, window: 30 * hour)
        let begin: Int64 = 1_767_225_600_000
        for minute in 0..<(5 * 60) {
            try commit(database, [0, 1], at: begin + Int64(minute) * 60_000)
        }
        try commit(database, [1, 2], at: begin - 20 * hour)
        try database.maintain()
        let metas = database.blocks.map(\.meta)
        #expect(metas.map(\.range.start) == [begin - 20 * hour, begin])
        #expect(metas.map(\.compaction.hints) == [["from-out-of-order"], []])
        #expect(metas.map(\.statistics.samples) == [2, 240])
        // The head is not bound by them: it takes what is in order as before.
        try commit(database, [0, 1], at: begin + 6 * hour)
        try database.close()
    }
}
