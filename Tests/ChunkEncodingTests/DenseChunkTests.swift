// SPDX-License-Identifier: Apache-2.0

import Bytes
import ChunkEncoding
import Foundation
import Model
import Testing

private let always = TimeRange(start: .min, end: .max)

private struct Random: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var word = state
        word = (word ^ (word >> 30)) &* 0xBF58_476D_1CE4_E5B9
        word = (word ^ (word >> 27)) &* 0x94D0_49BB_1331_11EB
        return word ^ (word >> 31)
    }

    mutating func below(_ bound: Int) -> Int { Int(next() % UInt64(bound)) }
    mutating func unit() -> Double { Double(next() >> 11) / 0x1p53 }
}

/// A chunk with the record of its times, empty where they have a step.
private struct Encoded {
    var chunk: [UInt8]
    var record: [UInt8] = []
    var start: Timestamp

    init(_ timestamps: [Timestamp], _ values: [Double]) {
        var encoder = DenseEncoder()
        start = timestamps.first ?? 0
        if let step = DenseEncoder.step(of: timestamps) {
            chunk = encoder.chunk(values, .step(step))
        } else {
            record = encoder.times(timestamps)
            chunk = encoder.chunk(values, .apart(distance: 7))
        }
    }

    func decode(
        _ range: TimeRange = always, after: Int = 0
    ) throws -> (times: [Timestamp], bits: [UInt64]) {
        var times = [Timestamp](repeating: 1, count: after)
        var values = [Double](repeating: 1, count: after)
        do {
            try DenseDecoder(chunk.raw).decode(
                from: start, record: record.raw, within: range, &times, &values)
        } catch {
            #expect(times.count == after && values.count == after, "an error leaves the columns")
            throw error
        }
        return (times, values.map(\.bitPattern))
    }
}

/// Floats of the kinds that are monitored, and of those that nobody expects.
private let kinds: [(name: String, make: @Sendable (inout Random, Int) -> [Double])] = [
    ("one integer", { _, count in Array(repeating: 42, count: count) }),
    ("one odd float", { _, count in Array(repeating: .pi, count: count) }),
    ("one minus zero", { _, count in Array(repeating: -0.0, count: count) }),
    (
        "a counter with a reset",
        { random, count in
            var total = 0.0
            return (0..<count).map { index in
                total += Double(random.below(1000))
                if index == count / 2 { total = 3 }
                return total
            }
        }
    ),
    (
        "pages of memory",
        { random, count in (0..<count).map { _ in Double(4096 * random.below(1_000_000)) } }
    ),
    (
        "hundredths",
        { random, count in (0..<count).map { _ in Double(random.below(99_999)) / 100 } }
    ),
    (
        "thousandths by multiplication",
        { random, count in (0..<count).map { _ in Double(random.below(99_999_999)) * 0.001 } }
    ),
    ("noise", { random, count in (0..<count).map { _ in random.unit() } }),
    ("any bits", { random, count in (0..<count).map { _ in Double(bitPattern: random.next()) } }),
    (
        "rare changes",
        { random, count in
            var value = 0.0
            return (0..<count).map { _ in
                if random.below(40) == 0 { value += Double(random.below(3)) - 1 }
                return value
            }
        }
    ),
    (
        "a new value every two minutes",
        { random, count in
            var value = 0.0
            return (0..<count).map { index in
                if index % 8 == 0 || random.below(200) == 0 { value = Double(random.below(256)) }
                return value
            }
        }
    ),
    (
        "special floats among decimals",
        { random, count in
            let special = [
                -0.0, .infinity, -.infinity, .nan, Double(bitPattern: 0x7FF0_0000_0000_0002),
                Double(bitPattern: 0xFFF8_0000_0000_1234), .leastNonzeroMagnitude,
                .greatestFiniteMagnitude,
                -1e300, 0x1p60,
            ]
            return (0..<count).map { _ in
                random.below(30) == 0
                    ? special[random.below(special.count)] : Double(random.below(500)) / 10
            }
        }
    ),
    (
        "gone after a while",
        { _, count in
            (0..<count).map {
                $0 < count / 3 ? Double($0) : Double(bitPattern: 0x7FF0_0000_0000_0002)
            }
        }
    ),
    (
        "huge steps",
        { random, count in
            (0..<count).map { _ in Double(Int64(bitPattern: random.next() >> random.next() % 60)) }
        }
    ),
]

private func times(_ random: inout Random, _ count: Int, kind: Int) -> [Timestamp] {
    var time: Timestamp = kind == 3 ? .min : 1_767_225_600_000 + Int64(random.below(15_000))
    return (0..<count).map { index in
        defer {
            switch kind {
            case 0: time += 15_000
            case 1: time += 15_000 + Int64(random.below(5)) - 2
            case 2: time += random.below(100) == 0 ? 600_000 : 15_000
            default: time += Int64(random.next() >> 20 | 1)
            }
        }
        return kind == 3 && index == count - 1 && count > 1 ? .max : time
    }
}

@Test("Samples of any kind come back to the bit, whole and in any window", arguments: kinds.indices)
func denseRoundTrip(kind: Int) throws {
    var random = Random(state: UInt64(kind))
    let counts = [1, 2, 3, 17, 479, 480, 481, 960, 1440, DenseChunk.capacity]
    for (number, count) in counts.enumerated() {
        let values = kinds[kind].make(&random, count)
        let timestamps = times(&random, count, kind: number % 4)
        let encoded = Encoded(timestamps, values)
        let all = try encoded.decode(after: number % 3)
        #expect(Array(all.times.dropFirst(number % 3)) == timestamps)
        #expect(Array(all.bits.dropFirst(number % 3)) == values.map(\.bitPattern))
        for _ in 0..<12 {
            let ends = [timestamps[random.below(count)], timestamps[random.below(count)]].sorted()
            let range = TimeRange(
                start: ends[0] &+ Int64(random.below(3)) - (ends[0] == .min ? 0 : 1),
                end: ends[1] == .max ? .max : ends[1] + Int64(random.below(2)))
            let part = try encoded.decode(range)
            let expected = timestamps.indices.filter {
                range.start <= timestamps[$0] && timestamps[$0] <= range.end
            }
            #expect(part.times == expected.map { timestamps[$0] })
            #expect(part.bits == expected.map { values[$0].bitPattern })
        }
    }
}

@Test("Windows beside the samples are empty")
func denseWindowsBeside() throws {
    let timestamps: [Timestamp] = [1000, 2000, 3000]
    for shift in [0, 7] as [Timestamp] {
        let encoded = Encoded([timestamps[0], timestamps[1], timestamps[2] + shift], [1, 2, 3])
        for range in [
            TimeRange(start: .min, end: 999), TimeRange(start: 3008, end: .max),
            TimeRange(start: 1001, end: 1999),
        ] {
            #expect(try encoded.decode(range).times.isEmpty)
        }
    }
}

@Test("Equal samples take little, and noise no more than its bits")
func denseSizes() {
    var random = Random(state: 4)
    let steady = times(&random, 1440, kind: 0)
    func size(_ kind: String) -> Int {
        let values = kinds.first { $0.name == kind }!.make(&random, 1440)
        return Encoded(steady, values).chunk.count
    }
    #expect(size("one integer") < 12)
    #expect(size("one odd float") < 16)
    #expect(size("a counter with a reset") < 1440 * 12 / 8)
    #expect(size("pages of memory") < 1440 * 22 / 8)
    #expect(size("hundredths") < 1440 * 19 / 8)
    #expect(size("thousandths by multiplication") < 1440 * 29 / 8)
    #expect(size("rare changes") < 1440 / 8)
    #expect(size("a new value every two minutes") < 1440 / 8 * 12 / 8)
    #expect(size("gone after a while") < 64)
    #expect(size("any bits") < 1440 * 67 / 8)
}

@Test("Cut and changed bytes give an error or other samples, and never a trap")
func damagedDenseChunks() {
    var random = Random(state: 5)
    for kind in kinds {
        for form in 0..<3 {
            let count = 1 + random.below(700)
            let sound = Encoded(times(&random, count, kind: form), kind.make(&random, count))
            for round in 0..<60 {
                var damaged = sound
                if round % 5 == 0 { damaged.chunk.removeLast(random.below(damaged.chunk.count)) }
                for _ in 0...random.below(3) where !damaged.chunk.isEmpty {
                    damaged.chunk[random.below(damaged.chunk.count)] = UInt8(random.below(256))
                    if !damaged.record.isEmpty {
                        damaged.record[random.below(damaged.record.count)] ^= 1
                    }
                }
                guard let samples = try? damaged.decode(after: 2) else { continue }
                #expect(samples.times.count == samples.bits.count)
            }
        }
    }
}

@Test("Many samples are divided into chunks of whole frames")
func denseParts() {
    #expect(DenseChunk.parts(of: 0).isEmpty)
    for count in [1, 480, 5760, 5761, 12_000, 178_560] {
        let parts = DenseChunk.parts(of: count)
        #expect(parts.first?.lowerBound == 0)
        #expect(parts.last?.upperBound == count)
        #expect(zip(parts, parts.dropFirst()).allSatisfy { $0.upperBound == $1.lowerBound })
        #expect(parts.allSatisfy { $0.count <= DenseChunk.capacity })
        #expect(parts.dropLast().allSatisfy { $0.count % 480 == 0 })
    }
}
