// SPDX-License-Identifier: Apache-2.0

import Model
import Platform
import Storage
import TSDB
import Testing

@Suite struct MergedLabelsTests {
    /// Many sets that differ from each other in one place only, some with more labels than others.
    private func labels(_ random: inout SplitMix) -> Labels {
        var labels = Labels(["__name__": ["m", "n"].randomElement(using: &random)!])
        for name in ["a", "b", "c", "d"] where Int.random(in: 0..<4, using: &random) > 0 {
            let length = Int.random(in: 0..<8, using: &random) == 0 ? 300 : 1
            let value = String(repeating: "v", count: length)
            labels = labels.setting(name, value + "\(Int.random(in: 0..<3, using: &random))")
        }
        return labels
    }

    @Test("Blocks with other series each are read as one list in order", arguments: 1...30)
    func merge(_ seed: Int) throws {
        var random = SplitMix(state: UInt64(seed))
        let scratch = Scratch()
        let common = Set((0..<60).map { _ in labels(&random) })
        var expected: [Labels: [Sample]] = [:]
        for number in 0..<Int64(4) {
            var series = common
            // From hardly any to many differences.
            for _ in 0..<(seed % 10) {
                if let gone = series.randomElement(using: &random) { series.remove(gone) }
                series.insert(labels(&random))
            }
            let sample = Sample(timestamp: number * 1000, value: Double(number))
            for labels in series { expected[labels, default: []].append(sample) }
            let meta = BlockMeta(
                id: ULID(milliseconds: number, using: &random),
                range: TimeRange(start: number * 1000, end: number * 1000 + 1000))
            _ = try BlockWriter(scratch.path, LocalFileSystem()).write(
                MemorySource(
                    series: Dictionary(uniqueKeysWithValues: series.map { ($0, [sample]) })),
                meta)
        }
        var options = DatabaseOptions()
        options.settings.retention.time = 0
        let database = try Database.open(scratch.path, options, DatabaseEnvironment())
        #expect(database.blocks.count == 4)
        #expect(try contents(database) == expected)
    }
}
