// SPDX-License-Identifier: Apache-2.0

/// Random choices that a seed fixes (SplitMix64).
package struct Randomness: RandomNumberGenerator {
    private var state: UInt64

    /// Neighbouring seeds give unrelated numbers.
    package init(seed: UInt64) {
        state = seed
        state = next() ^ (seed << 32)
    }

    package mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var word = state
        word = (word ^ (word >> 30)) &* 0xBF58_476D_1CE4_E5B9
        word = (word ^ (word >> 27)) &* 0x94D0_49BB_1331_11EB
        return word ^ (word >> 31)
    }

    package mutating func pick<Element>(_ items: [Element]) -> Element {
        items[Int.random(in: 0..<items.count, using: &self)]
    }

    package mutating func number(_ range: ClosedRange<Int>) -> Int {
        Int.random(in: range, using: &self)
    }

    /// True once in `outOf` times.
    package mutating func chance(_ outOf: Int) -> Bool {
        Int.random(in: 0..<outOf, using: &self) == 0
    }
}
