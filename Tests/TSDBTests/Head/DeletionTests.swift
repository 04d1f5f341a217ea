// SPDX-License-Identifier: Apache-2.0

import Bytes
import ChunkEncoding
import Foundation
import Model
import Storage
import TSDB
import Testing

/// Samples of numbered series in a dictionary, as the head should show them.
private struct Model {
    var samples: [Int: [Int64: Double]] = [:]

    mutating func delete(_ numbers: [Int], _ range: TimeRange) {
        for number in numbers {
            samples[number] = samples[number]?.filter {
                $0.key < range.start || range.end < $0.key
            }
        }
    }

    var contents: [Labels: SeriesColumn] {
        var contents: [Labels: SeriesColumn] = [:]
        for (number, samples) in samples where !samples.isEmpty {
            let sorted = samples.sorted { $0.key < $1.key }
            contents[series(number)] = SeriesColumn(
                times: sorted.map(\.key), bits: sorted.map(\.value.bitPattern))
        }
        return contents
    }
}

private func smallSegments() -> HeadOptions {
    var options = HeadOptions()
    options.segmentSize = 32_768
    options.compression = .none
    return options
}

private func named(_ host: String) throws -> [Matcher] {
    [try Matcher("instance", .equal, host)]
}

struct DeletionTests {
    private let hour: Int64 = 3_600_000

    @Test("Deleted samples are gone before and after a restart, and later ones are not touched")
    func deletedSamplesStayGone() throws {
        let folder = TemporaryFolder()
        let head = try openHead(folder)
        var model = Model()
        for step in 0..<400 as Range<Int64> {
            try head.add(Array(0..<21), at: step * 1000) { Double($0) + Double(step) }
            for number in 0..<21 {
                model.samples[number, default: [:]][step * 1000] = Double(number) + Double(step)
            }
        }
        let range = TimeRange(start: 100_000, end: 150_500)
        try head.delete(range, try named("host-1"))
        model.delete(Array(7..<14), range)
        #expect(try headContents(head) == model.contents)
        // Up to the newest sample, not beyond.
        try head.delete(TimeRange(start: 390_000, end: .max), try named("host-2"))
        model.delete(Array(14..<21), TimeRange(start: 390_000, end: .max))
        try head.add([14, 20], at: 400_000) { _ in 5 }
        model.samples[14]?[400_000] = 5
        model.samples[20]?[400_000] = 5
        #expect(try headContents(head) == model.contents)
        let killed = try folder.copy()
        for _ in 0..<2 {
            let again = try openHead(killed)
            #expect(try headContents(again) == model.contents)
            #expect(again.foreignData == nil)
            try again.close()
        }
    }

    @Test("A series that is deleted whole has no samples but is there until it leaves the head")
    func seriesAreDeletedWhole() throws {
        let folder = TemporaryFolder()
        let head = try openHead(folder)
        for step in 0..<500 as Range<Int64> { try head.add([0, 7], at: step * 1000) { _ in 1 } }
        try head.delete(TimeRange(start: .min, end: .max), try named("host-1"))
        #expect(try headContents(head).keys.sorted() == [series(0)])
        func selected(_ range: TimeRange) throws -> Int {
            let querier = try head.querier(over: range)
            return try querier.select(
                try named("host-1"), hints: SelectHints(range: range)
            ).count
        }
        // The open chunk counts as there, full ones do not: as upstream shows series.
        #expect(try selected(TimeRange(start: 0, end: 500_000)) == 1)
        #expect(try selected(TimeRange(start: 0, end: 60_000)) == 0)
        #expect(try headContents(head, try named("host-1")).isEmpty)
        try head.add([7], at: 500_000) { _ in 2 }
        #expect(try headContents(head, try named("host-1"))[series(7)]?.times == [500_000])
    }

    @Test("Random appends, deletions, truncations and restarts agree with a dictionary")
    func randomHistoriesAgree() throws {
        for seed in 1...6 as ClosedRange<UInt64> {
            var random = SeededGenerator(seed)
            var folder = TemporaryFolder()
            var head = try openHead(folder, smallSegments())
            var model = Model()
            var now: Int64 = 0
            var bound = Int64.min
            for _ in 0..<60 {
                switch Int.random(in: 0..<12, using: &random) {
                case 0..<7:
                    for _ in 0..<40 {
                        now += Int64.random(in: 1...30_000, using: &random)
                        let numbers = (0..<35).filter { _ in Bool.random(using: &random) }
                        try head.add(numbers, at: now) { Double($0) + Double(now) }
                        for number in numbers {
                            model.samples[number, default: [:]][now] = Double(number) + Double(now)
                        }
                    }
                case 7, 8, 9:
                    let host = Int.random(in: 0..<5, using: &random)
                    let start = Int64.random(in: -1000...now + 1000, using: &random)
                    let length = Int64.random(in: 0...hour, using: &random)
                    let range = TimeRange(start: start, end: start + length)
                    try head.delete(range, try named("host-\(host)"))
                    model.delete(Array(host * 7..<host * 7 + 7), range)
                case 10:
                    bound = max(bound, now - hour)
                    try head.truncateWithLog(before: bound)
                    model.delete(Array(0..<35), TimeRange(start: .min, end: bound - 1))
                default:
                    if Bool.random(using: &random) {
                        try head.close()
                    } else {
                        folder = try folder.copy()
                    }
                    head = try openHead(folder, smallSegments(), minValidTime: bound)
                }
                #expect(try headContents(head) == model.contents, "seed \(seed)")
            }
            try head.close()
        }
    }

    @Test("A block cut from the head has nothing that is deleted")
    func blocksLeaveDeletionsOut() throws {
        let folder = TemporaryFolder()
        let head = try openHead(folder)
        for step in 0..<600 as Range<Int64> {
            try head.add([0, 7, 14], at: step * 1000) { Double($0) }
        }
        try head.delete(TimeRange(start: 50_000, end: 260_000), try named("host-1"))
        try head.delete(TimeRange(start: .min, end: .max), try named("host-2"))
        let expected = try headContents(head)
        var found: [Labels: SeriesColumn] = [:]
        let source = head.blockSource(TimeRange(start: 0, end: 600_000))
        try source.forEachSeries { labels, chunks in
            for chunk in chunks {
                #expect(chunk.sampleCount > 0)
                let samples = decoded(chunk)
                found[labels, default: SeriesColumn()].times += samples.times
                found[labels, default: SeriesColumn()].bits += samples.bits
                #expect(chunk.range.start == samples.times.first)
                #expect(chunk.range.end == samples.times.last)
            }
        }
        #expect(found == expected)
    }

    private func framed(_ body: [UInt8]) -> [UInt8] {
        var writer = ByteWriter()
        writer.uint8(1)
        writer.uint16BE(UInt16(body.count))
        writer.uint32BE(crc32c(body))
        writer.append(body)
        return writer.bytes
    }

    private func stones(_ stones: [(ref: UInt64, start: Int64, end: Int64)]) -> [UInt8] {
        var writer = ByteWriter()
        writer.uint8(3)
        for (ref, start, end) in stones {
            writer.uint64BE(ref)
            writer.varint(start)
            writer.varint(end)
        }
        return framed(writer.bytes)
    }

    private func seriesRecord(_ ref: UInt64, _ name: String) -> [UInt8] {
        var writer = ByteWriter()
        writer.uint8(1)
        writer.uint64BE(ref)
        writer.uvarint(1)
        writer.lengthPrefixed("__name__")
        writer.lengthPrefixed(name)
        return framed(writer.bytes)
    }

    private func sampleRecord(_ ref: UInt64, _ time: Int64) -> [UInt8] {
        var writer = ByteWriter()
        writer.uint8(2)
        writer.uint64BE(ref)
        writer.uint64BE(UInt64(time))
        writer.varint(0)
        writer.varint(0)
        writer.uint64BE(Double(time).bitPattern)
        return framed(writer.bytes)
    }

    @Test("A deletion from the earliest to the latest time takes the series out at replay")
    func wholeSeriesLeaveAtReplay() throws {
        let folder = TemporaryFolder()
        try folder.write(
            seriesRecord(5, "a") + sampleRecord(5, 1000) + seriesRecord(6, "b")
                + sampleRecord(6, 1000) + seriesRecord(7, "a") + sampleRecord(7, 2000)
                // By its second ref; both lead to one series, which goes.
                + stones([(7, .min, .max)]) + sampleRecord(5, 3000) + sampleRecord(7, 3000)
                + seriesRecord(9, "c") + sampleRecord(9, 4000) + sampleRecord(6, 5000)
                + seriesRecord(10, "a") + sampleRecord(10, 6000), "wal/00000000")
        let head = try openHead(folder)
        let found = try headContents(head)
        #expect(found[Labels(["__name__": "a"])]?.times == [6000])
        #expect(found[Labels(["__name__": "b"])]?.times == [1000, 5000])
        #expect(found[Labels(["__name__": "c"])]?.times == [4000])
        #expect(found.count == 3)
    }

    @Test("Deletions of unknown series are skipped, but their refs are not given out again")
    func unknownDeletionsAreSkipped() throws {
        let folder = TemporaryFolder()
        try folder.write(
            seriesRecord(5, "a") + sampleRecord(5, 1000) + stones([(90, 0, 5000), (5, 900, 999)]),
            "wal/00000000")
        let head = try openHead(folder, smallSegments())
        #expect(try headContents(head)[Labels(["__name__": "a"])]?.times == [1000])
        try head.add([1], at: 2000) { _ in 1 }
        try head.close()
        let log = try folder.contents("wal/00000001")
        #expect(log[8..<16].elementsEqual([0, 0, 0, 0, 0, 0, 0, 91]), "\(log.prefix(20))")
    }
}

private func decoded(_ chunk: EncodedChunk) -> SeriesColumn {
    var times: [Timestamp] = []
    var values: [Double] = []
    try! decodeFloats(
        chunk.bytes.raw, chunk.encoding, within: TimeRange(start: .min, end: .max), &times,
        &values)
    return SeriesColumn(times: times, bits: values.map(\.bitPattern))
}
