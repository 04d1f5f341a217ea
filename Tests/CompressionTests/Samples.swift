// SPDX-License-Identifier: Apache-2.0

/// A small generator whose seed is in the test, so that a failure can be run again.
struct SeededGenerator: RandomNumberGenerator {
    var state: UInt64

    init(seed: UInt64) { state = seed &* 0x9E37_79B9_7F4A_7C15 | 1 }

    mutating func next() -> UInt64 {
        state ^= state << 13
        state ^= state >> 7
        state ^= state << 17
        return state
    }
}

/// Byte runs of many kinds: empty, short, constant, text, noise, noise with repeats near and far.
func sampleInputs() -> [[UInt8]] {
    var random = SeededGenerator(seed: 7)
    var inputs: [[UInt8]] = [[], [1], Array(repeating: 65, count: 100_000)]
    for size in [2, 3, 4, 8, 15, 16, 17, 60, 61, 64, 65, 255, 256, 257, 300, 4096] {
        inputs.append((0..<size).map { _ in UInt8.random(in: 0...255, using: &random) })
        inputs.append((0..<size).map { UInt8($0 % 3) })
    }
    for size in [65_535, 65_536, 65_537, 200_000] {
        inputs.append((0..<size).map { _ in UInt8.random(in: 0...255, using: &random) })
        var text: [UInt8] = []
        while text.count < size {
            let cpu = Int.random(in: 0...63, using: &random)
            text += Array(
                "node_cpu_seconds_total{cpu=\"\(cpu)\",mode=\"idle\"} \(cpu * 977)\n".utf8)
        }
        inputs.append(text)
        var repeats = (0..<1000).map { _ in UInt8.random(in: 0...255, using: &random) }
        while repeats.count < size {
            let offset = Int.random(in: 1...repeats.count, using: &random)
            let length = Int.random(in: 1...200, using: &random)
            for _ in 0..<length { repeats.append(repeats[repeats.count - offset]) }
        }
        inputs.append(repeats)
    }
    return inputs
}

/// Variants of packed bytes: every short prefix, and bits turned over here and there.
func damaged(_ packed: [UInt8], count: Int, seed: UInt64) -> [[UInt8]] {
    var random = SeededGenerator(seed: seed)
    var variants = (0..<min(64, packed.count)).map { Array(packed[..<$0]) }
    guard !packed.isEmpty else { return variants }
    for _ in 0..<count {
        var copy = packed
        for _ in 0..<Int.random(in: 1...4, using: &random) {
            let index = Int.random(in: 0..<copy.count, using: &random)
            copy[index] ^= 1 << UInt8.random(in: 0...7, using: &random)
        }
        if Bool.random(using: &random) {
            copy.removeLast(Int.random(in: 0..<copy.count, using: &random))
        }
        variants.append(copy)
    }
    return variants
}
