// SPDX-License-Identifier: Apache-2.0

import Bytes
import Foundation
import Model
import Platform
import Storage
import TSDB
import Testing

private let minute: Int64 = 60_000
private let hour: Int64 = 3_600_000
private let start: Int64 = 1_767_225_600_000

/// A small folder with four blocks, one of them with deletions, head chunks, and a log with a
/// checkpoint.
private func makeFolder() throws -> (Scratch, [Labels: [Sample]]) {
    let scratch = Scratch()
    var options = DatabaseOptions()
    options.settings.retention.time = 0
    options.largestBlockRange = 2 * hour
    let database = try Database.open(
        scratch.path, options, DatabaseEnvironment(), walCompression: .none)
    let series = (0..<4).map { Labels(["__name__": "m", "n": "\($0)", "parity": "\($0 % 2)"]) }
    for number in 0..<(11 * 60) as Range<Int64> {
        let refs = try database.resolve(series)
        var batch = SampleBatch(sharedTimestamp: start + number * minute)
        for (index, ref) in refs.enumerated() { batch.append(ref, Double(number * Int64(index))) }
        #expect(try database.commit(batch, .skipFaulty).stored == series.count)
        if number % 60 == 59 { try database.maintain() }
    }
    #expect(database.blocks.count == 4)
    try database.delete(
        TimeRange(start: start + hour, end: start + hour + 30 * minute),
        [try Matcher("parity", .equal, "1")])
    let all = try contents(database)
    try database.close()
    return (scratch, all)
}

/// All files of a folder by their paths in it.
private func files(_ scratch: Scratch) -> [String] {
    let names = FileManager.default.enumerator(atPath: scratch.path)
    var found: [String] = []
    while let name = names?.nextObject() as? String {
        var isDirectory: ObjCBool = false
        let path = "\(scratch.path)/\(name)"
        if FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory),
            !isDirectory.boolValue
        {
            found.append(name)
        }
    }
    return found.sorted()
}

private func verify(_ scratch: Scratch) throws -> FolderReport {
    try FolderVerification.run(scratch.path, LocalFileSystem())
}

private func url(_ scratch: Scratch, _ file: String) -> URL {
    URL(fileURLWithPath: "\(scratch.path)/\(file)")
}

@Test("A sound folder is found sound, and everything in it is looked at")
func soundFoldersAreSound() throws {
    let (scratch, all) = try makeFolder()
    let report = try verify(scratch)
    #expect(report.findings == [])
    #expect(report.blocks == 4)
    #expect(report.series == 16)
    // Deleted samples are still there.
    #expect(report.samples == 4 * 480)
    #expect(all.values.reduce(0) { $0 + $1.count } == 4 * 660 - 2 * 31)
    #expect(report.headChunks >= 4)
    #expect(report.records > 100)
}

@Test("A flipped bit in any checksummed file is found and its file is named")
func flipsAreFound() throws {
    let (scratch, _) = try makeFolder()
    var generator = SplitMix(state: 21)
    for file in files(scratch) where !file.hasSuffix("meta.json") {
        let sound = try Data(contentsOf: url(scratch, file))
        let isSmall = sound.count < 100
        for round in 0..<(isSmall ? sound.count : rounds(600, usual: 60)) {
            // The beginning and the end of a file are where its kinds of bytes are most mixed.
            let at =
                isSmall || round < 20
                ? round
                : round < 40 ? sound.count - 1 - (round - 20) : generator.below(sound.count)
            var bytes = sound
            bytes[at] ^= 1 << UInt8(generator.below(8))
            try bytes.write(to: url(scratch, file))
            let damage = try verify(scratch).findings.filter { $0.kind == .damage }
            let folder = file.split(separator: "/")[0]
            #expect(
                damage.contains { $0.path.hasPrefix(folder) }, "\(file) at \(at): \(damage)")
        }
        try sound.write(to: url(scratch, file))
    }
    #expect(try verify(scratch).isSound)
}

@Test("What a meta says is compared with what is there")
func metasAreCompared() throws {
    let (scratch, _) = try makeFolder()
    let block = scratch.blockNames[0]
    let other = scratch.blockNames[1]
    let changes = [
        ("\"numSamples\": 480", "\"numSamples\": 481", "says 481 samples, there are 480"),
        ("\"numSeries\": 4", "\"numSeries\": 3", "says 3 series, there are 4"),
        ("\"numChunks\": ", "\"numChunks\": 1", "chunks, there are"),
        ("\"numTombstones\": 2", "\"numTombstones\": 1", "says 1 tombstones, there are 2"),
        ("\"version\": 1", "\"version\": 2", "unexpected meta file version 2"),
        (block, other, "names another block: \(other)"),
        ("\"maxTime\": 17672328", "\"maxTime\": 17672327", "outside of the block"),
        ("{", "[", "meta.json"),
    ]
    let sound = try String(contentsOf: url(scratch, "\(block)/meta.json"), encoding: .utf8)
    for (old, new, reason) in changes {
        let changed = sound.replacingOccurrences(
            of: old, with: new, range: sound.range(of: old))
        #expect(changed != sound, "\(old)")
        try Data(changed.utf8).write(to: url(scratch, "\(block)/meta.json"))
        let found = try verify(scratch).findings
        #expect(found.contains { "\($0)".contains(reason) }, "\(new): \(found)")
    }
}

@Test("Missing files and things that are out of place are named")
func missingFilesAreNamed() throws {
    let (scratch, _) = try makeFolder()
    let block = scratch.blockNames[0]
    let all = files(scratch)
    let segments = all.filter { $0.hasPrefix("wal/0") }
    #expect(segments.count > 1)
    var removals = [
        "\(block)/index", "\(block)/meta.json", "\(block)/chunks/000001", "wal/checkpoint.00000001",
    ]
    removals.append(segments.dropLast().last!)
    for path in removals {
        let parked = "\(scratch.path)/parked"
        try FileManager.default.moveItem(atPath: "\(scratch.path)/\(path)", toPath: parked)
        let report = try verify(scratch)
        #expect(!report.isSound, "\(path)")
        try FileManager.default.moveItem(atPath: parked, toPath: "\(scratch.path)/\(path)")
    }
    try FileManager.default.createDirectory(
        atPath: "\(scratch.path)/\(block).tmp-for-creation", withIntermediateDirectories: true)
    try Data().write(to: url(scratch, "lock"))
    let report = try verify(scratch)
    #expect(report.isSound)
    #expect(report.findings.map(\.path) == ["\(block).tmp-for-creation", "lock"])
}

@Test("A record that does not decode is named with its file and offset", arguments: 1...13)
func recordsAreDecoded(kind: UInt8) throws {
    let scratch = Scratch()
    let log = kind == 5 ? "wbl" : "wal"
    try FileManager.default.createDirectory(
        atPath: "\(scratch.path)/\(log)", withIntermediateDirectories: true)
    var segment: [UInt8] = []
    for record in [[1], [kind, 0xFF]] as [[UInt8]] {
        let checksum = crc32c(record)
        segment += [1, 0, UInt8(record.count)]
        segment += [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: checksum >> $0) }
        segment += record
    }
    try Data(segment).write(to: url(scratch, "\(log)/00000000"))
    let findings = try verify(scratch).findings
    #expect(findings.map(\.path) == ["\(log)/00000000"])
    #expect(findings.allSatisfy { $0.reason.hasPrefix("decode record: ") })
    #expect(findings.allSatisfy { $0.reason.hasSuffix(" at offset 8") })
}

@Test("A repaired folder opens, answers nothing wrong, and nothing of it is lost from the disk")
func foldersAreRepaired() throws {
    var generator = SplitMix(state: 5)
    for round in 0..<rounds(60, usual: 12) {
        let (scratch, all) = try makeFolder()
        let candidates = files(scratch)
        let file = candidates[round % candidates.count]
        var bytes = try Data(contentsOf: url(scratch, file))
        if bytes.isEmpty { continue }
        bytes[generator.below(bytes.count)] ^= 1 << UInt8(generator.below(8))
        try bytes.write(to: url(scratch, file))
        guard try !verify(scratch).isSound else { continue }
        let actions = try FolderRepair.run(
            scratch.path, LocalFileSystem(), time: start + 10 * hour)
        #expect(!actions.isEmpty)
        #expect(
            try verify(scratch).findings.filter { $0.kind == .damage } == [],
            "\(file): \(actions)")
        let kept = try Data(
            contentsOf: url(scratch, "set-aside/20260101T100000Z/\(file)"))
        #expect(kept == bytes, "\(file)")
        var options = DatabaseOptions()
        options.settings.retention.time = 0
        let database = try Database.open(scratch.path, options, DatabaseEnvironment())
        for (labels, samples) in try contents(database) {
            let known = Set(all[labels] ?? [])
            #expect(samples.allSatisfy { known.contains($0) }, "\(file): \(labels)")
        }
        try database.close()
    }
}

@Test("A folder in use is not repaired")
func usedFoldersAreLeftAlone() throws {
    let scratch = Scratch()
    let database = try Database.open(scratch.path, DatabaseOptions(), DatabaseEnvironment())
    #expect(throws: StorageError.self) {
        try FolderRepair.run(scratch.path, LocalFileSystem(), time: 0)
    }
    try database.close()
    #expect(
        try FolderRepair.run(scratch.path, LocalFileSystem(), time: 0) == [])
}
