// SPDX-License-Identifier: Apache-2.0
//
// Most floats of monitoring are short decimals: an integer divided by a power of ten, or, where an
// exporter multiplied by 0.001, an integer times the float next to that power. Both ways give back
// the very bits, which is tried before. Source of the idea: ALP (SIGMOD 2023).

/// How an integer becomes a float.
struct DenseScale: RawRepresentable, Sendable, Hashable {
    /// 0...15: divided by 10 to that power; 16...30: multiplied by 10 to the power 15 - it.
    let rawValue: UInt8

    static let highest: UInt8 = 30

    init?(rawValue: UInt8) {
        guard rawValue <= Self.highest else { return nil }
        self.rawValue = rawValue
    }

    private init(_ rawValue: UInt8) { self.rawValue = rawValue }

    var divides: Bool { rawValue < 16 }

    /// What is divided or multiplied by.
    var factor: Double {
        divides ? Self.power(Int(rawValue)) : 1 / Self.power(Int(rawValue) - 15)
    }

    /// Powers up to 15 are exact.
    private static func power(_ exponent: Int) -> Double {
        var power = 1.0
        for _ in 0..<exponent { power *= 10 }
        return power
    }

    /// How floats of which most are decimals are held.
    struct Choice {
        var scale: DenseScale
        /// In place of a float that the scale does not give stands the integer before it.
        var integers: [Int64]
        var exceptions: [Exception]
    }

    /// Equal floats, one after the other, that are not held as integers.
    struct Exception: Hashable {
        var start: Int
        var count: Int
        var bits: UInt64
    }

    /// The scale that leaves the fewest exceptions; nil where all leave too many.
    static func choose(_ values: [Double]) -> Choice? {
        var best: Choice?
        let step = max(1, values.count / 32)
        for number in 0...15 {
            for raw in number == 0 ? [0] : [number, number + 15] {
                let scale = DenseScale(UInt8(raw))
                let power = power(number)
                var misses = 0
                var tried = 0
                var last: UInt64?
                for index in stride(from: 0, to: values.count, by: step) {
                    tried += 1
                    guard scale.integer(values[index], power) == nil else { continue }
                    // Equal ones are one exception.
                    if last != values[index].bitPattern { misses += 1 }
                    last = values[index].bitPattern
                }
                guard misses * 2 <= tried else { continue }
                let choice = scale.apply(to: values, power)
                let limit = best?.exceptions.count ?? (values.count / 32 + 2)
                if choice.exceptions.count < limit { best = choice }
                if choice.exceptions.isEmpty { return choice }
            }
        }
        return best
    }

    /// The integer that becomes just this float. `power` is the power of ten of the scale.
    @inline(__always)
    private func integer(_ value: Double, _ power: Double) -> Int64? {
        let scaled = (value * power).rounded()
        guard abs(scaled) <= 9e15 else { return nil }
        let float = divides ? scaled / power : scaled * (1 / power)
        // A scaled -0 would become the integer 0.
        guard float.bitPattern == value.bitPattern, value.bitPattern != 1 << 63 else { return nil }
        return Int64(scaled)
    }

    private func apply(to values: [Double], _ power: Double) -> Choice {
        var choice = Choice(scale: self, integers: [], exceptions: [])
        choice.integers.reserveCapacity(values.count)
        var last = values.lazy.compactMap { integer($0, power) }.first ?? 0
        for (index, value) in values.enumerated() {
            if let integer = integer(value, power) {
                last = integer
            } else if let end = choice.exceptions.last, end.bits == value.bitPattern,
                end.start + end.count == index
            {
                choice.exceptions[choice.exceptions.count - 1].count += 1
            } else {
                choice.exceptions.append(
                    Exception(start: index, count: 1, bits: value.bitPattern))
            }
            choice.integers.append(last)
        }
        return choice
    }
}
