// SPDX-License-Identifier: Apache-2.0

// The shortest decimal digits that read back to the same float64; of several equally short ones the
// closest. Two ways, tried in order:
//
// 1. Most values of metrics are integers or have at most fifteen digits. Scale the value by a power
//    of ten so that fourteen or fifteen digits stand before the point, round, and divide again:
//    both factors are exact in a double and division is rounded correctly, so if the quotient is
//    the value, the digits denote it. No other decimal of up to fifteen digits reads back to the
//    same double, so without trailing zeros they are the shortest.
// 2. Schubfach (R. Giulietti, "The Schubfach way to render doubles", 2021): with 10^k such that the
//    interval of all reals that round to the value holds at least one and at most a few multiples,
//    the borders of the interval are computed in 128 bits, rounded to odd, and the candidates
//    compared with them.
//
// Cost: some 10 ns for the first way, 25 ns for the second.

/// `significand` times ten to `exponent`; the significand may end in zeros.
struct ShortestDecimal {
    var significand: UInt64
    var exponent: Int

    /// Of a finite value that is not negative.
    init(_ value: Double) {
        if let short = Self.short(value) {
            self = short
        } else {
            self = Self.schubfach(value)
        }
    }

    private init(significand: UInt64, exponent: Int) {
        self.significand = significand
        self.exponent = exponent
    }

    @inline(__always)
    private static func short(_ value: Double) -> ShortestDecimal? {
        guard value < 1e15 else { return nil }
        let whole = Int64(value)
        if Double(whole) == value {
            return ShortestDecimal(significand: UInt64(bitPattern: whole), exponent: 0)
        }
        guard value >= 1e-6 else { return nil }
        // At least log10(value), at most one more.
        let magnitude = ((Int(value.exponentBitPattern) &- 1022) &* 1233) >> 12
        let places = 14 - magnitude
        guard places >= 0, places <= 22 else { return nil }
        let scale = exactPowers[places]
        let scaled = Int64(value * scale + 0.5)
        guard scaled < 1_000_000_000_000_000, Double(scaled) / scale == value else { return nil }
        return ShortestDecimal(significand: UInt64(bitPattern: scaled), exponent: -places)
    }

    private static let exactPowers: [Double] = [
        1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16,
        1e17, 1e18, 1e19, 1e20, 1e21, 1e22,
    ]

    private static func schubfach(_ value: Double) -> ShortestDecimal {
        let fraction = value.significandBitPattern
        let biased = Int(value.exponentBitPattern)
        let binary = biased == 0 ? fraction : fraction | 1 << 52
        let exponent = max(biased, 1) - 1075
        // A power of two has a neighbour below that is only half as far away as the one above.
        let isLowerCloser = fraction == 0 && biased > 1
        let power = (exponent * 1_262_611 - (isLowerCloser ? 524_031 : 0)) >> 22
        let factor = PowersOfTen.shared[-power]
        let shift = UInt64(exponent + ((-power * 1_741_647) >> 19) + 1)

        let lower = product(factor, (4 * binary - (isLowerCloser ? 1 : 2)) << shift)
        let middle = product(factor, 4 * binary << shift)
        let upper = product(factor, (4 * binary + 2) << shift)
        let isOdd = binary & 1
        let (first, last) = (lower + isOdd, upper - isOdd)

        let candidate = middle / 4
        if candidate >= 10 {
            let shorter = candidate / 10
            let isBelowInside = first <= 40 * shorter
            let isAboveInside = 40 * shorter + 40 <= last
            if isBelowInside != isAboveInside {
                return ShortestDecimal(
                    significand: shorter + (isAboveInside ? 1 : 0), exponent: power + 1)
            }
        }
        let isBelowInside = first <= 4 * candidate
        let isAboveInside = 4 * candidate + 4 <= last
        if isBelowInside != isAboveInside {
            return ShortestDecimal(
                significand: candidate + (isAboveInside ? 1 : 0), exponent: power)
        }
        let half = 4 * candidate + 2
        let roundsUp = middle > half || (middle == half && candidate & 1 == 1)
        return ShortestDecimal(significand: candidate + (roundsUp ? 1 : 0), exponent: power)
    }

    /// The upper bits of the product of a 128-bit fraction and a word, rounded to odd.
    @inline(__always)
    private static func product(_ factor: (high: UInt64, low: UInt64), _ word: UInt64) -> UInt64 {
        let below = factor.low.multipliedFullWidth(by: word).high
        let (high, low) = factor.high.multipliedFullWidth(by: word)
        let (sum, carry) = low.addingReportingOverflow(below)
        return (high &+ (carry ? 1 : 0)) | (sum > 1 ? 1 : 0)
    }
}
