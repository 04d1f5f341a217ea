// SPDX-License-Identifier: Apache-2.0

import ChunkEncoding
import Instrumentation
import Model
import Platform
import Storage
import TSDB
import Testing

/// A sample of any kind, by its bits, and since when it counts.
private struct Seen: Hashable, Comparable {
    var time: Int64
    var bits: UInt64
    var start: Int64

    static func < (left: Seen, right: Seen) -> Bool { left.time < right.time }
}

private func contents(_ source: any Queryable) throws -> [Labels: [Seen]] {
    let range = TimeRange(start: .min, end: .max)
    let set = try source.querier(over: range).select([], hints: SelectHints(range: range))
    var found: [Labels: [Seen]] = [:]
    for index in 0..<set.count {
        var columns = SampleColumns()
        try set.read(index, range, into: &columns)
        var seen: [Seen] = []
        for (at, time) in columns.timestamps.enumerated() {
            let start = columns.startTimestamps.isEmpty ? 0 : columns.startTimestamps[at]
            seen.append(Seen(time: time, bits: columns.values[at].bitPattern, start: start))
        }
        for (at, time) in columns.histogramTimestamps.enumerated() {
            let starts = columns.histogramStartTimestamps
            let start = starts.isEmpty ? 0 : starts[at]
            seen.append(Seen(time: time, bits: columns.histograms[at].sum.bitPattern, start: start))
        }
        var newest = SampleColumns()
        try set.readNewest(index, range, into: &newest)
        if let last = columns.startTimestamps.last {
            #expect((newest.startTimestamps.last ?? 0) == last)
        }
        if !seen.isEmpty { found[set.labels(at: index)] = seen.sorted() }
    }
    return found
}

private func options(_ change: (inout HeadOptions) -> Void = { _ in }) -> HeadOptions {
    var options = HeadOptions()
    options.floatEncoding = .xor2
    options.storesStarts = true
    options.hasHistogramStarts = true
    options.samplesPerChunk = 20
    options.segmentSize = 32_768
    options.snapshotTail = .max
    options.outOfOrderWindow = 10 * 3_600_000
    change(&options)
    return options
}

/// What should be there, and what adds to it.
private struct Model {
    var samples: [Labels: [Seen]] = [:]
    let begin: Int64 = 1_767_225_600_000

    /// A start that stays, one that moves each time, one that comes and goes, none.
    private func start(_ number: Int, _ time: Int64) -> Int64 {
        switch number % 4 {
        case 0: begin - 5000
        case 1: time - 14_000 - time / 7 % 1000
        case 2: time / 150_000 % 3 == 0 ? 0 : time / 150_000 * 150_000
        default: 0
        }
    }

    private mutating func note(_ number: Int, _ time: Int64, _ bits: UInt64, _ start: Int64) {
        samples[series(number), default: []].append(Seen(time: time, bits: bits, start: start))
    }

    /// Floats of the series 0 to 7, histograms of 8 to 11.
    mutating func add(at time: Int64, to storage: any Appendable) throws {
        let refs = try storage.resolve((0..<12).map(series))
        var batch = SampleBatch(sharedTimestamp: time)
        for number in 0..<8 {
            let value = number == 5 && time % 7 == 0 ? StaleMarker.value : Double(time % 1000)
            batch.append(refs[number], value)
            batch.startTimestamps.append(start(number, time))
            note(number, time, value.bitPattern, start(number, time))
        }
        for number in 8..<12 {
            var histogram = IntegerHistogram()
            histogram.count = UInt64(time / 1000)
            histogram.sum = Double(time)
            histogram.positiveSpans = [
                BucketSpan(offset: 0, length: UInt32(1 + time / 600_000 % 2))
            ]
            histogram.positiveDeltas = [time / 1000]
            if time / 600_000 % 2 == 1 { histogram.positiveDeltas.append(-time / 1000) }
            let value: HistogramValue =
                number < 10 ? .integer(histogram) : .float(histogram.floating)
            batch.histograms.append(
                HistogramSample(
                    refs[number], value, at: time, startTimestamp: start(number, time)))
            note(number, time, histogram.sum.bitPattern, start(number, time))
        }
        let outcome = try storage.commit(batch, .skipFaulty)
        #expect(outcome.faults.isEmpty && outcome.histogramFaults.isEmpty)
    }

    /// A sample that came twice is there once.
    var contents: [Labels: [Seen]] { samples.mapValues { Set($0).sorted() } }
}

struct StartTimestampHeadTests {
    @Test func startTimestampsAreShownBeforeAndAfterAnyEnd() throws {
        let folder = TemporaryFolder()
        var model = Model()
        var head = try openHead(folder, options())
        for step in 0..<150 {
            try model.add(at: model.begin + Int64(step) * 15_000, to: head)
            if step % 5 == 0 {
                try model.add(at: model.begin - Int64(step * 37 % 151) * 20_000 - 3, to: head)
            }
        }
        #expect(try contents(head) == model.contents)
        #expect(try contents(try openHead(try folder.copy(), options())) == model.contents)
        try head.close()
        head = try openHead(folder, options())
        #expect(try contents(head) == model.contents)
        for step in 150..<230 { try model.add(at: model.begin + Int64(step) * 15_000, to: head) }
        #expect(try contents(head) == model.contents)
        // Who does not store them shows those that are there.
        let others = options { $0.storesStarts = false }
        #expect(try contents(try openHead(try folder.copy(), others)) == model.contents)
    }

    @Test func aSnapshotHasThemToo() throws {
        let folder = TemporaryFolder()
        let inOrder = options { $0.outOfOrderWindow = 0 }
        var model = Model()
        let head = try openHead(folder, inOrder)
        for step in 0..<95 { try model.add(at: model.begin + Int64(step) * 15_000, to: head) }
        head.takeSnapshot()
        for step in 95..<99 { try model.add(at: model.begin + Int64(step) * 15_000, to: head) }
        let again = try openHead(try folder.copy(), inOrder)
        #expect(try contents(again) == model.contents)
        for step in 99..<130 { try model.add(at: model.begin + Int64(step) * 15_000, to: again) }
        #expect(try contents(again) == model.contents)
    }

    @Test func chunksOfXORAreNotGoneOnWith() throws {
        let folder = TemporaryFolder()
        let head = try openHead(
            folder, options { ($0.floatEncoding, $0.storesStarts) = (.xor, false) })
        try head.add([1], at: 1_000_000) { _ in 1 }
        try head.close()
        let storing = try openHead(folder, options())
        let ref = try storing.resolve([series(1)])[0]
        var batch = SampleBatch(sharedTimestamp: 1_015_000)
        batch.append(ref, 2)
        batch.startTimestamps = [990_000]
        _ = try storing.commit(batch, .skipFaulty)
        #expect(try contents(storing)[series(1)]?.map(\.start) == [0, 990_000])
    }

    @Test func aZeroIsStoredWhereASeriesBeginsIfThatIsInOrder() throws {
        let begin: Int64 = 1_767_225_600_000
        let folder = TemporaryFolder()
        let head = try openHead(
            folder,
            options {
                $0.storesStarts = false
                $0.ingestsZeros = true
            })
        func add(_ time: Int64, _ starts: [Int64]) throws {
            let refs = try head.resolve(starts.indices.map(series))
            var batch = SampleBatch(sharedTimestamp: time)
            for ref in refs { batch.append(ref, 5) }
            batch.startTimestamps = starts
            #expect(try head.commit(batch, .skipFaulty).faults.isEmpty)
        }
        // In order; none; as new as the sample; out of bounds.
        let day: Int64 = 86_400_000
        let starts = [begin - 20_000, 0, begin, begin - day]
        try add(begin, starts)
        try add(begin + 15_000, starts)
        try add(begin + 30_000, [begin + 20_000, 0, begin, begin - day])
        let zero = Double(0).bitPattern
        let five = Double(5).bitPattern
        let found = try contents(head)
        #expect(
            found[series(0)]?.map(\.time)
                == [begin - 20_000, begin, begin + 15_000, begin + 20_000, begin + 30_000])
        #expect(found[series(0)]?.map(\.bits) == [zero, five, five, zero, five])
        for other in 1...3 { #expect(found[series(other)]?.map(\.bits) == [five, five, five]) }
        #expect(try contents(try openHead(try folder.copy(), options())) == found)
    }

    @Test func checkpointsKeepThem() throws {
        let folder = TemporaryFolder()
        var model = Model()
        let hour = Int64(3_600_000)
        let head = try openHead(folder, options { $0.outOfOrderWindow = 0 })
        for step in 0..<900 { try model.add(at: model.begin + Int64(step) * 15_000, to: head) }
        try head.truncateWithLog(before: model.begin + 2 * hour)
        for labels in model.samples.keys {
            model.samples[labels]?.removeAll { $0.time < model.begin + 2 * hour }
        }
        #expect(folder.files(in: "wal").contains { $0.hasPrefix("checkpoint") })
        #expect(try contents(head) == model.contents)
        for file in folder.files(in: "chunks_head") { try folder.remove("chunks_head/\(file)") }
        let again = try openHead(
            try folder.copy(), options { $0.outOfOrderWindow = 0 },
            minValidTime: model.begin + 2 * hour)
        #expect(try contents(again) == model.contents)
    }
}

struct StartTimestampDatabaseTests {
    private func options(_ encoding: FloatEncoding, storesStarts: Bool) -> DatabaseOptions {
        var options = DatabaseOptions()
        options.settings.retention.time = 0
        options.settings.floatEncoding = encoding
        options.settings.outOfOrderWindow = 30 * 3_600_000
        options.largestBlockRange = 18 * 3_600_000
        options.storesStarts = storesStarts
        options.hasHistogramStarts = true
        return options
    }

    /// A sample each minute, and behind every third one a late one. Calls `each` after both.
    private func addEightHours(
        _ model: inout Model, to database: Database, each: (Int) throws -> Void = { _ in }
    ) throws {
        for minute in 0..<(8 * 60) {
            try model.add(at: model.begin + Int64(minute) * 60_000, to: database)
            if minute % 3 == 0 {
                let late = Int64(minute * 41 % 480) * 60_000 + 7001
                try model.add(at: model.begin + Int64(minute) * 60_000 - late, to: database)
            }
            try each(minute)
        }
    }

    @Test func blocksHaveThemThroughMergesWhoeverMergesThem() throws {
        let scratch = Scratch()
        var model = Model()
        var database = try Database.open(
            scratch.path, options(.xor2, storesStarts: true), DatabaseEnvironment())
        try addEightHours(&model, to: database)
        #expect(try contents(database) == model.contents)
        try database.close()
        database = try Database.open(
            scratch.path, options(.xor2, storesStarts: false), DatabaseEnvironment())
        try database.maintain()
        #expect(database.blocks.count > 0)
        #expect(try contents(database) == model.contents)
        try database.close()
        for target in [BlockConversion.Target.dense, .xor2] {
            try convert(scratch, target)
            let again = try Database.open(
                scratch.path, options(.xor2, storesStarts: false), DatabaseEnvironment())
            #expect(try contents(again) == model.contents)
            try again.close()
        }
    }

    /// Eight hours in head and blocks, of which five were there when blocks were cut.
    private func openWithBlocks(_ scratch: Scratch, _ model: inout Model) throws -> Database {
        let database = try Database.open(
            scratch.path, options(.xor2, storesStarts: true), DatabaseEnvironment())
        try addEightHours(&model, to: database) { minute in
            if minute == 300 { try database.maintain() }
        }
        return database
    }

    @discardableResult
    private func convert(
        _ scratch: Scratch, _ target: BlockConversion.Target
    ) throws -> [String] {
        var lines: [String] = []
        let isComplete = try BlockConversion.run(
            scratch.path, to: target, LocalFileSystem(), time: 5
        ) { lines.append($0) }
        #expect(isComplete)
        return lines
    }

    @Test func aFolderCanBeMadeOneForOlderPrograms() throws {
        let scratch = Scratch()
        var model = Model()
        let database = try openWithBlocks(scratch, &model)
        try database.close()
        let blocks = scratch.blockNames.count
        let done = try convert(scratch, .xor)
        #expect(blocks > 0 && scratch.blockNames.count == blocks)
        #expect(done.count { $0.contains("now") } == blocks)
        for part in ["wal/", "wbl/", "chunks_head: "] {
            #expect(done.contains { $0.hasPrefix(part) }, "\(part) \(done)")
        }
        #expect(scratch.names("chunks_head") == [])
        #expect(try convert(scratch, .xor) == [])
        let plain = try Database.open(
            scratch.path, options(.xor, storesStarts: false), DatabaseEnvironment())
        #expect(try contents(plain) == withoutStarts(model.contents))
        try plain.close()
    }

    private func withoutStarts(_ contents: [Labels: [Seen]]) -> [Labels: [Seen]] {
        contents.mapValues {
            $0.map { Seen(time: $0.time, bits: $0.bits, start: 0) }
        }
    }

    @Test("Converting a folder may end at any moment: nothing is lost, or seen that was deleted")
    func conversionsMayBeInterrupted() throws {
        let scratch = Scratch()
        var model = Model()
        let database = try openWithBlocks(scratch, &model)
        let deleted = TimeRange(start: model.begin, end: model.begin + 4_000_000)
        try database.delete(deleted, [Matcher("__name__", .notEqual, "")])
        let expected = withoutStarts(try contents(database))
        try database.close()
        #expect(expected.values.joined().count < model.contents.values.joined().count)
        let whole = Scratch()
        try scratch.copy(to: whole)
        let counting = FailingFileSystem()
        #expect(try BlockConversion.run(whole.path, to: .xor, counting, time: 5) { _ in })
        let count = counting.count
        #expect(count > 20)
        let isLong = rounds(1, usual: 0) > 0
        // At the end head chunks and notes go.
        let some = [count / 3, 2 * count / 3, count - 6, count - 3, count - 1]
        for change in isLong ? Array(0..<count) : some {
            let copy = Scratch()
            try scratch.copy(to: copy)
            let fileSystem = FailingFileSystem()
            fileSystem.fail(at: change, isFinal: true)
            // The lock that is left at the end may fail to go and be no failure.
            _ = try? BlockConversion.run(copy.path, to: .xor, fileSystem, time: 5) { _ in }
            let twice = Scratch()
            try copy.copy(to: twice)
            let started = try Database.open(
                twice.path, options(.xor2, storesStarts: false), DatabaseEnvironment())
            #expect(withoutStarts(try contents(started)) == expected, "after \(change) changes")
            try started.close()
            try convert(copy, .xor)
            #expect(try convert(copy, .xor) == [])
            let plain = try Database.open(
                copy.path, options(.xor, storesStarts: false), DatabaseEnvironment())
            #expect(try contents(plain) == expected, "after \(change) changes")
            try plain.close()
        }
    }

    @Test func xorAndStartTimestampsDoNotGoTogether() throws {
        let scratch = Scratch()
        let words =
            "float chunk encoding \"xor\" is incompatible with start-timestamp storage; XOR chunks "
            + "do not store start timestamps, use \"xor2\""
        func refusal(_ body: () throws -> Void) -> String? {
            do { try body() } catch { return "\(error)" }
            return nil
        }
        #expect(
            refusal {
                _ = try Database.open(
                    scratch.path, options(.xor, storesStarts: true), DatabaseEnvironment())
            } == words)
        let database = try Database.open(
            scratch.path, options(.xor2, storesStarts: true), DatabaseEnvironment())
        #expect(refusal { try database.apply(options(.xor, storesStarts: true).settings) } == words)
        #expect(refusal { try database.apply(options(.xor2, storesStarts: true).settings) } == nil)
        try database.close()
    }
}
