// SPDX-License-Identifier: Apache-2.0

/// Random numbers that a seed repeats, on every machine (SplitMix64).
/// Source: https://prng.di.unimi.it/splitmix64.c
package struct RandomNumbers: RandomNumberGenerator, Sendable {
    private var state: UInt64

    package init(seed: UInt64) { state = seed }

    package mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var word = state
        word = (word ^ (word >> 30)) &* 0xBF58_476D_1CE4_E5B9
        word = (word ^ (word >> 27)) &* 0x94D0_49BB_1331_11EB
        return word ^ (word >> 31)
    }

    /// A number from zero, below `bound`, which is positive.
    package mutating func below(_ bound: Int) -> Int { Int(next() % UInt64(bound)) }

    /// True once in `count` times on average.
    package mutating func isOne(in count: Int) -> Bool { below(count) == 0 }

    package mutating func element<Element>(of elements: [Element]) -> Element {
        elements[below(elements.count)]
    }
}
