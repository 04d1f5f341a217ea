// SPDX-License-Identifier: Apache-2.0

import Model
import Platform
import Storage
import Synchronization
import TSDB
import Testing

struct CommitTests {
    let folder = TemporaryFolder()

    @Test func committedSamplesAreReadBackAtOnce() throws {
        let head = try openHead(folder)
        for step in 0..<1000 {
            try head.add(Array(0..<20), at: Int64(step) * 15_000) { Double($0 * step) }
        }
        let found = try headContents(head)
        #expect(found.count == 20)
        for number in 0..<20 {
            let column = try #require(found[series(number)])
            #expect(column.times == (0..<1000).map { Int64($0) * 15_000 })
            #expect(column.bits == (0..<1000).map { Double(number * $0).bitPattern })
        }
        #expect(head.timeRange == TimeRange(start: 0, end: 999 * 15_000))
        #expect(head.seriesCount == 20)
        try head.close()
    }

    /// Else the memory of open chunks would rise to twice its mean, and stay there.
    @Test func seriesThatBeganTogetherDoNotFillTheirChunksTogether() throws {
        let head = try openHead(folder)
        let series = Array(0..<100)
        try head.add(series, at: 0) { Double($0) }
        var chunkCount = head.status(limit: 1).chunkCount
        var mostAtOnce = 0
        for second in 1..<1200 {
            try head.add(series, at: Int64(second) * 1000) { Double($0 * second) }
            let count = head.status(limit: 1).chunkCount
            mostAtOnce = max(mostAtOnce, count - chunkCount)
            chunkCount = count
        }
        #expect(chunkCount >= 900 && chunkCount <= 1100)
        #expect(mostAtOnce <= 10)
        try head.close()
    }

    @Test func eachFaultIsReportedAtItsPlace() throws {
        let head = try openHead(folder)
        try head.add([0, 1, 2, 3], at: 10_000_000) { Double($0) }
        let refs = try head.resolve((0..<6).map(series))
        var batch = SampleBatch(sharedTimestamp: 0)
        batch.append(refs[0], 0, at: 10_000_000)  // the same again: silently taken
        batch.append(refs[1], 7, at: 10_000_000)
        batch.append(refs[2], 7, at: 9_999_999)
        batch.append(refs[4], 7, at: 10_000_000 - 3_600_001)
        batch.append(refs[5], 7, at: 10_000_000 - 3_600_000)
        batch.append(SeriesRef(slot: refs[3].slot, generation: 99), 1, at: 10_000_001)
        batch.append(SeriesRef(slot: 1 << 31, generation: 0), 1, at: 10_000_001)
        let outcome = try head.commit(batch, .skipFaulty)
        #expect(outcome.stored == 2)
        #expect(outcome.faults.map(\.index) == [1, 2, 3, 5, 6])
        #expect(
            outcome.faults.map(\.fault)
                == [.duplicate(existing: 1), .outOfOrder, .outOfBounds, .staleRef, .staleRef])
        let found = try headContents(head)
        #expect(found[series(5)]?.times == [6_400_000])
        #expect(found[series(4)] == nil)
        #expect(found[series(1)] == SeriesColumn(times: [10_000_000], bits: [Double(1).bitPattern]))
    }

    /// A batch of one timestamp is taken by a shorter way up to its first sample that needs a
    /// closer look.
    @Test(arguments: 0..<8)
    func aFaultIsReportedWhereverItStandsInABatchOfOneTimestamp(_ place: Int) throws {
        let head = try openHead(folder)
        let numbers = Array(0..<8)
        try head.add(numbers, at: 1000) { Double($0) }
        try head.add([place], at: 2000) { _ in 7 }
        let outcome = try head.add(numbers, at: 2000) { Double($0 + 10) }
        #expect(outcome.stored == 7)
        #expect(outcome.faults.map(\.index) == [place])
        #expect(outcome.faults.map(\.fault) == [.duplicate(existing: 7)])
        let older = try head.add(numbers, at: 1500) { Double($0) }
        #expect(older.faults.map(\.fault) == Array(repeating: .outOfOrder, count: 8))
        try head.close()
        let again = try openHead(folder)
        let found = try headContents(again)
        for number in numbers {
            let bits = [Double(number), number == place ? 7 : Double(number + 10)]
            #expect(
                found[series(number)]
                    == SeriesColumn(times: [1000, 2000], bits: bits.map(\.bitPattern)))
        }
        try again.close()
    }

    @Test func seriesMayComeTwiceAndInAnyOrderInABatchOfOneTimestamp() throws {
        let head = try openHead(folder)
        try head.add(Array(0..<6), at: 1000) { Double($0) }
        let outcome = try head.add([0, 1, 4, 3, 4, 2, 5, 1], at: 2000) { Double($0) }
        #expect(outcome.stored == 8 && outcome.faults.isEmpty)
        let found = try headContents(head)
        for number in 0..<6 {
            #expect(found[series(number)]?.times == [1000, 2000])
        }
        try head.close()
    }

    @Test func allOrNothingStoresNothingOfAFaultyBatch() throws {
        let head = try openHead(folder)
        try head.add([0], at: 1000) { _ in 1 }
        let outcome = try head.add([1, 0, 2], at: 1000, .allOrNothing) { _ in 2 }
        #expect(outcome.stored == 0)
        #expect(outcome.faults.map(\.index) == [1])
        #expect(try headContents(head).count == 1)
        #expect(try head.add([1, 2], at: 1000, .allOrNothing) { _ in 2 }.stored == 2)
        #expect(try headContents(head).count == 3)
    }

    @Test func severalSamplesOfASeriesInOneBatchAreCheckedAmongThemselves() throws {
        let head = try openHead(folder)
        let refs = try head.resolve([series(0), series(1)])
        var batch = SampleBatch(sharedTimestamp: 0)
        batch.append(refs[1], 1, at: 1000)
        batch.append(refs[1], 2, at: 2000)
        batch.append(refs[0], 3, at: 1000)
        batch.append(refs[1], 4, at: 1500)
        batch.append(refs[1], 2, at: 2000)
        batch.append(refs[0], 5, at: 1000)
        batch.append(refs[0], 6, at: 3000)
        let outcome = try head.commit(batch, .skipFaulty)
        #expect(outcome.stored == 5)
        #expect(outcome.faults.map(\.index) == [3, 5])
        #expect(outcome.faults.map(\.fault) == [.outOfOrder, .duplicate(existing: 3)])
        let found = try headContents(head)
        #expect(found[series(1)]?.times == [1000, 2000])
        #expect(found[series(0)]?.times == [1000, 3000])
    }

    @Test func nansAreKeptBitByBit() throws {
        let head = try openHead(folder)
        let odd = Double(bitPattern: 0x7FF8_0000_0000_1234)
        try head.add([0], at: 1) { _ in StaleMarker.value }
        try head.add([0], at: 2) { _ in odd }
        try head.add([0], at: 3) { _ in -0.0 }
        #expect(
            try head.add([0], at: 3) { _ in 0.0 }.faults.map(\.fault) == [
                .duplicate(existing: -0.0)
            ])
        #expect(try head.add([0], at: 3) { _ in -0.0 }.faults.isEmpty)
        let bits = try headContents(head)[series(0)]?.bits
        #expect(bits == [StaleMarker.bits, odd.bitPattern, Double(-0.0).bitPattern])
    }

    @Test func anEmptyHeadTakesAnyTimeAfterTheLastBlock() throws {
        let head = try openHead(folder, minValidTime: 5000)
        #expect(try head.add([0], at: 4999) { _ in 1 }.faults.map(\.fault) == [.outOfBounds])
        #expect(try head.add([0], at: 5000) { _ in 1 }.faults.isEmpty)
        let other = try openHead(TemporaryFolder())
        #expect(try other.add([0], at: -9_000_000_000_000) { _ in 1 }.faults.isEmpty)
        #expect(try headContents(other)[series(0)]?.times == [-9_000_000_000_000])
    }

    /// The head's own thread rests when nothing is left to write.
    @Test func whatIsCommittedIsSyncedSoonAlsoAfterARest() throws {
        let disk = FullDisk()
        var options = HeadOptions()
        options.snapshotTail = .max
        let head = try openHead(folder, options, disk)
        for round in 0..<3 {
            let before = disk.syncs.withLock { $0 }
            try head.add([0, 1], at: Int64(round) * 1000) { Double($0) }
            disk.syncs.wait { $0 > before ? true : nil }
        }
        try head.close()
    }

    @Test func aFullDiskLosesNothingAndTheHeadRecovers() throws {
        let disk = FullDisk()
        let head = try openHead(folder, HeadOptions(), disk)
        try head.add([0, 1], at: 1000) { Double($0) }
        disk.isFull.withLock { $0 = true }
        #expect(throws: StorageError.self) { try head.add([0, 1, 2], at: 2000) { Double($0) } }
        #expect(try headContents(head).values.map(\.times) == [[1000], [1000]])
        disk.isFull.withLock { $0 = false }
        try head.add([0, 2], at: 3000) { Double($0) }
        let expected = try headContents(head)
        #expect(expected[series(0)]?.times == [1000, 3000])
        // As after a kill: nothing was closed.
        let reopened = try openHead(try folder.copy())
        #expect(try headContents(reopened) == expected)
    }

    @Test func aSelectionShowsWhatWasCommittedBeforeItAndNothingLater() throws {
        let head = try openHead(folder)
        for step in 0..<100 { try head.add(Array(0..<5), at: Int64(step)) { Double($0) } }
        let range = TimeRange(start: 0, end: .max)
        let querier = try head.querier(over: range)
        let set = try querier.select([], hints: SelectHints(range: range))
        // The open chunks become full ones meanwhile.
        for step in 100..<1000 { try head.add(Array(0..<6), at: Int64(step)) { Double($0 + step) } }
        #expect(set.count == 5)
        for index in 0..<5 {
            var columns = SampleColumns()
            try set.read(index, range, into: &columns)
            #expect(columns.timestamps == (0..<100).map { Int64($0) })
        }
        #expect(
            try headContents(head).values.map(\.times.count).sorted() == [900]
                + Array(repeating: 1000, count: 5))
    }

    @Test func seriesAreReadInAnyOrderByManyThreadsWhileSamplesArrive() throws {
        let head = try openHead(folder)
        let numbers = Array(0..<300)
        for step in 0..<130 { try head.add(numbers, at: Int64(step)) { Double($0 * step) } }
        let range = TimeRange(start: 0, end: .max)
        let set = try head.querier(over: range).select([], hints: SelectHints(range: range))
        let labels = (0..<set.count).map { set.labels(at: $0) }
        let valueFactors = Dictionary(
            uniqueKeysWithValues: numbers.map { (series($0), Double($0)) })
        let failures = Mutex<[String]>([])
        let readers = try (0..<4).map { reader in
            try SystemThread("reader") {
                var order = Array(0..<set.count)
                var random = SeededGenerator(UInt64(reader))
                if reader == 1 { order.reverse() }
                if reader > 1 { order.shuffle(using: &random) }
                for index in order {
                    var columns = SampleColumns()
                    try? set.read(index, range, into: &columns)
                    let factor = valueFactors[labels[index]] ?? .nan
                    let isRight =
                        set.labels(at: index) == labels[index]
                        && columns.timestamps == (0..<130).map { Int64($0) }
                        && columns.values == (0..<130).map { factor * Double($0) }
                    if !isRight { failures.withLock { $0.append("\(labels[index])") } }
                }
            }
        }
        // New series get new labels, and open chunks become full ones meanwhile.
        for step in 130..<260 {
            try head.add(numbers + [1000 + step], at: Int64(step)) { Double($0) }
        }
        for thread in readers { thread.join() }
        #expect(failures.withLock { $0 } == [])
    }

    @Test func seriesComeInTheOrderOfTheirCreationWhereNoOrderIsNeeded() throws {
        let head = try openHead(folder)
        let created = [5, 2, 9, 0, 7]
        for number in created { try head.add([number], at: 1000) { Double($0) } }
        let range = TimeRange(start: 0, end: .max)
        var hints = SelectHints(range: range)
        hints.needsOrder = false
        func labels() throws -> [Labels] {
            let set = try head.querier(over: range).select([], hints: hints)
            return (0..<set.count).map { set.labels(at: $0) }
        }
        #expect(try labels() == created.map(series))
        // Slots that are used again do not count.
        try head.add([2, 7], at: 2000) { Double($0) }
        try head.truncateWithLog(before: 1500)
        try head.add([3, 1, 4, 6], at: 2000) { Double($0) }
        #expect(try labels() == [2, 7, 3, 1, 4, 6].map(series))
    }
}
