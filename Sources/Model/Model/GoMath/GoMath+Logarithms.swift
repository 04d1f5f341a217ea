// SPDX-License-Identifier: Apache-2.0

extension GoMath {
    /// `math.Log`. Subnormal numbers count as their bits stand, with the least exponent.
    package static func log(_ x: Double) -> Double {
        if x == 0 { return -.infinity }
        if x < 0 { return .nan }
        guard x.isFinite else { return x }
        let bits = x.bitPattern
        var fraction = Double(bitPattern: bits & 0x000F_FFFF_FFFF_FFFF | 0x3FE0_0000_0000_0000)
        var exponent = Double(Int(bits >> 52) - 0x3FE)
        if fraction <= 7.07106781186547524401e-01 {
            exponent -= 1
            fraction *= 2
        }
        let rest = fraction - 1
        let quotient = rest / (2 + rest)
        let square = quotient * quotient
        let fourth = square * square
        let odd =
            square
            * (logarithm1 + fourth
                * (logarithm3 + fourth * (logarithm5 + fourth * logarithm7)))
        let even = fourth * (logarithm2 + fourth * (logarithm4 + fourth * logarithm6))
        let half = 0.5 * rest * rest
        let small = quotient * (half + (odd + even)) + exponent * naturalLogOf2Low
        return exponent * naturalLogOf2High - ((half - small) - rest)
    }

    /// `math.Log2`, exact for powers of two.
    package static func log2(_ x: Double) -> Double {
        let (fraction, exponent) = split(x)
        if fraction == 0.5 { return Double(exponent - 1) }
        return log(fraction) * 1.44269504088896340735992468100189214 + Double(exponent)
    }

    /// `math.Log10`.
    package static func log10(_ x: Double) -> Double {
        log(x) * 0.43429448190325182765112891891660508229
    }

    /// `math.Log1p`: log(1 + x).
    static func log1p(_ x: Double) -> Double {
        if x < -1 || x.isNaN { return .nan }
        if x == -1 { return -.infinity }
        if x == .infinity { return x }
        let size = x.magnitude
        if size < 0x1p-54 { return x }
        if size < 0x1p-29 { return x - x * x * 0.5 }
        if size < 4.142135623730950488017e-01, x > -2.928932188134524755992e-01 {
            return log1p(exponent: 0, rest: x, lost: 0, isNearOne: false)
        }
        let sum = size < 0x1p53 ? 1 + x : x
        var exponent = Int(sum.bitPattern >> 52) - 1023
        let lost = size < 0x1p53 ? (exponent > 0 ? 1 - (sum - x) : x - (sum - 1)) / sum : 0
        var mantissa = sum.bitPattern & 0x000F_FFFF_FFFF_FFFF
        var normal = Double(bitPattern: mantissa | 0x3FF0_0000_0000_0000)
        if mantissa >= 0x0006_A09E_667F_3BCD {
            exponent += 1
            normal = Double(bitPattern: mantissa | 0x3FE0_0000_0000_0000)
            mantissa = (0x0010_0000_0000_0000 - mantissa) >> 2
        }
        return log1p(exponent: exponent, rest: normal - 1, lost: lost, isNearOne: mantissa == 0)
    }

    /// log(2^exponent · (1 + rest)), corrected by what was lost when 1 was added.
    private static func log1p(
        exponent: Int, rest: Double, lost: Double, isNearOne: Bool
    ) -> Double {
        let power = Double(exponent)
        let half = 0.5 * rest * rest
        if isNearOne {
            if rest == 0 {
                if exponent == 0 { return 0 }
                return power * naturalLogOf2High + (lost + power * naturalLogOf2Low)
            }
            let short = half * (1 - 0.66666666666666666 * rest)
            if exponent == 0 { return rest - short }
            return power * naturalLogOf2High
                - ((short - (power * naturalLogOf2Low + lost)) - rest)
        }
        let quotient = rest / (2 + rest)
        let square = quotient * quotient
        var series = logarithm6 + square * logarithm7
        series = logarithm5 + square * series
        series = logarithm4 + square * series
        series = logarithm3 + square * series
        series = logarithm2 + square * series
        series = square * (logarithm1 + square * series)
        if exponent == 0 { return rest - (half - quotient * (half + series)) }
        let small = quotient * (half + series) + (power * naturalLogOf2Low + lost)
        return power * naturalLogOf2High - ((half - small) - rest)
    }

    private static let logarithm1 = 6.666666666666735130e-01
    private static let logarithm2 = 3.999999999940941908e-01
    private static let logarithm3 = 2.857142874366239149e-01
    private static let logarithm4 = 2.222219843214978396e-01
    private static let logarithm5 = 1.818357216161805012e-01
    private static let logarithm6 = 1.531383769920937332e-01
    private static let logarithm7 = 1.479819860511658591e-01
}
