// SPDX-License-Identifier: Apache-2.0

import Bytes
import ChunkEncoding
import Foundation
import Model
import Platform
import Storage
import TSDB
import Testing

private let fileSystem = LocalFileSystem()

private func newID(_ seed: UInt64 = 1) -> ULID {
    var generator = SplitMix(state: seed)
    return ULID(milliseconds: 1_767_225_600_000, using: &generator)
}

/// A database over one block of these series.
private func database(_ series: [Labels: [Sample]], in scratch: Scratch) throws -> Database {
    let times = series.values.flatMap { $0.map(\.timestamp) }
    let meta = BlockMeta(
        id: newID(), range: TimeRange(start: times.min()!, end: times.max()! + 1))
    _ = try BlockWriter(scratch.path, fileSystem).write(MemorySource(series: series), meta)
    return try Database.open(scratch.path, DatabaseOptions(), DatabaseEnvironment()) { _ in
        MemoryHead()
    }
}

private func zoo(_ generator: inout SplitMix, series count: Int) -> [Labels: [Sample]] {
    var series: [Labels: [Sample]] = [:]
    for _ in 0..<count {
        var builder = LabelsBuilder()
        builder.set("__name__", ["up", "cpu", "мера", "x:y"][generator.below(4)])
        if generator.below(4) > 0 { builder.set("job", "j\(generator.below(3))") }
        if generator.below(4) > 0 { builder.set("instance", "host-\(generator.below(150))") }
        if generator.below(9) == 0 { builder.set("path", "/\"\\\n") }
        let start = Int64(generator.below(3_600_000))
        series[builder.labels()] = (0..<(1 + generator.below(400))).map {
            Sample(timestamp: start + Int64($0) * 15_000, value: Double(generator.below(50)))
        }
    }
    return series
}

@Test("A block gives back what was written to it, for any time range")
func blocksRoundTrip() throws {
    var generator = SplitMix(state: 5)
    let scratch = Scratch()
    let series = zoo(&generator, series: 300)
    let database = try database(series, in: scratch)
    #expect(try contents(database) == series)
    for _ in 0..<20 {
        let start = Int64(generator.below(8_000_000))
        let range = TimeRange(start: start, end: start + Int64(generator.below(2_000_000)))
        let expected = series.mapValues { samples in
            samples.filter { range.start <= $0.timestamp && $0.timestamp <= range.end }
        }.filter { !$0.value.isEmpty }
        #expect(try contents(database, [], range) == expected)
    }
}

@Test("Matchers of all kinds select what they select one by one")
func matchersAgreeWithTheModel() throws {
    var generator = SplitMix(state: 6)
    let scratch = Scratch()
    let series = zoo(&generator, series: 400)
    let database = try database(series, in: scratch)
    let querier = try database.querier(over: always)
    let names = ["__name__", "job", "instance", "path", "absent"]
    let values = [
        "", "up", "cpu", "мера", "j0", "j1", "host-7", ".*", ".+", "up|cpu", "host-1.*",
        "host-(1|2)3?", "|j1", "j0|", "(up|j1)", "host-10|host-11|nothing", "/.*", "host-[0-9]",
    ]
    let operations: [Matcher.Operation] = [.equal, .notEqual, .regexMatch, .regexNoMatch]
    for _ in 0..<rounds(1500, usual: 400) {
        let matchers = try (0..<(1 + generator.below(3))).map { _ in
            try Matcher(
                names[generator.below(names.count)], operations[generator.below(4)],
                values[generator.below(values.count)])
        }
        let set = try querier.select(matchers, hints: SelectHints(range: always))
        let found = (0..<set.count).map { set.labels(at: $0) }
        let expected = series.keys.filter { labels in
            matchers.allSatisfy { $0.matches(labels) }
        }.sorted()
        #expect(found == expected, "\(matchers)")
        let foundNames = try querier.labelNames(matchers)
        #expect(
            foundNames
                == Set(expected.flatMap { $0.map(\.name) }).sorted(by: isOrderedBytewise))
        let foundValues = try querier.labelValues("instance", matchers)
        #expect(
            foundValues
                == Set(expected.compactMap { $0["instance"] }).sorted(by: isOrderedBytewise))
    }
    #expect(try querier.labelNames([]) == ["__name__", "instance", "job", "path"])
    #expect(try querier.labelValues("job", []) == ["j0", "j1", "j2"])
    #expect(try querier.labelValues("absent", []).isEmpty)
}

@Test("Names and values of labels are those of all blocks, each once, in the order of bytes")
func labelsOfSeveralBlocks() throws {
    let scratch = Scratch()
    let values = [
        ["a", "ab", "c", "\u{e9}", "z"], ["", "aa", "c", "e\u{301}", "zz"], ["ab", "c"], ["0"],
    ]
    for (place, texts) in values.enumerated() {
        let start = Int64(place) * 10_000
        var series: [Labels: [Sample]] = [:]
        for text in texts {
            series[Labels(["__name__": "up", "own\(3 - place)": "x", "value": text])] = [
                Sample(timestamp: start, value: 1)
            ]
        }
        let meta = BlockMeta(
            id: newID(UInt64(place)), range: TimeRange(start: start, end: start + 1))
        _ = try BlockWriter(scratch.path, fileSystem).write(MemorySource(series: series), meta)
    }
    let database = try Database.open(scratch.path, DatabaseOptions(), DatabaseEnvironment()) {
        _ in MemoryHead()
    }
    let querier = try database.querier(over: always)
    let matcher = try Matcher("__name__", .equal, "up")
    for matchers in [[], [matcher]] {
        #expect(
            try querier.labelNames(matchers)
                == ["__name__", "own0", "own1", "own2", "own3", "value"])
        let found = try querier.labelValues("value", matchers)
        let expected = ["0", "a", "aa", "ab", "c", "e\u{301}", "z", "zz", "\u{e9}"]
        #expect(found.map { Array($0.utf8) } == expected.map { Array($0.utf8) })
    }
}

@Test("Chunks go on in a new segment where one is full")
func segmentsAreCut() throws {
    let scratch = Scratch()
    var generator = SplitMix(state: 8)
    let series = zoo(&generator, series: 100)
    var writer = BlockWriter(scratch.path, fileSystem)
    writer.maximumSegmentLength = 5000
    let id = newID()
    let meta = BlockMeta(id: id, range: TimeRange(start: 0, end: 100_000_000))
    let written = try #require(
        try writer.write(MemorySource(series: series), meta))
    #expect(written.statistics.series == Int64(series.count))
    #expect(written.statistics.samples == Int64(series.values.reduce(0) { $0 + $1.count }))
    #expect(written.statistics.floatSamples == written.statistics.samples)
    let segments = scratch.names("\(id)/chunks")
    #expect(segments.count > 5)
    #expect(segments.first == "000001")
    let database = try Database.open(
        scratch.path, DatabaseOptions(), DatabaseEnvironment()
    ) { _ in MemoryHead() }
    #expect(try contents(database) == series)
}

@Test("No block is left where there is no sample")
func emptyBlocksAreNotWritten() throws {
    let scratch = Scratch()
    let meta = BlockMeta(id: newID(), range: TimeRange(start: 0, end: 1))
    let written = try BlockWriter(scratch.path, fileSystem)
        .write(MemorySource(series: [Labels(["a": "b"]): []]), meta)
    #expect(written == nil)
    #expect(scratch.names().isEmpty)
}

@Test("A flipped byte in an index gives an error or an answer, never a trap")
func damagedIndexesAreSurvived() throws {
    var generator = SplitMix(state: 9)
    let scratch = Scratch()
    let series = zoo(&generator, series: 40)
    _ = try database(series, in: scratch).close()
    let path = "\(scratch.path)/\(newID())"
    for file in ["index", "chunks/000001", "meta.json"] {
        let sound = try Data(contentsOf: URL(fileURLWithPath: "\(path)/\(file)"))
        for round in 0..<rounds(300, usual: 80) {
            var bytes = sound
            if round % 10 == 0 {
                bytes = bytes.prefix(generator.below(bytes.count))
            } else {
                let at = round < sound.count && round < 60 ? round : generator.below(bytes.count)
                bytes[at] ^= UInt8(1 + generator.below(255))
            }
            try bytes.write(to: URL(fileURLWithPath: "\(path)/\(file)"))
            guard let block = try? Block(path, fileSystem) else { continue }
            try? BlockMerge([block]).forEachSeries { _, _ in }
        }
        try sound.write(to: URL(fileURLWithPath: "\(path)/\(file)"))
    }
}

@Test("Deletions that another program wrote into a block are honoured")
func tombstonesAreHonoured() throws {
    let scratch = Scratch()
    let samples = (0..<300).map { Sample(timestamp: Int64($0) * 1000, value: Double($0)) }
    let series = [Labels(["a": "1"]): samples, Labels(["a": "2"]): samples]
    try database(series, in: scratch).close()
    let path = "\(scratch.path)/\(newID())"
    // The refs of the two series follow from the layout of the index: one reads them off.
    let index = try Data(contentsOf: URL(fileURLWithPath: "\(path)/index"))
    let seriesStart = index[(index.count - 44)..<(index.count - 36)].reduce(0) { $0 << 8 | Int($1) }
    let first = UInt64((seriesStart + 15) / 16)
    var stones = ByteWriter()
    stones.uvarint(first)
    stones.varint(100_000)
    stones.varint(150_000)
    stones.uvarint(first)
    stones.varint(150_001)
    stones.varint(159_000)
    var file = ByteWriter()
    file.uint32BE(0x0130_BA30)
    file.uint8(1)
    file.append(stones.bytes)
    file.uint32BE(crc32c(stones.bytes))
    try Data(file.bytes).write(to: URL(fileURLWithPath: "\(path)/tombstones"))

    let database = try Database.open(
        scratch.path, DatabaseOptions(), DatabaseEnvironment()
    ) { _ in MemoryHead() }
    let found = try contents(database)
    #expect(
        found[Labels(["a": "1"])]
            == samples.filter { $0.timestamp < 100_000 || $0.timestamp > 159_000 })
    #expect(found[Labels(["a": "2"])] == samples)
    #expect(database.readOnlyReason == nil)
}

@Test("A ULID and its text are one")
func identifiersRoundTrip() {
    let text = "01M814WHH6PBMZ1HWTD0XJAJ0G"
    #expect(ULID(text)?.description == text)
    #expect(ULID(text)!.milliseconds > 1_700_000_000_000)
    for wrong in [
        "", "01M814WHH6PBMZ1HWTD0XJAJ0", "81M814WHH6PBMZ1HWTD0XJAJ0G", "01m814WHH6PBMZ1HWTD0XJAJ0G",
        "01M814WHH6PBMZ1HWTD0XJAJ0U",
    ] {
        #expect(ULID(wrong) == nil)
    }
    let early = newID(1)
    #expect(early.milliseconds == 1_767_225_600_000)
    #expect(early < ULID("7ZZZZZZZZZZZZZZZZZZZZZZZZZ")!)
}
