// SPDX-License-Identifier: Apache-2.0

import ChunkEncoding
import Model
import Storage
import TSDB
import Testing

private let labels = series(1)

/// The chunks that a head makes of the histograms of one series.
private func cut(
    _ samples: [(Int64, HistogramValue)], blockRange: Milliseconds = 7_200_000
) throws -> [EncodedChunk] {
    var options = HeadOptions()
    options.blockRange = blockRange
    let head = try openHead(TemporaryFolder(), options)
    try head.add(labels, samples)
    return try chunks(head.blockSource(TimeRange(start: .min, end: .max)))[labels] ?? []
}

private func every15Seconds(
    _ count: Int, _ make: (Int) -> IntegerHistogram
) -> [(Int64, HistogramValue)] {
    (0..<count).map { (Int64($0) * 15_000, .integer(make($0))) }
}

/// The rules by which upstream ends chunks of histograms, one by one.
@Suite struct HistogramCuttingTests {
    @Test("A counter that shrinks begins a chunk that says so, in either form")
    func reset() throws {
        let samples = every15Seconds(20) { integerHistogram($0 < 12 ? $0 : $0 - 12) }
        let found = try cut(samples)
        #expect(found.map(\.sampleCount) == [12, 8])
        #expect(found.map(\.header) == [.unknown, .reset])
        let floats = try cut(
            samples.map { sample in
                guard case .integer(let histogram) = sample.1 else { return sample }
                return (sample.0, .float(histogram.floating))
            })
        #expect(floats.map(\.sampleCount) == [12, 8])
        #expect(floats.map(\.header) == [.unknown, .reset])
        #expect(floats.map(\.encoding) == [.floatHistogram, .floatHistogram])
    }

    @Test("New buckets make the chunk be written anew, lost empty ones are filled in")
    func layouts() throws {
        let wider = try cut(every15Seconds(20) { integerHistogram($0, buckets: $0 < 10 ? 3 : 6) })
        #expect(wider.map(\.sampleCount) == [20])
        let narrower = try cut(
            every15Seconds(20) { step in
                // The second bucket of two is empty in both forms.
                var histogram = integerHistogram(step, buckets: 1)
                if step < 10 {
                    histogram.positiveSpans[0].length = 2
                    histogram.positiveDeltas.append(-Int64(step))
                }
                return histogram
            })
        #expect(narrower.map(\.sampleCount) == [20])
    }

    @Test("A populated bucket that is gone is a reset")
    func lostBucket() throws {
        let found = try cut(
            every15Seconds(20) { step in
                var histogram = integerHistogram(step + 100, buckets: 2)
                if step >= 10 {
                    histogram.positiveSpans[0].length = 1
                    histogram.positiveDeltas.removeLast()
                    histogram.zeroCount += 1000
                    histogram.count = histogram.zeroCount + UInt64(histogram.positiveDeltas[0])
                }
                return histogram
            })
        #expect(found.map(\.sampleCount) == [10, 10])
        #expect(found.map(\.header) == [.unknown, .reset])
    }

    @Test("Another schema begins a chunk of which nothing is known, other bounds one after a reset")
    func schemas() throws {
        let schemas = try cut(
            every15Seconds(20) { step in
                var histogram = integerHistogram(step)
                histogram.schema = step < 10 ? 1 : 2
                return histogram
            })
        #expect(schemas.map(\.header) == [.unknown, .unknown])
        let bounds = try cut(
            every15Seconds(20) { customHistogram($0, bounds: $0 < 10 ? [1, 2] : [1, 3]) })
        #expect(bounds.map(\.sampleCount) == [10, 10])
        #expect(bounds.map(\.header) == [.unknown, .reset])
    }

    @Test("Gauges have chunks of their own, and never a reset")
    func gauges() throws {
        let found = try cut(
            every15Seconds(30) { step in
                integerHistogram(step % 7, buckets: step % 3 + 1, isGauge: step >= 10 && step < 20)
            }.enumerated().map { step, sample in
                step < 10 || step >= 20 ? (sample.0, .integer(integerHistogram(step))) : sample
            })
        #expect(found.map(\.sampleCount) == [10, 10, 10])
        #expect(found.map(\.header) == [.unknown, .gauge, .notReset])
    }

    @Test("Only markers follow a marker in its chunk")
    func markers() throws {
        var stale = IntegerHistogram()
        stale.sum = StaleMarker.value
        let samples: [(Int64, HistogramValue)] = [
            (1000, .integer(integerHistogram(1))), (2000, .integer(stale)),
            (3000, .integer(stale)), (4000, .integer(integerHistogram(2))),
        ]
        let found = try cut(samples)
        #expect(found.map(\.sampleCount) == [3, 1])
        #expect(found.map(\.header) == [.unknown, .unknown])
    }

    @Test("Chunks end with the block range, whatever they hold")
    func blockRange() throws {
        let found = try cut(every15Seconds(20) { integerHistogram($0) }, blockRange: 60_000)
        #expect(found.map(\.sampleCount) == [4, 4, 4, 4, 4])
        #expect(found.dropFirst().allSatisfy { $0.header == .notReset })
    }

    @Test("Large histograms come ten to a chunk, small ones as many as a kilobyte holds")
    func size() throws {
        var random = SeededGenerator(5)
        func large(_ step: Int) -> IntegerHistogram {
            var histogram = IntegerHistogram()
            histogram.schema = 3
            histogram.positiveSpans = [BucketSpan(offset: 0, length: 500)]
            histogram.positiveDeltas = (0..<500).map { index in
                Int64(step * 1000 + Int.random(in: 0..<1000, using: &random))
                    * (index % 2 == 0 ? 1 : -1)
            }
            // Each pair rises and falls back to what is left over.
            var running: Int64 = 0
            histogram.positiveDeltas = histogram.positiveDeltas.map { delta in
                let next = max(0, running + delta)
                defer { running = next }
                return next - running
            }
            histogram.counterResetHint = .gauge
            histogram.count = histogram.positiveCounts.reduce(0) { $0 + UInt64($1) }
            return histogram
        }
        let big = try cut(every15Seconds(35, large))
        #expect(big.map(\.sampleCount) == [10, 10, 10, 5])
        #expect(big.allSatisfy { $0.bytes.count > 2048 })
        let small = try cut(every15Seconds(480) { integerHistogram($0, buckets: 8) })
        #expect(small.count > 1)
        #expect(small.dropLast().allSatisfy { $0.bytes.count > 512 && $0.bytes.count < 2048 })
        #expect(small.dropFirst().allSatisfy { $0.header == .notReset })
    }

    @Test("Chunks of kinds that alternate are cut at each change")
    func kinds() throws {
        let head = try openHead(TemporaryFolder())
        try head.add(labels, [(1000, 1.0), (2000, 2.0)])
        try head.add(
            labels, [(3000, .integer(integerHistogram(1))), (4000, .integer(integerHistogram(2)))])
        try head.add(labels, [(5000, .float(integerHistogram(1).floating))])
        try head.add(labels, [(6000, 3.0)])
        let found = try chunks(head.blockSource(TimeRange(start: .min, end: .max)))[labels] ?? []
        #expect(found.map(\.encoding) == [.xor, .histogram, .floatHistogram, .xor])
        #expect(found.map(\.sampleCount) == [2, 2, 1, 1])
        #expect(found[2].header == .unknown)
    }
}
