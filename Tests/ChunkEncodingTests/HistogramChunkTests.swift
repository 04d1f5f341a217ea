// SPDX-License-Identifier: Apache-2.0

import Bytes
import ChunkEncoding
import Model
import Testing

private let always = TimeRange(start: .earliest, end: .latest)

struct DecodedHistograms {
    var timestamps: [Timestamp] = []
    var histograms: [FloatHistogram] = []
    var starts: [Timestamp] = []

    init(
        _ bytes: [UInt8], _ encoding: EncodedChunk.Encoding = .histogram,
        within range: TimeRange = always
    ) throws {
        try decodeHistograms(
            bytes.raw, encoding, within: range, &timestamps, &histograms, startTimestamps: &starts)
    }
}

func bytes(hex: String) -> [UInt8] {
    var left = Substring(hex)
    var bytes: [UInt8] = []
    while !left.isEmpty {
        bytes.append(UInt8(left.prefix(2), radix: 16)!)
        left = left.dropFirst(2)
    }
    return bytes
}

/// Chunks of counters as Prometheus 3.5.3 wrote them: of 3 and of 11 samples, 15 s apart.
private let goldens = [
    "000380ff3f50624dd2f1a9fc94a769d1fc000336ee8faa7158a01880000000000046e8de5f075318996923ae57bc"
        + "ad26e2d03da31b4ea0",
    "000b40ff3f50624dd2f1a9fc94a769d1fc000336ee47cc01e8e4ea8a05d0c800000000078546ad3ce3f07531889"
        + "721b595a56891bf11b1bc6f3b8721a346ebc470238cbc637591791bdeebc60f8d97945854c08a368ab68fad3b"
        + "46375a5044ab1bdc8df791f3795e2b80",
]

/// The samples of a chunk in their exact form.
func exactSamples<State: HistogramState>(
    _ chunk: [UInt8], _ state: State.Type
) throws -> [(Timestamp, State.Histogram)] {
    var decoder = HistogramDecoder<State>(chunk.raw, hasStarts: false)
    var samples: [(Timestamp, State.Histogram)] = []
    while try decoder.next() { samples.append((decoder.timestamp, decoder.histogram)) }
    return samples
}

@Test("Chunks of Prometheus decode to their histograms", arguments: [(0, 3), (1, 11)])
func histogramsOfPrometheus(_ place: Int, _ count: Int) throws {
    let decoded = try DecodedHistograms(bytes(hex: goldens[place]))
    #expect(decoded.timestamps.count == count)
    #expect(decoded.histograms.count == count)
    #expect(
        zip(decoded.timestamps, decoded.timestamps.dropFirst()).allSatisfy { $1 - $0 == 15_000 })
    #expect(decoded.histograms[0].counterResetHint == .unknown)
    #expect(decoded.histograms.dropFirst().allSatisfy { $0.counterResetHint == .notReset })
    for histogram in decoded.histograms {
        #expect(histogram.schema == 2)
        #expect(histogram.zeroThreshold == 0.001)
        let total = histogram.positiveBuckets.reduce(0, +) + histogram.negativeBuckets.reduce(0, +)
        #expect(total + histogram.zeroCount == histogram.count)
    }
}

@Test("Histograms of Prometheus' chunks, appended again, give the same bytes", arguments: goldens)
func sameBytes(_ hex: String) throws {
    let chunk = bytes(hex: hex)
    let samples = try exactSamples(chunk, IntegerHistogramState.self)
    var appender = IntegerHistogramAppender(
        HistogramDecoder<IntegerHistogramState>(chunk.raw, hasStarts: false).header)
    for (timestamp, histogram) in samples {
        #expect(appender.append(timestamp, histogram) == .appended)
    }
    #expect(appender.chunk.bytes == chunk)
    #expect(appender.chunk.range == TimeRange(start: samples[0].0, end: samples.last!.0))
}

@Test("Only samples within the range are decoded, with the hints that they have in the chunk")
func rangeOfHistograms() throws {
    let chunk = bytes(hex: goldens[1])
    let all = try DecodedHistograms(chunk)
    let range = TimeRange(start: all.timestamps[3], end: all.timestamps[5])
    let some = try DecodedHistograms(chunk, within: range)
    #expect(some.timestamps == Array(all.timestamps[3...5]))
    #expect(some.histograms == Array(all.histograms[3...5]))
    #expect(some.histograms[0].counterResetHint == .notReset)
}

// MARK: Round trips

/// Random histograms that grow, shrink, change their layout and go stale.
private struct Histograms {
    var random: SystemRandomNumberGenerator = .init()

    mutating func spans(_ most: Int) -> [BucketSpan] {
        (0..<Int.random(in: 0...most, using: &random)).map { place in
            BucketSpan(
                offset: place == 0 ? .random(in: -40...40) : .random(in: 0...3),
                length: .random(in: 0...4))
        }
    }

    mutating func integer(_ isGauge: Bool) -> IntegerHistogram {
        if Int.random(in: 0..<12, using: &random) == 0 {
            return IntegerHistogram(stale: StaleMarker.value)
        }
        var histogram = IntegerHistogram()
        histogram.positiveSpans = spans(3)
        histogram.schema = [0, 3, -4, FloatHistogram.customBucketsSchema].randomElement()!
        if histogram.schema == FloatHistogram.customBucketsSchema {
            histogram.customBounds = [0.005, 1, 2.5, 1e9, .pi]
        } else {
            histogram.negativeSpans = spans(2)
            histogram.zeroThreshold = [0, 0.001, 0x1p-128, 0.25, .infinity].randomElement()!
            histogram.zeroCount = .random(in: 0...9)
        }
        func counts(_ spans: [BucketSpan]) -> [Int64] {
            (0..<spans.reduce(0) { $0 + Int($1.length) }).map { _ in
                .random(in: 0...(1 << Int64.random(in: 0...60)))
            }
        }
        histogram.positiveCounts = counts(histogram.positiveSpans)
        histogram.negativeCounts = counts(histogram.negativeSpans)
        histogram.count = .random(in: 0...(.max))
        histogram.sum = .random(in: -1e9...1e9)
        if isGauge { histogram.counterResetHint = .gauge }
        return histogram
    }

    /// What a counter may have next.
    mutating func grown(_ histogram: IntegerHistogram) -> IntegerHistogram {
        var next = histogram
        next.count &+= .random(in: 0...1000)
        next.zeroCount &+= .random(in: 0...3)
        next.positiveCounts = next.positiveCounts.map { $0 + .random(in: 0...50) }
        next.negativeCounts = next.negativeCounts.map { $0 + .random(in: 0...1) }
        next.sum += .random(in: 0...10)
        if Bool.random(using: &random), histogram.schema != FloatHistogram.customBucketsSchema {
            next.positiveSpans.append(BucketSpan(offset: 1, length: 1))
            next.positiveCounts.append(7)
        }
        return next
    }

    mutating func history(_ count: Int, isGauge: Bool) -> [IntegerHistogram] {
        var histograms = [integer(isGauge)]
        while histograms.count < count {
            let last = histograms[histograms.count - 1]
            let continues = Int.random(in: 0..<5, using: &random) > 0 && !last.isStale
            histograms.append(continues ? grown(last) : integer(isGauge))
        }
        return histograms
    }
}

/// Populated buckets by index: what must survive, whatever the spans look like.
private func populated(_ spans: [BucketSpan], _ counts: [Double]) -> [Int: Double] {
    var result: [Int: Double] = [:]
    var index = 0
    var place = 0
    for span in spans {
        index += Int(span.offset)
        for _ in 0..<span.length {
            if counts[place] != 0 { result[index] = counts[place] }
            index += 1
            place += 1
        }
    }
    return result
}

private func expectSame(_ decoded: FloatHistogram, _ original: FloatHistogram) {
    #expect(decoded.sum.bitPattern == original.sum.bitPattern)
    if original.isStale { return }
    #expect(decoded.schema == original.schema)
    #expect(decoded.zeroThreshold == original.zeroThreshold)
    #expect(decoded.count == original.count && decoded.zeroCount == original.zeroCount)
    #expect(decoded.customBounds == original.customBounds)
    #expect(
        populated(decoded.positiveSpans, decoded.positiveBuckets)
            == populated(original.positiveSpans, original.positiveBuckets))
    #expect(
        populated(decoded.negativeSpans, decoded.negativeBuckets)
            == populated(original.negativeSpans, original.negativeBuckets))
}

/// All samples put into chunks one after the other.
private func chunks<State: HistogramState>(
    _ samples: [(Timestamp, State.Histogram)], _ state: State.Type
) throws -> [EncodedChunk] {
    var chunks: [EncodedChunk] = []
    var appender = HistogramAppender<State>()
    for (timestamp, histogram) in samples {
        switch appender.append(timestamp, histogram) {
        case .appended, .recoded: continue
        case .startsChunk(let header):
            chunks.append(appender.chunk)
            appender = HistogramAppender(header)
            #expect(appender.append(timestamp, histogram) == .appended)
        case .full, .malformed: Issue.record("not appended")
        }
    }
    return chunks + [appender.chunk]
}

@Test("Random histories survive being appended and decoded", arguments: [false, true])
func randomHistories(isGauge: Bool) throws {
    var random = Histograms()
    for _ in 0..<60 {
        let history = random.history(40, isGauge: isGauge)
        let times = history.indices.map { Timestamp($0) * 15_000 + .random(in: -2000...2000) }
        let integers = try chunks(
            Array(zip(times, history)), IntegerHistogramState.self)
        let floats = try chunks(
            Array(zip(times, history.map(\.floating))), FloatHistogramState.self)
        for chunks in [integers, floats] {
            var place = 0
            for chunk in chunks {
                let decoded = try DecodedHistograms(chunk.bytes, chunk.encoding)
                #expect(decoded.timestamps.count == chunk.sampleCount)
                for (time, histogram) in zip(decoded.timestamps, decoded.histograms) {
                    #expect(time == times[place])
                    expectSame(histogram, history[place].floating)
                    place += 1
                }
            }
            #expect(place == history.count)
        }
    }
}

@Test("Numbers at the ends of their ranges survive")
func extremes() throws {
    var histogram = IntegerHistogram()
    histogram.schema = FloatHistogram.customBucketsSchema
    histogram.customBounds = [-.infinity, -1, -0.001, 0, 33_554.430, 33_554.431, .nan]
    histogram.positiveSpans = [
        BucketSpan(offset: .max, length: 2), BucketSpan(offset: .min, length: 1),
    ]
    histogram.positiveDeltas = [.max, .min, 3]
    histogram.count = .max
    histogram.sum = -.infinity
    var appender = IntegerHistogramAppender()
    #expect(appender.append(.min, histogram) == .appended)
    histogram.sum = .nan
    #expect(appender.append(.max, histogram) == .appended)
    let samples = try exactSamples(appender.chunk.bytes, IntegerHistogramState.self)
    #expect(samples.map(\.0) == [.min, .max])
    #expect(samples[0].1.positiveDeltas == histogram.positiveDeltas)
    #expect(samples[0].1.positiveSpans == histogram.positiveSpans)
    #expect(samples[0].1.customBounds.map(\.bitPattern) == histogram.customBounds.map(\.bitPattern))
    #expect(samples[1].1.sum.isNaN && samples[1].1.count == .max)
}

// MARK: Decisions

private func counter(_ counts: [Int64], offset: Int32 = 0) -> IntegerHistogram {
    var histogram = IntegerHistogram()
    histogram.positiveSpans = [BucketSpan(offset: offset, length: UInt32(counts.count))]
    histogram.positiveCounts = counts
    histogram.count = UInt64(counts.reduce(0, +))
    histogram.sum = 1
    return histogram
}

private func changed(
    _ histogram: IntegerHistogram, _ change: (inout IntegerHistogram) -> Void
) -> IntegerHistogram {
    var histogram = histogram
    change(&histogram)
    return histogram
}

private let decisions:
    [(String, IntegerHistogram, HistogramAppendOutcome, HistogramAppendOutcome)] = [
        ("more", counter([2, 3]), .appended, .appended),
        ("a bucket less, which was empty", counter([9]), .appended, .appended),
        ("a bucket more", counter([2, 0, 5]), .recoded, .recoded),
        ("one more and one less", counter([0, 9, 1], offset: -1), .recoded, .recoded),
        ("less in all", counter([1]), .startsChunk(.reset), .startsChunk(.reset)),
        ("less in a bucket", counter([1, 8]), .startsChunk(.reset), .startsChunk(.reset)),
        (
            "a populated bucket gone", counter([9], offset: 5), .startsChunk(.reset),
            .startsChunk(.reset)
        ),
        (
            "other schema", changed(counter([2, 3])) { $0.schema = 1 }, .startsChunk(.unknown),
            .startsChunk(.unknown)
        ),
        (
            "other threshold", changed(counter([2, 3])) { $0.zeroThreshold = 1 },
            .startsChunk(.unknown), .startsChunk(.unknown)
        ),
        (
            "told to be reset", changed(counter([2, 3])) { $0.counterResetHint = .reset },
            .startsChunk(.reset), .startsChunk(.reset)
        ),
        (
            "a gauge", changed(counter([2, 3])) { $0.counterResetHint = .gauge },
            .startsChunk(.gauge), .startsChunk(.gauge)
        ),
        ("stale", IntegerHistogram(stale: StaleMarker.value), .appended, .appended),
        (
            "buckets missing", changed(counter([2, 3])) { $0.positiveDeltas = [1] }, .malformed,
            .malformed
        ),
    ]

@Test("The next histogram decides whether a chunk of counters goes on", arguments: decisions)
func nextHistogram(
    _ name: String, _ next: IntegerHistogram, _ integer: HistogramAppendOutcome,
    _ float: HistogramAppendOutcome
) throws {
    var integers = IntegerHistogramAppender()
    #expect(integers.append(1, counter([2, 0])) == .appended)
    let before = integers.chunk
    #expect(integers.append(2, next) == integer)
    if case .startsChunk = integer { #expect(integers.chunk == before) }
    var floats = FloatHistogramAppender()
    #expect(floats.append(1, counter([2, 0]).floating) == .appended)
    #expect(floats.append(2, next.floating) == float)
}

@Test("Behind a stale sample only stale ones follow")
func behindStale() {
    var appender = IntegerHistogramAppender()
    let stale = IntegerHistogram(stale: StaleMarker.value)
    #expect(appender.append(1, counter([2])) == .appended)
    #expect(appender.append(2, stale) == .appended)
    #expect(appender.append(3, stale) == .appended)
    #expect(appender.append(4, counter([9])) == .startsChunk(.unknown))
}

@Test("A gauge chunk takes less, and other buckets")
func gauges() throws {
    func gauge(_ counts: [Int64], offset: Int32 = 0) -> IntegerHistogram {
        changed(counter(counts, offset: offset)) { $0.counterResetHint = .gauge }
    }
    var appender = IntegerHistogramAppender()
    #expect(appender.append(1, gauge([5, 5])) == .appended)
    #expect(appender.header == .gauge)
    #expect(appender.append(2, gauge([1])) == .appended)
    #expect(appender.append(3, gauge([1, 2], offset: 4)) == .recoded)
    #expect(appender.append(4, counter([9])) == .startsChunk(.notReset))
    let decoded = try DecodedHistograms(appender.chunk.bytes)
    #expect(
        decoded.histograms.map(\.positiveBuckets) == [[5, 5, 0, 0], [1, 0, 0, 0], [0, 0, 1, 2]])
    #expect(decoded.histograms.allSatisfy { $0.counterResetHint == .gauge })
}

@Test(
    "The chunk before decides what the header says",
    arguments: [
        (counter([3]), CounterResetHeader.notReset, CounterResetHeader.notReset),
        (counter([1]), .reset, .reset),
        (changed(counter([3])) { $0.schema = 3 }, .unknown, .notReset),
        (changed(counter([3])) { $0.counterResetHint = .reset }, .reset, .reset),
        (changed(counter([3])) { $0.counterResetHint = .gauge }, .gauge, .gauge),
        (IntegerHistogram(stale: StaleMarker.value), .notReset, .notReset),
    ])
func headerAfterChunk(
    _ next: IntegerHistogram, _ integer: CounterResetHeader, _ float: CounterResetHeader
) {
    var previous = IntegerHistogramAppender()
    #expect(previous.append(1, counter([2])) == .appended)
    var appender = IntegerHistogramAppender()
    #expect(appender.append(2, next, after: previous) == .appended)
    #expect(appender.header == integer)
    var previousFloats = FloatHistogramAppender()
    #expect(previousFloats.append(1, counter([2]).floating) == .appended)
    var floats = FloatHistogramAppender()
    #expect(floats.append(2, next.floating, after: previousFloats) == .appended)
    #expect(floats.header == float)
}

// MARK: Damage

@Test("Shortened and altered chunks give an error or samples, and leave the columns")
func damage() throws {
    var random = Histograms()
    let history = random.history(30, isGauge: false)
    let samples = history.enumerated().map { (Timestamp($0) * 1000, $1) }
    let chunks =
        try chunks(samples, IntegerHistogramState.self)
        + chunks(samples.map { ($0, $1.floating) }, FloatHistogramState.self)
    for chunk in chunks {
        for length in chunk.bytes.indices {
            let short = Array(chunk.bytes[..<length])
            if length >= 2 {
                #expect(throws: ChunkError.self) {
                    try DecodedHistograms(short, chunk.encoding)
                }
            }
            for encoding in EncodedChunk.Encoding.allCases { decodeAnything(short, encoding) }
        }
        for _ in 0..<300 {
            var altered = chunk.bytes
            for _ in 0..<Int.random(in: 1...3) {
                altered[Int.random(in: altered.indices)] = .random(in: 0...255)
            }
            for encoding in EncodedChunk.Encoding.allCases { decodeAnything(altered, encoding) }
        }
    }
}

private func decodeAnything(_ bytes: [UInt8], _ encoding: EncodedChunk.Encoding) {
    var times: [Timestamp] = [1]
    var values: [Double] = [1]
    var histograms: [FloatHistogram] = [FloatHistogram()]
    var starts: [Timestamp] = [1]
    do {
        if encoding.holdsFloats {
            try decodeFloats(
                bytes.raw, encoding, within: always, &times, &values, startTimestamps: &starts)
            #expect(times.count == values.count)
        } else {
            try decodeHistograms(
                bytes.raw, encoding, within: always, &times, &histograms, startTimestamps: &starts)
            #expect(times.count == histograms.count && times.count == starts.count)
        }
    } catch {
        #expect(times.count == 1 && values.count == 1 && histograms.count == 1 && starts == [1])
    }
}

@Test("A layout that promises more buckets than there are bits is refused")
func hugeLayouts() {
    var writer = BitWriter([0, 1, 0])
    writer.put(0, 8)
    writer.putVarbit(signed: 3)
    writer.putVarbit(unsigned: 1)
    writer.putVarbit(unsigned: UInt64(UInt32.max))
    writer.putVarbit(signed: 0)
    #expect(throws: ChunkError.truncated(samplesRead: 0, samplesPromised: 1)) {
        try DecodedHistograms(writer.bytes)
    }
    var spans = BitWriter([0, 1, 0])
    spans.put(0, 8)
    spans.putVarbit(signed: 3)
    spans.putVarbit(unsigned: .max)
    #expect(throws: ChunkError.self) { try DecodedHistograms(spans.bytes) }
}

@Test("Buckets finer than queries compute with are made coarser, unknown ones refused")
func schemas() throws {
    var appender = IntegerHistogramAppender()
    #expect(
        appender.append(1, changed(counter([1, 2, 3, 4], offset: 1)) { $0.schema = 9 }) == .appended
    )
    let decoded = try DecodedHistograms(appender.chunk.bytes)
    #expect(decoded.histograms[0].schema == 8)
    #expect(decoded.histograms[0].positiveBuckets == [3, 7])
    var unknown = IntegerHistogramAppender()
    #expect(unknown.append(1, changed(counter([1])) { $0.schema = 53 }) == .appended)
    #expect(throws: ChunkError.unknownSchema(53)) { try DecodedHistograms(unknown.chunk.bytes) }
}
