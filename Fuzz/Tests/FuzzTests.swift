// SPDX-License-Identifier: Apache-2.0

import Testing

@Suite("The fuzz targets, each for a moment")
struct FuzzTests {
    /// A target that is not content ends the process: what it holds are preconditions.
    @Test(
        "hold on their seeds, on what long runs found, and on changed copies of both",
        arguments: fuzzTargets.keys.sorted())
    func holds(_ name: String) throws {
        let target = try #require(fuzzTargets[name])
        let inputs = fuzzSeeds(name) + keptInputs(name)
        target([])
        for input in inputs { target(input) }
        var changes = InputChanges(seed: 2026)
        for round in 0..<200 {
            target(changes.change(inputs.isEmpty ? [] : inputs[round % inputs.count]))
        }
    }

    @Test(
        "find what was kept",
        arguments: [
            "dense", "head-chunks", "histograms", "index", "snapshot", "tombstones", "wal", "xor",
        ])
    func findsKeptInputs(_ name: String) {
        #expect(!keptInputs(name).isEmpty, "Fuzz/Corpora/\(name) is not found")
    }
}

/// Changes inputs at random: other bits, other lengths, bytes that formats give a meaning to.
private struct InputChanges {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func change(_ input: [UInt8]) -> [UInt8] {
        var bytes = input
        for _ in 0...next(4) {
            switch next(5) {
            case 0 where !bytes.isEmpty: bytes[next(bytes.count)] ^= 1 << UInt8(next(8))
            case 1 where !bytes.isEmpty: bytes[next(bytes.count)] = [0, 0x7F, 0x80, 0xFF][next(4)]
            case 2 where !bytes.isEmpty: bytes.removeLast(next(bytes.count))
            case 3: bytes.insert(UInt8(next(256)), at: next(bytes.count + 1))
            default: bytes.append(UInt8(next(256)))
            }
        }
        return bytes
    }

    /// A number below `bound` (Knuth's MMIX generator; the upper bits are the random ones).
    private mutating func next(_ bound: Int) -> Int {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return Int(state >> 33) % bound
    }
}
