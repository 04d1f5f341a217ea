// SPDX-License-Identifier: Apache-2.0

import Bytes
import Foundation
import Model
import Platform
import Storage
import TSDB
import Testing

private let fileSystem = LocalFileSystem()
private let range = TimeRange(start: 1_700_000_000_000, end: 1_700_021_600_000)

private func write(
    _ series: [Labels: [Sample]], _ encoding: BlockEncoding, in scratch: Scratch
) throws -> BlockMeta {
    var generator = SplitMix(state: 31)
    var meta = BlockMeta(id: ULID(milliseconds: 31, using: &generator), range: range)
    meta.encoding = encoding
    return try #require(
        try BlockWriter(scratch.path, fileSystem).write(MemorySource(series: series), meta))
}

/// Series with names of labels that are values as well, and with one to many values a name.
private func families(_ generator: inout SplitMix, _ count: Int) -> [Labels: [Sample]] {
    var series: [Labels: [Sample]] = [:]
    let kinds = ["__name__", "instance", "kind", "mode", "a", "zone", "λ"]
    for number in 0..<count {
        var labels = [
            "__name__": "m\(generator.below(9))", "instance": "host-\(generator.below(70))",
            "job": "all", "unique": "\(number)",
        ]
        if generator.below(3) > 0 { labels["kind"] = kinds[generator.below(kinds.count)] }
        if generator.below(40) == 0 { labels["mode"] = "rare" }
        let start = range.start + Int64(generator.below(20_000_000))
        series[Labels(labels.map { Label($0.key, $0.value) })] = [
            Sample(timestamp: start, value: Double(number)),
            Sample(timestamp: min(range.end - 1, start + 15_000), value: 2),
        ]
    }
    return series
}

@Test("The index of a dense block selects and lists what the labels of its series say")
func denseIndexesAgreeWithTheModel() throws {
    var generator = SplitMix(state: 32)
    let scratch = Scratch()
    let series = families(&generator, 3000)
    _ = try write(series, .dense, in: scratch)
    let database = try Database.open(scratch.path, DatabaseOptions(), DatabaseEnvironment()) {
        _ in MemoryHead()
    }
    #expect(try contents(database) == series)
    let querier = try database.querier(over: always)
    let names = ["__name__", "instance", "job", "kind", "mode", "unique", "absent"]
    let values = [
        "", "all", "m3", "host-7", "host-1.*", ".*", ".+", "kind|mode", "instance", "rare", "17",
        "1.*|2", "host-3|host-4|rare", "λ",
    ]
    let operations: [Matcher.Operation] = [.equal, .notEqual, .regexMatch, .regexNoMatch]
    for _ in 0..<rounds(600, usual: 100) {
        let matchers = try (0..<(1 + generator.below(3))).map { _ in
            try Matcher(
                names[generator.below(names.count)], operations[generator.below(4)],
                values[generator.below(values.count)])
        }
        let set = try querier.select(matchers, hints: SelectHints(range: always))
        let expected = series.keys.filter { labels in
            matchers.allSatisfy { $0.matches(labels) }
        }.sorted()
        #expect((0..<set.count).map { set.labels(at: $0) } == expected, "\(matchers)")
        #expect(
            try querier.labelNames(matchers)
                == Set(expected.flatMap { $0.map(\.name) }).sorted(by: isOrderedBytewise))
        for name in ["kind", "instance"] {
            #expect(
                try querier.labelValues(name, matchers)
                    == Set(expected.compactMap { $0[name] }).sorted(by: isOrderedBytewise))
        }
    }
    try database.close()
}

@Test("The index of a dense block takes less than three quarters of the other's")
func denseIndexesAreSmaller() throws {
    var generator = SplitMix(state: 33)
    let series = families(&generator, 2000)
    let sizes = try BlockEncoding.allCases.map { encoding in
        let scratch = Scratch()
        let name = try write(series, encoding, in: scratch).directoryName
        return try Data(contentsOf: URL(fileURLWithPath: "\(scratch.path)/\(name)/index")).count
    }
    #expect(sizes[1] * 4 < sizes[0] * 3, "\(sizes)")
}

@Test("Any changed byte of a dense block's index is found, and none makes reading it trap")
func damagedDenseIndexes() throws {
    var generator = SplitMix(state: 34)
    let scratch = Scratch()
    let series = families(&generator, 40)
    let name = try write(series, .dense, in: scratch).directoryName
    let file = URL(fileURLWithPath: "\(scratch.path)/\(name)/index")
    let sound = try Data(contentsOf: file)
    #expect(try FolderVerification.run(scratch.path, fileSystem).isSound)
    for round in 0..<rounds(sound.count, usual: 200) {
        var bytes = sound
        let at = round < 60 ? round : generator.below(sound.count)
        bytes[at] ^= UInt8(1 + generator.below(255))
        try bytes.write(to: file)
        #expect(try !FolderVerification.run(scratch.path, fileSystem).isSound, "byte \(at)")
    }
}
