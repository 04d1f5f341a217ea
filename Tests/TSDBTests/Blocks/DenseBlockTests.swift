// SPDX-License-Identifier: Apache-2.0

import ChunkEncoding
import Foundation
import Model
import Platform
import Storage
import TSDB
import Testing

private let hour: Int64 = 3_600_000
private let fileSystem = LocalFileSystem()

private func meta(_ seed: UInt64, _ range: TimeRange, _ encoding: BlockEncoding) -> BlockMeta {
    var generator = SplitMix(state: seed)
    var meta = BlockMeta(id: ULID(milliseconds: Int64(seed), using: &generator), range: range)
    meta.encoding = encoding
    return meta
}

/// Series with regular times, with times that targets share, and with times of their own.
private func zoo(_ generator: inout SplitMix, series count: Int) -> [Labels: [Sample]] {
    var series: [Labels: [Sample]] = [:]
    let shared: [[Int64]] = (0..<3).map { target in
        var time = Int64(target * 1000)
        return (0..<1500).map { _ in
            time += 14_998 + Int64(generator.below(5))
            return time
        }
    }
    for number in 0..<count {
        let target = generator.below(3)
        let labels = Labels(["__name__": "m\(number % 7)", "n": "\(number)", "t": "\(target)"])
        let length = 1 + generator.below(1500)
        let start = Int64(generator.below(1_000_000))
        let scale = [1.0, 100, 7][generator.below(3)]
        series[labels] = (0..<length).map { index in
            let time = number % 3 == 0 ? start + Int64(index) * 15_000 : shared[target][index]
            let value =
                number % 5 == 0 ? Double(number) : Double(generator.below(1000) * index) / scale
            return Sample(timestamp: time, value: value)
        }
    }
    return series
}

private func open(
    _ scratch: Scratch, _ encoding: BlockEncoding = .xor, _ head: MemoryHead = MemoryHead()
) throws -> Database {
    var options = DatabaseOptions()
    options.settings.retention.time = 0
    options.settings.blockEncoding = encoding
    options.largestBlockRange = 18 * hour
    return try Database.open(scratch.path, options, DatabaseEnvironment()) { _ in head }
}

private func size(_ scratch: Scratch, _ block: String) -> Int {
    scratch.names("\(block)/chunks").reduce(0) { sum, name in
        let path = "\(scratch.path)/\(block)/chunks/\(name)"
        let attributes = try? FileManager.default.attributesOfItem(atPath: path)
        return sum + (attributes?[.size] as? Int ?? 0)
    }
}

@Test("A dense block gives back what was written to it, for any range, from one segment or many")
func denseBlocksRoundTrip() throws {
    var generator = SplitMix(state: 21)
    let series = zoo(&generator, series: 60)
    let range = TimeRange(start: 0, end: 100_000_000)
    for segmentLength in [512 << 20, 200_000] {
        let scratch = Scratch()
        var writer = BlockWriter(scratch.path, fileSystem)
        writer.maximumSegmentLength = segmentLength
        let written = try #require(
            try writer.write(MemorySource(series: series), meta(1, range, .dense)))
        #expect(written.directoryName.hasSuffix(".dense"))
        #expect(scratch.names() == [written.directoryName])
        #expect(written.statistics.samples == Int64(series.values.reduce(0) { $0 + $1.count }))
        #expect(written.statistics.chunks == Int64(series.count))
        let report = try FolderVerification.run(scratch.path, fileSystem)
        #expect(report.findings.filter { $0.kind == .damage } == [])
        #expect(report.samples == written.statistics.samples)
        let database = try open(scratch)
        #expect(try contents(database) == series)
        for _ in 0..<20 {
            let start = Int64(generator.below(20_000_000))
            let range = TimeRange(start: start, end: start + Int64(generator.below(2_000_000)))
            let expected = series.mapValues { samples in
                samples.filter { range.start <= $0.timestamp && $0.timestamp <= range.end }
            }.filter { !$0.value.isEmpty }
            #expect(try contents(database, [], range) == expected)
        }
    }
}

@Test("Merged blocks are dense where that is wanted, and again not where it is no longer")
func mergesChooseTheEncoding() throws {
    let scratch = Scratch()
    let head = MemoryHead()
    for number in 0..<5 {
        let samples = (0..<(27 * 60) as Range<Int64>).map {
            Sample(timestamp: $0 * 60_000, value: Double($0 * Int64(number)) / 10)
        }
        head.add(Labels(["__name__": "m", "n": "\(number)"]), samples)
    }
    let all = head.everything
    let database = try open(scratch, .dense, head)
    try database.maintain()
    #expect(try contents(database) == all)
    #expect(database.blocks.map(\.meta.encoding) == [.dense, .xor, .xor, .xor])
    #expect(database.blocks.map(\.meta.compaction.level) == [3, 1, 1, 1])
    // Deletions, which a clean takes out of the dense block.
    let deleted = TimeRange(start: 5 * hour, end: 6 * hour)
    try database.delete(deleted, [try Matcher("n", .equal, "3")])
    let rest = all.reduce(into: all) { rest, item in
        if item.key["n"] == "3" {
            rest[item.key] = item.value.filter {
                $0.timestamp < deleted.start || deleted.end < $0.timestamp
            }
        }
    }
    #expect(try contents(database) == rest)
    try database.cleanTombstones()
    #expect(database.blocks.map(\.meta.encoding) == [.dense, .xor, .xor, .xor])
    #expect(try contents(database) == rest)
    let snapshot = try database.snapshot(includingHead: false)
    #expect(scratch.names("snapshots/\(snapshot)").contains { $0.hasSuffix(".dense") })
    try database.close()

    let again = try open(scratch, .xor, head)
    #expect(try contents(again) == rest)
    try again.close()
    let copy = Scratch()
    for name in scratch.names("snapshots/\(snapshot)") {
        try FileManager.default.copyItem(
            atPath: "\(scratch.path)/snapshots/\(snapshot)/\(name)", toPath: "\(copy.path)/\(name)")
    }
    #expect(try FolderVerification.run(copy.path, fileSystem).isSound)
}

@Test("Dense and other blocks that overlap are read as one and merged to one, of either encoding")
func overlappingDenseBlocks() throws {
    for encoding in BlockEncoding.allCases {
        var generator = SplitMix(state: 22)
        let scratch = Scratch()
        var series: [[Labels: [Sample]]] = []
        for (number, other) in ([.dense, .xor, .dense] as [BlockEncoding]).enumerated() {
            let part = zoo(&generator, series: 20)
            series.append(part)
            _ = try BlockWriter(scratch.path, fileSystem).write(
                MemorySource(series: part),
                meta(UInt64(number + 1), TimeRange(start: 0, end: 100_000_000), other))
        }
        let database = try open(scratch, encoding)
        let before = try contents(database)
        let names = Set(series.flatMap(\.keys))
        #expect(Set(before.keys) == names)
        for labels in names {
            let times = Set(series.flatMap { $0[labels] ?? [] }.map(\.timestamp))
            #expect(before[labels]?.map(\.timestamp) == times.sorted())
        }
        try database.maintain()
        #expect(database.blocks.map(\.meta.encoding) == [encoding])
        #expect(try contents(database) == before)
    }
}

@Test("A conversion to dense and back gives the very chunks, and the dense block is smaller")
func conversionsRoundTrip() throws {
    var generator = SplitMix(state: 23)
    let scratch = Scratch()
    let series = zoo(&generator, series: 40)
    let range = TimeRange(start: 0, end: 100_000_000)
    let original = try #require(
        try BlockWriter(scratch.path, fileSystem).write(
            MemorySource(series: series), meta(3, range, .xor)))
    let path = "\(scratch.path)/\(original.id)"
    let bytes = try Data(contentsOf: URL(fileURLWithPath: "\(path)/chunks/000001"))
    let index = try Data(contentsOf: URL(fileURLWithPath: "\(path)/index"))
    let xorSize = size(scratch, "\(original.id)")
    func convert(_ path: String, _ target: BlockConversion.Target) throws -> [String] {
        var lines: [String] = []
        let isComplete = try BlockConversion.run(path, to: target, fileSystem, time: 5) {
            lines.append($0)
        }
        #expect(isComplete)
        return lines
    }
    #expect(try convert(scratch.path, .xor) == [])
    #expect(try convert(scratch.path, .dense).count == 1)
    let dense = try #require(scratch.names().first)
    #expect(scratch.names() == [dense])
    #expect(dense.hasSuffix(".dense"))
    #expect(size(scratch, dense) < xorSize * 2 / 3)
    #expect(try contents(open(scratch)) == series)
    try? FileManager.default.removeItem(atPath: "\(scratch.path)/lock")
    #expect(try convert("\(scratch.path)/\(dense)/", .xor).count == 1)
    let back = try #require(scratch.blockNames.first)
    #expect(scratch.names() == [back])
    let again = URL(fileURLWithPath: "\(scratch.path)/\(back)")
    #expect(try Data(contentsOf: again.appendingPathComponent("chunks/000001")) == bytes)
    #expect(try Data(contentsOf: again.appendingPathComponent("index")) == index)
}

@Test("A start after an interrupted conversion keeps one of the two blocks")
func interruptedConversions() throws {
    var generator = SplitMix(state: 24)
    let scratch = Scratch()
    let series = zoo(&generator, series: 10)
    let range = TimeRange(start: 0, end: 100_000_000)
    let old = try #require(
        try BlockWriter(scratch.path, fileSystem).write(
            MemorySource(series: series), meta(4, range, .xor)))
    var fresh = BlockMerge([try Block("\(scratch.path)/\(old.id)", fileSystem)])
        .meta(id: meta(5, range, .dense).id)
    fresh.encoding = .dense
    _ = try BlockWriter(scratch.path, fileSystem).write(MemorySource(series: series), fresh)
    try FileManager.default.createDirectory(
        atPath: "\(scratch.path)/\(fresh.directoryName).tmp-for-creation",
        withIntermediateDirectories: false)
    let database = try open(scratch)
    #expect(try contents(database) == series)
    #expect(scratch.names().filter { $0 != "lock" } == [fresh.directoryName])
}

@Test("Any changed byte of a dense segment is found, and other blocks are still served")
func damagedDenseBlocks() throws {
    var generator = SplitMix(state: 25)
    let scratch = Scratch()
    let series = zoo(&generator, series: 6)
    let range = TimeRange(start: 0, end: 100_000_000)
    let written = try #require(
        try BlockWriter(scratch.path, fileSystem).write(
            MemorySource(series: series), meta(6, range, .dense)))
    let file = URL(fileURLWithPath: "\(scratch.path)/\(written.directoryName)/chunks/000001")
    let sound = try Data(contentsOf: file)
    for round in 0..<rounds(sound.count, usual: 150) {
        var bytes = sound
        let at = round < 12 ? round : generator.below(sound.count)
        bytes[at] ^= UInt8(1 + generator.below(255))
        try bytes.write(to: file)
        #expect(try !FolderVerification.run(scratch.path, fileSystem).isSound, "byte \(at)")
    }
    var bytes = sound
    bytes[0] = 0
    try bytes.write(to: file)
    let other = [Labels(["a": "b"]): [Sample(timestamp: 1, value: 2)]]
    _ = try BlockWriter(scratch.path, fileSystem).write(
        MemorySource(series: other), meta(7, TimeRange(start: 0, end: 2), .xor))
    #expect(try contents(open(scratch)) == other)
    #expect(scratch.names().contains(written.directoryName))
}

@Test("What is sound of a damaged dense block is taken over by a repair")
func denseBlocksAreRepaired() throws {
    var generator = SplitMix(state: 26)
    let scratch = Scratch()
    let series = zoo(&generator, series: 12)
    let range = TimeRange(start: 0, end: 100_000_000)
    let written = try #require(
        try BlockWriter(scratch.path, fileSystem).write(
            MemorySource(series: series), meta(8, range, .dense)))
    let file = URL(fileURLWithPath: "\(scratch.path)/\(written.directoryName)/chunks/000001")
    var bytes = try Data(contentsOf: file)
    bytes[bytes.count - 1] ^= 1
    try bytes.write(to: file)
    #expect(try FolderRepair.run(scratch.path, fileSystem, time: 9).count == 2)
    #expect(try FolderVerification.run(scratch.path, fileSystem).isSound)
    let rest = try contents(open(scratch))
    #expect(rest.count == series.count - 1)
    #expect(rest.allSatisfy { series[$0.key] == $0.value })
}
