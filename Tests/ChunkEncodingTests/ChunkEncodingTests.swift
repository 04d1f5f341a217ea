// SPDX-License-Identifier: Apache-2.0

import Bytes
import ChunkEncoding
import Model
import Testing

private let always = TimeRange(start: .earliest, end: .latest)

private func decode(_ bytes: [UInt8], within range: TimeRange = always) throws -> [Sample] {
    var timestamps: [Timestamp] = []
    var values: [Double] = []
    try decodeFloats(bytes.raw, .xor, within: range, &timestamps, &values)
    return zip(timestamps, values).map { Sample(timestamp: $0, value: $1) }
}

private func encode(_ samples: [Sample], samplesPerChunk: Int = 120) -> [EncodedChunk] {
    encodeXOR(
        samples.map(\.timestamp), samples.map(\.value), samplesPerChunk: samplesPerChunk)
}

private func bits(_ samples: [Sample]) -> [[UInt64]] {
    samples.map { [UInt64(bitPattern: $0.timestamp), $0.value.bitPattern] }
}

/// Chunks as Prometheus 3.5.3 wrote them.
private let goldens: [(hex: String, count: Int, first: [Sample], last: Sample)] = [
    (
        "0004c0cad0cbfc644001a9cd9acf16caa09c01dd95d2657d47d6c6db9ff337e4a0cd454508f4a4d86f8c", 4,
        [
            Sample(timestamp: 1_734_709_220_000, value: 2.207911691136222),
            Sample(timestamp: 1_734_709_240_000, value: 2.40673664529432),
        ], Sample(timestamp: 1_734_709_280_000, value: 2.743144824931171)
    ),
    (
        "004f80989ff2ee664084f80000000000b0ea01de2f5181c83ae01f45c44f4c8db86f4422051c846f1bb43a2f1"
            + "d4c26b62b4221b06fdc42dc02dc43ae41f45bc4f720b710b1c82dc04f4291c83e24dc2fdc83e9b883700b4"
            + "b78dfa250a9d4323d04866d17ee224a3700fb8896881bc6ed068747215348d428dc37ee41f49c43a39858e"
            + "027ba03", 79,
        [
            Sample(timestamp: 1_767_230_400_000, value: 671),
            Sample(timestamp: 1_767_230_430_000, value: 677),
        ],
        Sample(timestamp: 1_767_232_770_000, value: Double(bitPattern: 4_651_804_998_701_678_592))
    ),
    (
        "001d80bcf8faee6640b52f7851eb851f9875e76eb8721c872170ea638ddd9666666666ee2b474b2928f5c28f5"
            + "d3f86e1b86e1b9dba9ba6e9ba6f4f5ba6e9ba6f4449d2749d2772b7b7ffffffffe8e6f1bc6f1bc9ac290a"
            + "4290a823fffffffff87531c30f2b8de378de3dc56882516c5b16c5d03a00000000061d4c42f2c2b0ac2b1b"
            + "8ad1026791e4791ea3dedeb7adeb040e791e4791ec8249364d936450ce521485217a0880000000004fd5d3"
            + "74dd37c816fffffffff1045ffffffffe21f859164591a4115374dd37528184f53d4f53d1ccd9364d9368",
        29,
        [
            Sample(timestamp: 1_767_239_520_000, value: 5423.47),
            Sample(timestamp: 1_767_239_535_000, value: 5429.6),
            Sample(timestamp: 1_767_239_565_000, value: 5443.75),
        ],
        Sample(timestamp: 1_767_239_985_000, value: Double(bitPattern: 4_662_884_018_711_754_179))
    ),
]

private func bytes(_ hex: String) -> [UInt8] {
    var left = Substring(hex)
    var bytes: [UInt8] = []
    while !left.isEmpty {
        bytes.append(UInt8(left.prefix(2), radix: 16)!)
        left = left.dropFirst(2)
    }
    return bytes
}

@Test("Chunks of Prometheus decode to their samples and encode to the same bytes")
func chunksOfPrometheusRoundTrip() throws {
    for golden in goldens {
        let chunk = bytes(golden.hex)
        let samples = try decode(chunk)
        #expect(samples.count == golden.count)
        #expect(promisedSampleCount(chunk.raw, .xor) == golden.count)
        #expect(bits(Array(samples.prefix(golden.first.count))) == bits(golden.first))
        #expect(samples.last == golden.last)
        #expect(encode(samples).map(\.bytes) == [chunk])
    }
}

/// Sequences whose steps and values cover every branch of the format.
private func history(_ generator: inout SplitMix, count: Int) -> [Sample] {
    var timestamp = Timestamp(generator.next() % 4_000_000_000_000) - 1_000_000_000_000
    var value = Double(generator.next() % 1000)
    let style = generator.next() % 6
    return (0..<count).map { _ in
        let sample = Sample(timestamp: timestamp, value: value)
        switch generator.next() % 12 {
        case 0: timestamp += 1
        case 1: timestamp += 15_000 + Int64(generator.next() % 16_384) - 8191
        case 2: timestamp += 15_000 + Int64(generator.next() % 131_072)
        case 3: timestamp += 15_000 + Int64(generator.next() % 1_048_576)
        case 4: timestamp += Int64(generator.next() % 4_000_000_000)
        default: timestamp += 15_000
        }
        switch style {
        case 0: break
        case 1: value += 1
        case 2: value = Double(bitPattern: generator.next())
        case 3: value = generator.next() % 3 == 0 ? StaleMarker.value : value * 1.1
        case 4: value = Double(generator.next() % 7) / 10
        default: value = generator.next() % 8 == 0 ? -value : value
        }
        return sample
    }
}

/// Random numbers that a seed repeats.
struct SplitMix: RandomNumberGenerator {
    var state: UInt64
    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var word = state
        word = (word ^ (word >> 30)) &* 0xBF58_476D_1CE4_E5B9
        word = (word ^ (word >> 27)) &* 0x94D0_49BB_1331_11EB
        return word ^ (word >> 31)
    }
}

@Test("Any history comes back as it went in, whole and in part")
func historiesRoundTrip() throws {
    var generator = SplitMix(state: 7)
    for round in 0..<2000 {
        let samples = history(&generator, count: 1 + round % 130)
        let chunks = encode(samples)
        #expect(chunks.map(\.sampleCount).reduce(0, +) == samples.count)
        var decoded: [Sample] = []
        for chunk in chunks {
            decoded += try decode(chunk.bytes)
            #expect(chunk.range.end == decoded.last?.timestamp)
        }
        #expect(bits(decoded) == bits(samples))

        let first = samples[Int(generator.next() % UInt64(samples.count))].timestamp
        let range = TimeRange(start: first, end: first + Int64(generator.next() % 2_000_000))
        var within: [Sample] = []
        for chunk in chunks { within += try decode(chunk.bytes, within: range) }
        let expected = samples.filter { range.start <= $0.timestamp && $0.timestamp <= range.end }
        #expect(bits(within) == bits(expected))
    }
}

@Test("Runs of equal samples decode to the last one, at every length")
func constantSeriesRoundTrip() throws {
    for count in 1...400 {
        let samples = (0..<count).map { Sample(timestamp: Int64($0) * 15_000, value: 42) }
        let chunks = encode(samples, samplesPerChunk: 400)
        #expect(chunks.count == 1)
        #expect(bits(try decode(chunks[0].bytes)) == bits(samples))
    }
}

@Test("Appending never leaves the given memory and says when it is too small")
func appendingKeepsToItsMemory() throws {
    var generator = SplitMix(state: 11)
    for _ in 0..<40 {
        let samples = history(&generator, count: 40)
        var memory = [UInt8](repeating: 0xAA, count: 1024)
        var capacity = 16
        var state = XORState()
        for sample in samples {
            while true {
                let before = memory
                let done = memory.withUnsafeMutableBytes {
                    state.append(
                        sample.timestamp, sample.value, to: $0.baseAddress!, capacity: capacity)
                }
                #expect(memory[capacity...].allSatisfy { $0 == 0xAA })
                if done { break }
                #expect(memory == before)
                capacity += 1
            }
            #expect(state.byteCount <= capacity)
        }
        memory.withUnsafeMutableBytes { state.seal($0.baseAddress!) }
        #expect(capacity == max(16, state.byteCount))
        #expect(bits(try decode(Array(memory[..<state.byteCount]))) == bits(samples))
    }
}

@Test("Into zeroed memory the same bytes are written, and none for a sample that repeats")
func zeroedMemoryIsLeftAlone() {
    var generator = SplitMix(state: 11)
    for _ in 0..<50 {
        var plain = (memory: [UInt8](repeating: 0xAA, count: 4096), state: XORState())
        var zeroed = (memory: [UInt8](repeating: 0, count: 4096), state: XORState())
        for sample in history(&generator, count: 100).flatMap({ [$0, $0, $0] }) {
            // Each value comes three times, a second apart.
            let time = Int64(plain.state.count) * 1000
            let isRepeated = zeroed.state.isRepeated(by: time, sample.value.bitPattern)
            let before = zeroed.memory
            plain.memory.withUnsafeMutableBytes {
                _ = plain.state.append(
                    time, sample.value, to: $0.baseAddress!, capacity: $0.count)
            }
            zeroed.memory.withUnsafeMutableBytes {
                _ = zeroed.state.append(
                    time, sample.value, to: $0.baseAddress!, capacity: $0.count, isZeroed: true)
            }
            if isRepeated { #expect(zeroed.memory == before) }
            #expect(zeroed.state.bitCount == plain.state.bitCount)
        }
        let count = plain.state.byteCount
        #expect(count < 4096 && plain.state.count == 300)
        #expect(zeroed.memory[2..<count] == plain.memory[2..<count])
    }
}

@Test("A chunk takes no more samples than its count can say, nor a gap of 50 days")
func chunksAreBounded() {
    var memory = [UInt8](repeating: 0, count: 1 << 17)
    var state = XORState()
    var appended = 0
    memory.withUnsafeMutableBytes {
        while state.append(Int64(appended), 1, to: $0.baseAddress!, capacity: $0.count) {
            appended += 1
        }
    }
    #expect(state.byteCount <= XORState.maximumByteCount)
    #expect(appended > 30_000)

    let gap: Int64 = 50 * 86_400_000
    let samples = [0, gap, gap + 1].map { Sample(timestamp: $0, value: 1) }
    #expect(encode(samples).map(\.sampleCount) == [1, 2])
}

@Test("Damaged chunks give an error or samples, and touch nothing outside")
func damagedChunksAreRefused() {
    var generator = SplitMix(state: 3)
    for round in 0..<4000 {
        let samples = history(&generator, count: 1 + round % 120)
        var chunk = encode(samples)[0].bytes
        switch round % 4 {
        case 0: chunk.removeLast(1 + Int(generator.next() % UInt64(chunk.count)))
        case 1: chunk[Int(generator.next() % UInt64(chunk.count))] ^= UInt8(1 << (round % 8))
        case 2:
            for index in chunk.indices {
                chunk[index] = UInt8(truncatingIfNeeded: generator.next())
            }
        default: chunk[1] = 0xFF
        }
        // An exact allocation, so that a sanitizer sees every stray read.
        let count = promisedSampleCount(chunk.raw, .xor)
        if let decoded = try? decode(chunk) { #expect(decoded.count <= count) }
        _ = try? decode(chunk, within: TimeRange(start: 0, end: 1_000_000))
    }
    #expect(throws: ChunkError.truncated(samplesRead: 0, samplesPromised: 65535)) {
        _ = try decode([0xFF, 0xFF, 0, 0])
    }
    #expect(throws: ChunkError.truncated(samplesRead: 1, samplesPromised: 4)) {
        _ = try decode(Array(bytes(goldens[0].hex)[..<16]))
    }
}

@Test("An error leaves the columns as they were")
func errorsLeaveColumnsAlone() {
    var timestamps: [Timestamp] = [1]
    var values: [Double] = [2]
    let chunk = Array(bytes(goldens[1].hex).dropLast(1))
    #expect(throws: ChunkError.self) {
        try decodeFloats(chunk.raw, .xor, within: always, &timestamps, &values)
    }
    #expect(throws: ChunkError.unsupported(.histogram)) {
        try decodeFloats(chunk.raw, .histogram, within: always, &timestamps, &values)
    }
    #expect(timestamps == [1] && values == [2])
}
