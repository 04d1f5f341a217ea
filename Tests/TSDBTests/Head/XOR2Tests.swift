// SPDX-License-Identifier: Apache-2.0

import ChunkEncoding
import Instrumentation
import Model
import Platform
import Storage
import TSDB
import Testing

private func options(_ encoding: FloatEncoding) -> HeadOptions {
    var options = HeadOptions()
    options.floatEncoding = encoding
    options.samplesPerChunk = 20
    options.segmentSize = 131_072
    options.snapshotTail = .max
    return options
}

private func settings(_ encoding: FloatEncoding) -> DatabaseSettings {
    var settings = DatabaseSettings()
    settings.floatEncoding = encoding
    return settings
}

/// Values with stale markers and other NaNs among them.
private func value(_ number: Int, _ step: Int) -> Double {
    switch (number + step) % 11 {
    case 3: StaleMarker.value
    case 5: StaleMarker.ordinaryNaN
    case 7: Double(bitPattern: 0x7FF8_0000_0000_0100 + UInt64(step))
    default: Double(step) * 0.1 + Double(number)
    }
}

/// The encodings of the chunks that a block of everything would have.
private func encodings(_ head: Head) throws -> Set<EncodedChunk.Encoding> {
    var found: Set<EncodedChunk.Encoding> = []
    let always = TimeRange(start: .earliest, end: .latest)
    try head.blockSource(always).forEachSeries { _, chunks in
        found.formUnion(chunks.map(\.encoding))
    }
    return found
}

/// The encodings of the chunks of all blocks.
private func encodings(_ blocks: [Block]) throws -> Set<EncodedChunk.Encoding> {
    var found: Set<EncodedChunk.Encoding> = []
    try BlockMerge(blocks, isExact: true).forEachSeries { _, chunks in
        found.formUnion(chunks.map(\.encoding))
    }
    return found
}

struct XOR2DatabaseTests {
    private let begin: Int64 = 1_767_225_600_000
    private let hour: Int64 = 3_600_000

    private func open(_ scratch: Scratch, _ encoding: FloatEncoding) throws -> Database {
        var options = DatabaseOptions()
        options.settings.retention.time = 0
        options.settings.floatEncoding = encoding
        options.largestBlockRange = 18 * hour
        options.settings.outOfOrderWindow = 30 * hour
        return try Database.open(scratch.path, options, DatabaseEnvironment())
    }

    private func add(
        _ numbers: [Int], at time: Int64, to database: Database,
        _ model: inout [Labels: [Int64: UInt64]]
    ) throws {
        let refs = try database.resolve(numbers.map(series))
        var batch = SampleBatch(sharedTimestamp: time)
        for (number, ref) in zip(numbers, refs) {
            let value = value(number, Int(time / 500 % 9973))
            batch.append(ref, value)
            model[series(number), default: [:]][time] = value.bitPattern
        }
        #expect(try database.commit(batch, .skipFaulty).faults.isEmpty)
    }

    private func contents(_ model: [Labels: [Int64: UInt64]]) -> [Labels: SeriesColumn] {
        model.mapValues { column in
            let times = column.keys.sorted()
            return SeriesColumn(times: times, bits: times.map { column[$0]! })
        }
    }

    private func convert(_ scratch: Scratch, _ target: BlockConversion.Target) throws {
        let isComplete = try BlockConversion.run(
            scratch.path, to: target, LocalFileSystem(), time: 5
        ) { _ in }
        #expect(isComplete)
    }

    @Test func blocksLateSamplesAndMergesAreXOR2AndCanBeConverted() throws {
        let scratch = Scratch()
        var model: [Labels: [Int64: UInt64]] = [:]
        let database = try open(scratch, .xor2)
        for minute in 0..<(11 * 60) {
            let time = begin + Int64(minute) * 60_000
            try add([0, 1, 2, 3], at: time, to: database, &model)
            if minute % 3 == 0, minute > 0 {
                let late = time - Int64(minute * 7919 % 36_000) * 1000 - 500
                try add([1, 2, 9], at: late, to: database, &model)
            }
        }
        #expect(try headContents(database) == contents(model))
        try database.maintain()
        #expect(try headContents(database) == contents(model))
        #expect(try encodings(database.blocks) == [.xor2])
        #expect(database.blocks.contains { $0.meta.compaction.level > 1 })
        try database.close()

        let others: [(BlockConversion.Target, FloatEncoding)] = [
            (.xor, .xor), (.xor2, .xor2), (.dense, .xor), (.xor2, .xor2), (.dense, .xor),
            (.xor, .xor),
        ]
        for (target, encoding) in others {
            try convert(scratch, target)
            let plain = try open(scratch, encoding)
            #expect(try encodings(plain.blocks) == [encoding == .xor ? .xor : .xor2])
            #expect(try headContents(plain) == contents(model))
            try plain.close()
        }
    }
}

struct XOR2HeadTests {
    private let start: Timestamp = 1_700_000_000_000

    /// Adds rounds of samples of 30 series at uneven steps, and to `model` what should be shown.
    private func add(
        _ steps: Range<Int>, to head: Head, _ model: inout [Labels: SeriesColumn]
    ) throws {
        for step in steps {
            let time = start + Timestamp(step) * 15_000 + Timestamp(step % 7 == 0 ? 4 * step : 0)
            let numbers = Array((step % 3)..<30)
            try head.add(numbers, at: time) { value($0, step) }
            for number in numbers {
                model[series(number), default: SeriesColumn()].times.append(time)
                model[series(number), default: SeriesColumn()].bits.append(
                    value(number, step).bitPattern)
            }
        }
    }

    @Test func whatIsWrittenIsShownBeforeAndAfterAnyEnd() throws {
        let folder = TemporaryFolder()
        var model: [Labels: SeriesColumn] = [:]
        var head = try openHead(folder, options(.xor2))
        try add(0..<150, to: head, &model)
        #expect(try headContents(head) == model)
        #expect(try encodings(head) == [.xor2])
        #expect(try headContents(try openHead(try folder.copy(), options(.xor2))) == model)
        #expect(try headContents(try openHead(try folder.copy(), options(.xor))) == model)
        head.takeSnapshot()
        #expect(try headContents(try openHead(try folder.copy(), options(.xor2))) == model)
        try add(150..<170, to: head, &model)
        #expect(try headContents(try openHead(try folder.copy(), options(.xor2))) == model)
        try head.close()
        head = try openHead(folder, options(.xor))
        try add(170..<260, to: head, &model)
        #expect(try headContents(head) == model)
        #expect(try headContents(try openHead(try folder.copy(), options(.xor))) == model)
        #expect(try encodings(head) == [.xor, .xor2])
    }

    @Test func aSettingCountsFromTheNextChunkOn() throws {
        let folder = TemporaryFolder()
        var model: [Labels: SeriesColumn] = [:]
        let head = try openHead(folder, options(.xor))
        try add(0..<4, to: head, &model)
        try head.apply(settings(.xor2))
        try add(4..<8, to: head, &model)
        #expect(try encodings(head) == [.xor])
        try add(8..<100, to: head, &model)
        #expect(try encodings(head) == [.xor, .xor2])
        try head.apply(settings(.xor))
        try add(100..<180, to: head, &model)
        #expect(try headContents(head) == model)
        #expect(try headContents(try openHead(try folder.copy(), options(.xor))) == model)
    }

    @Test func whetherASampleIsARepetitionIsSeenBehindAStaleMarker() throws {
        let folder = TemporaryFolder()
        let head = try openHead(folder, options(.xor2))
        for step in 0..<5 { try head.add([1], at: start + Timestamp(step)) { _ in 2 } }
        try head.add([1], at: start + 5) { _ in StaleMarker.value }
        let same = try head.add([1], at: start + 5) { _ in StaleMarker.value }
        #expect(same.stored == 1)
        let other = try head.add([1], at: start + 5) { _ in 2 }
        #expect(other.faults.map(\.index) == [0])
        head.takeSnapshot()
        let again = try openHead(try folder.copy(), options(.xor2))
        #expect(try again.add([1], at: start + 5) { _ in StaleMarker.value }.stored == 1)
        #expect(try headContents(again) == headContents(head))
    }
}
