// SPDX-License-Identifier: Apache-2.0

extension GoMath {
    /// `math.Exp`.
    package static func exp(_ x: Double) -> Double {
        if !x.isFinite { return x == -.infinity ? 0 : x }
        if x > 7.09782712893384e+02 { return .infinity }
        if x < -800 { return 0 }
        let exponent = (x * 1.4426950408889634073599246810018920).rounded(.toNearestOrEven)
        let upper = 0.69314718055966295651160180568695068359375
        let lower = 0.28235290563031577122588448175013436025525412068e-12
        let rest = x.addingProduct(-exponent, upper).addingProduct(-exponent, lower) * 0.0625
        var series = 2.4801587301587301587e-5
        series = 1.9841269841269841270e-4.addingProduct(rest, series)
        series = 1.3888888888888888889e-3.addingProduct(rest, series)
        series = 8.3333333333333333333e-3.addingProduct(rest, series)
        series = 4.1666666666666666667e-2.addingProduct(rest, series)
        series = 1.6666666666666666667e-1.addingProduct(rest, series)
        series = 0.5.addingProduct(rest, series)
        series = 1.0.addingProduct(rest, series)
        // e^r - 1 doubles its argument as y · (y + 2).
        var result = rest * series
        result *= result + 2
        result *= result + 2
        result *= result + 2
        result = 1.0.addingProduct(result, result + 2)
        return scaledByBits(result, Int(exponent))
    }

    /// `x · 2^exponent` as the assembly makes it: what is far below the least number is 0 at once.
    private static func scaledByBits(_ x: Double, _ exponent: Int) -> Double {
        let biased = exponent + 1023
        if biased >= 2047 { return .infinity }
        if biased < -52 { return 0 }
        return scale(x, exponent)
    }

    /// `math.Exp2`.
    package static func exp2(_ x: Double) -> Double {
        if x.isNaN || x == .infinity { return x }
        if x > 1.0239999999999999e+03 { return .infinity }
        if x < -1.0740e+03 { return 0 }
        let whole = x > 0 ? (x + 0.5).rounded(.towardZero) : (x - 0.5).rounded(.towardZero)
        let power = x == 0 ? 0 : whole
        let rest = x - power
        let high = rest * naturalLogOf2High
        let low = -rest * naturalLogOf2Low
        let reduced = high - low
        let square = reduced * reduced
        var series = 4.13813679705723846039e-08
        series = -1.65339022054652515390e-06 + square * series
        series = 6.61375632143793436117e-05 + square * series
        series = -2.77777777770155933842e-03 + square * series
        series = 1.66666666666666657415e-01 + square * series
        let correction = reduced - square * series
        let result = 1 - ((low - (reduced * correction) / (2 - correction)) - high)
        return scale(result, Int(power))
    }

    /// `math.Pow`.
    package static func pow(_ base: Double, _ exponent: Double) -> Double {
        if let special = specialPower(base, exponent) { return special }
        if exponent == 0.5 { return base.squareRoot() }
        if exponent == -0.5 { return 1 / base.squareRoot() }
        var whole = exponent.magnitude.rounded(.towardZero)
        var fraction = exponent.magnitude - whole
        if fraction != 0, base < 0 { return .nan }
        if whole >= 0x1p63 {
            if base == -1 { return 1 }
            return (base.magnitude < 1) == (exponent > 0) ? 0 : .infinity
        }
        var result = 1.0
        if fraction != 0 {
            if fraction > 0.5 {
                fraction -= 1
                whole += 1
            }
            result = exp(fraction * log(base))
        }
        var power = 0
        (result, power) = multiply(result, base, Int64(whole))
        if exponent < 0 { return scale(1 / result, -power) }
        return scale(result, power)
    }

    /// `start · base^count` as number and power of two, by squaring.
    private static func multiply(_ start: Double, _ base: Double, _ count: Int64) -> (Double, Int) {
        var result = start
        var power = 0
        var (factor, factorPower) = split(base)
        var bits = count
        while bits != 0 {
            // The result is beyond all floats already.
            if factorPower < -4096 || factorPower > 4096 { return (result, power + factorPower) }
            if bits & 1 == 1 {
                result *= factor
                power += factorPower
            }
            factor *= factor
            factorPower *= 2
            if factor < 0.5 {
                factor += factor
                factorPower -= 1
            }
            bits >>= 1
        }
        return (result, power)
    }

    /// Powers that the standard lays down, or nil.
    private static func specialPower(_ base: Double, _ exponent: Double) -> Double? {
        if exponent == 0 || base == 1 { return 1 }
        if exponent == 1 { return base }
        if base.isNaN || exponent.isNaN { return .nan }
        if base == 0 {
            let isOdd = isOddInteger(exponent)
            if exponent < 0 {
                return isOdd && base.sign == .minus ? -.infinity : .infinity
            }
            return isOdd ? base : 0
        }
        if exponent.isInfinite {
            if base == -1 { return 1 }
            return (base.magnitude < 1) == (exponent > 0) ? 0 : .infinity
        }
        if base.isInfinite {
            if base < 0 { return pow(1 / base, -exponent) }
            return exponent < 0 ? 0 : .infinity
        }
        return nil
    }

    private static func isOddInteger(_ x: Double) -> Bool {
        x.magnitude < 0x1p53 && x.rounded(.towardZero) == x && Int64(x) & 1 == 1
    }
}
