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
private let labels = series(1)

private func id(_ number: UInt64) -> ULID {
    var generator = SplitMix(state: number)
    return ULID(milliseconds: Int64(number), using: &generator)
}

/// Writes what a head made of samples as a block.
private func block(
    _ number: UInt64, _ samples: [(Int64, HistogramValue)], in scratch: Scratch
) throws -> Block {
    let head = try openHead(TemporaryFolder())
    try head.add(labels, samples)
    let range = TimeRange(start: samples[0].0, end: samples.last!.0 + 1)
    let meta = BlockMeta(id: id(number), range: range)
    let written = try BlockWriter(scratch.path, fileSystem).write(head.blockSource(range), meta)
    #expect(written?.statistics.histogramSamples == Int64(samples.count))
    return try Block("\(scratch.path)/\(id(number))", fileSystem)
}

private func decoded(_ chunks: [EncodedChunk]) throws -> [SeenSample] {
    var samples: [SeenSample] = []
    for chunk in chunks {
        let before = samples.count
        try forEachSample(in: chunk.bytes.raw, chunk.encoding) { time, value, _ in
            switch value {
            case .float(let float): samples.append(SeenSample(time, float))
            case .histogram(let value): samples.append(SeenSample(time, value))
            }
        }
        #expect(samples.count - before == chunk.sampleCount && chunk.sampleCount > 0)
        #expect(samples[before].time == chunk.range.start)
        #expect(samples.last?.time == chunk.range.end)
    }
    return samples
}

private func counters(
    _ steps: StrideTo<Int>, isFloat: Bool = false, plus offset: Int = 0
) -> [(Int64, HistogramValue)] {
    steps.map { step in
        let histogram = integerHistogram(step + offset, buckets: 3 + step / 60)
        return (
            Int64(step) * 1000, isFloat ? .float(histogram.floating) : .integer(histogram)
        )
    }
}

@Suite struct HistogramMergeTests {
    @Test("Of overlapping blocks each time is kept once, with the value that one of them has")
    func overlaps() throws {
        for isFloat in [false, true] {
            let scratch = Scratch()
            let left = counters(stride(from: 0, to: 300, by: 2))
            let right = counters(stride(from: 100, to: 500, by: 3), isFloat: isFloat, plus: 1)
            let blocks = [try block(1, left, in: scratch), try block(2, right, in: scratch)]
            let merged = try chunks(BlockMerge(blocks))[labels] ?? []
            let known = (left + right).map { SeenSample($0.0, $0.1) }
            let found = try decoded(merged)
            #expect(found.map(\.time) == Set(known.map(\.time)).sorted())
            #expect(found.allSatisfy { known.contains($0) })
            #expect(zip(merged, merged.dropFirst()).allSatisfy { $0.range.end < $1.range.start })
            #expect(merged.allSatisfy { $0.sampleCount <= 120 })
            // Nothing is said of a reset but where it shows: where the counts of the two meet.
            let anew = merged.filter { $0.range.start < left.last!.0 }
            #expect(anew.count > 1)
            #expect(anew.allSatisfy { $0.header == .unknown || $0.header == .reset })
        }
    }

    @Test("Histograms meet floats in overlapping blocks")
    func kinds() throws {
        let scratch = Scratch()
        let left = counters(stride(from: 0, to: 100, by: 1))
        let blockOfHistograms = try block(1, left, in: scratch)
        let floats = (20..<40).map {
            Sample(timestamp: Int64($0) * 1000 + 1, value: Double($0))
        }
        let meta = BlockMeta(id: id(2), range: TimeRange(start: 20_000, end: 50_000))
        _ = try BlockWriter(scratch.path, fileSystem).write(
            MemorySource(series: [labels: floats]), meta)
        let other = try Block("\(scratch.path)/\(id(2))", fileSystem)
        let merged = try chunks(BlockMerge([blockOfHistograms, other]))[labels] ?? []
        let expected =
            left.map { SeenSample($0.0, $0.1) }
            + floats.map { SeenSample($0.timestamp, $0.value) }
        #expect(try decoded(merged) == expected.sorted())
        #expect(Set(merged.map(\.encoding)) == [.xor, .histogram])
    }

    @Test("Deleted histograms are left out, and the rest of their chunk stays one")
    func deletions() throws {
        let scratch = Scratch()
        let samples = counters(stride(from: 0, to: 40, by: 1))
        let whole = try block(1, samples, in: scratch)
        #expect(try chunks(BlockMerge([whole]))[labels]?.count == 1)
        // The ref of the only series follows from the layout of the index: one reads it off.
        let path = "\(scratch.path)/\(id(1))"
        let index = try Data(contentsOf: URL(fileURLWithPath: "\(path)/index"))
        let start = index[(index.count - 44)..<(index.count - 36)].reduce(0) { $0 << 8 | Int($1) }
        var stones = ByteWriter()
        stones.uvarint(UInt64((start + 15) / 16))
        stones.varint(-5)
        stones.varint(4000)
        stones.uvarint(UInt64((start + 15) / 16))
        stones.varint(10_000)
        stones.varint(20_500)
        var file = ByteWriter()
        file.uint32BE(0x0130_BA30)
        file.uint8(1)
        file.append(stones.bytes)
        file.uint32BE(crc32c(stones.bytes))
        try Data(file.bytes).write(to: URL(fileURLWithPath: "\(path)/tombstones"))
        let merged = try chunks(BlockMerge([try Block(path, fileSystem)]))[labels] ?? []
        #expect(merged.count == 1 && merged[0].header == .unknown)
        let kept = samples.filter { $0.0 > 4000 && !(10_000...20_500).contains($0.0) }
        #expect(try decoded(merged) == kept.map { SeenSample($0.0, $0.1) })
    }
}
