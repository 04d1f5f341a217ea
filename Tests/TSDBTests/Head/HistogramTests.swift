// SPDX-License-Identifier: Apache-2.0

import ChunkEncoding
import Instrumentation
import Model
import Platform
import Storage
import TSDB
import Testing

private let labels = series(1)
private let everything = TimeRange(start: .min, end: .max)

/// Samples of every form, with layouts that change, resets, gauges, markers, and floats between.
private func mixedSamples() -> [(Labels, Int64, SampleValue)] {
    var samples: [(Labels, Int64, SampleValue)] = []
    for step in 0..<400 {
        let time = Int64(step) * 15_000
        let count = step % 150
        let wide = step % 40 < 20 ? 4 : 7
        samples.append((series(0), time, .float(Double(step))))
        samples.append((series(1), time, .histogram(.integer(integerHistogram(count)))))
        samples.append(
            (
                series(2), time,
                .histogram(.float(integerHistogram(count, buckets: wide).floating))
            ))
        samples.append(
            (
                series(3), time,
                .histogram(
                    .integer(customHistogram(count, bounds: step < 200 ? [1, 2] : [1, 2, 4])))
            ))
        samples.append(
            (
                series(4), time, .histogram(.float(customHistogram(count).floating))
            ))
        samples.append(
            (
                series(5), time,
                .histogram(.integer(integerHistogram(count, buckets: wide, isGauge: true)))
            ))
        // One that changes its kind.
        let other: SampleValue =
            switch step / 30 % 3 {
            case 0: .float(step % 30 == 29 ? StaleMarker.value : Double(step))
            case 1: .histogram(.integer(integerHistogram(count)))
            default: .histogram(.float(integerHistogram(count).floating))
            }
        samples.append((series(6), time, other))
        if step % 50 == 49 { samples.append((series(1), time + 1, .float(StaleMarker.value))) }
    }
    return samples
}

private func seen(_ samples: [(Labels, Int64, SampleValue)]) -> [Labels: [SeenSample]] {
    var expected: [Labels: [SeenSample]] = [:]
    for (labels, time, value) in samples {
        switch value {
        case .float(let float): expected[labels, default: []].append(SeenSample(time, float))
        case .histogram(let histogram):
            expected[labels, default: []].append(SeenSample(time, histogram))
        }
    }
    return expected
}

extension Head {
    /// Commits samples in batches of one time.
    fileprivate func add(_ samples: [(Labels, Int64, SampleValue)]) throws {
        var at = 0
        while at < samples.count {
            let time = samples[at].1
            let end = samples[at...].firstIndex { $0.1 != time } ?? samples.count
            let refs = try resolve(samples[at..<end].map(\.0))
            var batch = SampleBatch(sharedTimestamp: time)
            for (ref, sample) in zip(refs, samples[at..<end]) {
                switch sample.2 {
                case .float(let value): batch.append(ref, value)
                case .histogram(let value):
                    batch.histograms.append(HistogramSample(ref, value, at: time))
                }
            }
            let outcome = try commit(batch, .skipFaulty)
            #expect(outcome.stored == end - at && !outcome.hasFaults)
            at = end
        }
    }
}

@Suite struct HistogramTests {
    @Test("Histograms of every form are read back, and after every kind of start")
    func readBack() throws {
        let folder = TemporaryFolder()
        let samples = mixedSamples()
        let expected = seen(samples)
        var options = HeadOptions()
        options.segmentSize = 65_536
        let head = try openHead(folder, options)
        try head.add(samples)
        #expect(try seenSamples(head) == expected)
        #expect(
            try seenSamples(head, from: 1_000_000, through: 2_000_000)
                == expected.mapValues { $0.filter { $0.time >= 1_000_000 && $0.time <= 2_000_000 } }
        )
        let killed = try folder.copy()
        #expect(try seenSamples(try openHead(killed, options)) == expected)
        try head.close()
        let stopped = try folder.copy()
        #expect(try seenSamples(try openHead(stopped, options)) == expected)
        // The log alone holds everything.
        try stopped.remove("chunks_head")
        #expect(try seenSamples(try openHead(stopped, options)) == expected)
    }

    @Test("A start from a snapshot leads to the same histograms", arguments: [3, 70, 151, 333])
    func snapshot(step: Int) throws {
        let folder = TemporaryFolder()
        let samples = mixedSamples()
        let border = try #require(samples.firstIndex { $0.1 == Int64(step) * 15_000 })
        let head = try openHead(folder)
        try head.add(Array(samples[..<border]))
        head.takeSnapshot()
        #expect(folder.files(in: "narthex") == ["head.snapshot"])
        try head.add(Array(samples[border...]))
        let lines = LogLines()
        var options = HeadOptions()
        options.log = lines.logger
        let reopened = try openHead(try folder.copy(), options)
        #expect(lines.all.isEmpty)
        #expect(try seenSamples(reopened) == seen(samples))
        // Its series go on as those of the head that was killed.
        let more: [(Labels, Int64, SampleValue)] = (0..<7).map {
            (series($0), 7_000_000, .histogram(.integer(integerHistogram($0))))
        }
        for head in [head, reopened] { try head.add(more) }
        #expect(try seenSamples(reopened) == seenSamples(head))
    }

    /// In the chunk the marker has no custom buckets, and so a record of another kind.
    @Test("A snapshot keeps what is before a marker in an open chunk", arguments: [false, true])
    func snapshotOfMarker(isFloat: Bool) throws {
        let folder = TemporaryFolder()
        var samples: [(Labels, Int64, SampleValue)] = (0..<5).map { step in
            let value = customHistogram(step)
            return (
                series(4), Int64(step) * 15_000,
                .histogram(isFloat ? .float(value.floating) : .integer(value))
            )
        }
        samples.append((series(4), 75_000, .float(StaleMarker.value)))
        let head = try openHead(folder)
        try head.add(samples)
        head.takeSnapshot()
        #expect(folder.files(in: "narthex") == ["head.snapshot"])
        #expect(try seenSamples(try openHead(try folder.copy())) == seen(samples))
    }

    @Test("Truncation and its checkpoint keep the younger histograms")
    func truncation() throws {
        let folder = TemporaryFolder()
        let samples = mixedSamples()
        var options = HeadOptions()
        options.segmentSize = 32_768
        options.blockRange = 1_000_000
        let head = try openHead(folder, options)
        try head.add(samples)
        let border: Int64 = 3_000_000
        let expected = seen(samples).mapValues { $0.filter { $0.time >= border } }
        try head.truncateWithLog(before: border)
        #expect(folder.files(in: "wal").contains { $0.hasPrefix("checkpoint.") })
        func visible(_ head: Head) throws -> [Labels: [SeenSample]] {
            try seenSamples(head, from: border)
        }
        #expect(try visible(head) == expected)
        try head.close()
        let copy = try folder.copy()
        #expect(try visible(try openHead(copy, options, minValidTime: border)) == expected)
        try copy.remove("chunks_head")
        #expect(try visible(try openHead(copy, options, minValidTime: border)) == expected)
    }

    @Test("What a series has may be sent again; anything else at its time is refused")
    func duplicates() throws {
        let head = try openHead(TemporaryFolder())
        let first = HistogramValue.integer(integerHistogram(5))
        try head.add(labels, [(1000, first), (1000, first)])
        let cases: [(HistogramValue, SampleFault)] = [
            (.integer(integerHistogram(6)), .duplicateHistogram),
            (.float(integerHistogram(5).floating), .duplicateHistogram),
        ]
        for (value, fault) in cases {
            #expect(throws: Refused(fault)) { try head.add(labels, [(1000, value)]) }
        }
        #expect(throws: Refused(.duplicateOfHistogram)) { try head.add(labels, [(1000, 1.0)]) }
        #expect(throws: Refused(.outOfOrder)) { try head.add(labels, [(999, first)]) }
        #expect(throws: Refused(.outOfOrder)) { try head.add(labels, [(999, 1.0)]) }
        try head.add(labels, [(2000, 1.0)])
        #expect(throws: Refused(.duplicateHistogram)) { try head.add(labels, [(2000, first)]) }
        #expect(throws: Refused(.outOfBounds)) { try head.add(labels, [(-5_000_000, first)]) }
        var wrong = integerHistogram(9)
        wrong.count += 1
        #expect(throws: Refused.self) { try head.add(labels, [(3000, .integer(wrong))]) }
        #expect(try seenSamples(head)[labels] == [SeenSample(1000, first), SeenSample(2000, 1)])
    }

    @Test("A batch with one bad histogram is left out as a whole where that is asked for")
    func allOrNothing() throws {
        let head = try openHead(TemporaryFolder())
        let refs = try head.resolve([series(1), series(2)])
        var wrong = integerHistogram(9)
        wrong.positiveDeltas[0] = -1
        var batch = SampleBatch(sharedTimestamp: 1000)
        batch.append(refs[0], 1)
        batch.histograms = [
            HistogramSample(refs[1], .integer(integerHistogram(1)), at: 1000),
            HistogramSample(refs[1], .integer(wrong), at: 2000),
        ]
        let refused = try head.commit(batch, .allOrNothing)
        #expect(refused.stored == 0 && refused.histogramFaults.map(\.index) == [1])
        #expect(try seenSamples(head).isEmpty)
        let outcome = try head.commit(batch, .skipFaulty)
        #expect(outcome.stored == 2)
        #expect(try seenSamples(head).count == 2)
    }

    @Test("A series of histograms ends with a marker of its own kind", arguments: [false, true])
    func staleMarkers(isFloat: Bool) throws {
        let folder = TemporaryFolder()
        let head = try openHead(folder)
        let value: HistogramValue =
            isFloat ? .float(integerHistogram(3).floating) : .integer(integerHistogram(3))
        try head.add(labels, [(1000, value)])
        try head.add(labels, [(2000, StaleMarker.value)])
        let encoding: EncodedChunk.Encoding = isFloat ? .floatHistogram : .histogram
        for source in [head, try openHead(try folder.copy())] {
            let found = try chunks(source.blockSource(everything))[labels]
            #expect(found?.map(\.encoding) == [encoding] && found?[0].sampleCount == 2)
        }
        // Floats after it are floats again.
        try head.add(labels, [(3000, 1.0), (4000, StaleMarker.value)])
        let found = try chunks(head.blockSource(everything))[labels]
        #expect(found?.map(\.encoding) == [encoding, .xor])
    }

    @Test("A marker behind a float of the same batch is one of floats")
    func markerBehindAFloat() throws {
        let head = try openHead(TemporaryFolder())
        try head.add(labels, [(1000, .integer(integerHistogram(3)))])
        let ref = try head.resolve([labels])[0]
        var batch = SampleBatch(sharedTimestamp: 0)
        batch.append(ref, 5, at: 2000)
        batch.append(ref, StaleMarker.value, at: 3000)
        #expect(try head.commit(batch, .allOrNothing).stored == 2)
        let found = try chunks(head.blockSource(everything))[labels]
        #expect(found?.map(\.encoding) == [.histogram, .xor])
        #expect(found?.map(\.sampleCount) == [1, 2])
    }

    @Test("Samples of one batch that are not in order are left out, and the log agrees")
    func orderInABatch() throws {
        let folder = TemporaryFolder()
        let head = try openHead(folder)
        let ref = try head.resolve([labels])[0]
        var batch = SampleBatch(sharedTimestamp: 0)
        batch.append(ref, 7, at: 1000)
        batch.histograms = [
            HistogramSample(ref, .integer(integerHistogram(1)), at: 2000),
            HistogramSample(ref, .float(integerHistogram(2).floating), at: 3000),
            HistogramSample(ref, .integer(integerHistogram(3)), at: 4000),
            HistogramSample(ref, .integer(integerHistogram(4)), at: 3500),
        ]
        _ = try head.commit(batch, .allOrNothing)
        let expected = [1000, 2000, 3000, 4000] as [Int64]
        #expect(try seenSamples(head)[labels]?.map(\.time) == expected)
        let again = try openHead(try folder.copy())
        #expect(try seenSamples(again) == seenSamples(head))
    }

    @Test("A block gets the part of a chunk of histograms that lies in its range")
    func cutting() throws {
        let head = try openHead(TemporaryFolder())
        try head.add(mixedSamples())
        let range = TimeRange(start: 1_234_567, end: 4_321_000)
        let source = head.blockSource(range)
        for (labels, found) in try chunks(source) {
            var decoded: [SeenSample] = []
            for chunk in found {
                #expect(range.start <= chunk.range.start && chunk.range.end <= range.end)
                try forEachSample(in: chunk.bytes.raw, chunk.encoding) { time, value, _ in
                    switch value {
                    case .float(let float): decoded.append(SeenSample(time, float))
                    case .histogram(let value): decoded.append(SeenSample(time, value))
                    }
                }
            }
            #expect(
                decoded == (try seenSamples(head, from: range.start, through: range.end)[labels]))
        }
    }
}
