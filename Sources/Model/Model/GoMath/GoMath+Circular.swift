// SPDX-License-Identifier: Apache-2.0

extension GoMath {
    /// `math.Sin`.
    package static func sin(_ x: Double) -> Double {
        if x == 0 || x.isNaN { return x }
        if x.isInfinite { return .nan }
        var (octant, rest) = octant(x.magnitude)
        var isNegative = x < 0
        if octant > 3 {
            isNegative.toggle()
            octant -= 4
        }
        let value = octant == 1 || octant == 2 ? cosineSeries(rest) : sineSeries(rest)
        return isNegative ? -value : value
    }

    /// `math.Cos`.
    package static func cos(_ x: Double) -> Double {
        guard x.isFinite else { return .nan }
        var (octant, rest) = octant(x.magnitude)
        var isNegative = false
        if octant > 3 {
            octant -= 4
            isNegative.toggle()
        }
        if octant > 1 { isNegative.toggle() }
        let value = octant == 1 || octant == 2 ? sineSeries(rest) : cosineSeries(rest)
        return isNegative ? -value : value
    }

    /// `math.Tan`.
    package static func tan(_ x: Double) -> Double {
        if x == 0 || x.isNaN { return x }
        if x.isInfinite { return .nan }
        let (octant, rest) = octant(x.magnitude)
        let square = rest * rest
        var value = rest
        if square > 1e-14 {
            var above = -1.30936939181383777646e4 * square + 1.15351664838587416140e6
            above = above * square - 1.79565251976484877988e7
            var below = square + 1.36812963470692954678e4
            below = below * square - 1.32089234440210967447e6
            below = below * square + 2.50083801823357915839e7
            below = below * square - 5.38695755929454629881e7
            value = rest + rest * (square * above / below)
        }
        if octant & 2 == 2 { value = -1 / value }
        return x < 0 ? -value : value
    }

    private static func sineSeries(_ x: Double) -> Double {
        let square = x * x
        var series = 1.58962301576546568060e-10 * square - 2.50507477628578072866e-8
        series = series * square + 2.75573136213857245213e-6
        series = series * square - 1.98412698295895385996e-4
        series = series * square + 8.33333333332211858878e-3
        series = series * square - 1.66666666666666307295e-1
        return x + x * square * series
    }

    private static func cosineSeries(_ x: Double) -> Double {
        let square = x * x
        var series = -1.13585365213876817300e-11 * square + 2.08757008419747316778e-9
        series = series * square - 2.75573141792967388112e-7
        series = series * square + 2.48015872888517045348e-5
        series = series * square - 1.38888888888730564116e-3
        series = series * square + 4.16666666666665929218e-2
        return 1 - 0.5 * square + square * square * series
    }

    /// The even multiple of π/4 nearest to a positive number, modulo 8, and what is left.
    private static func octant(_ x: Double) -> (octant: UInt64, rest: Double) {
        if x >= 0x1p29 { return hugeOctant(x) }
        var octant = UInt64(x * 1.27323954473516268615107010698140931)
        var count = Double(octant)
        if octant & 1 == 1 {
            octant += 1
            count += 1
        }
        let rest =
            ((x - count * 7.85398125648498535156e-1) - count * 3.77489470793079817668e-8)
            - count * 2.69515142907905952645e-15
        return (octant & 7, rest)
    }

    /// The same for numbers from 2²⁹, by a product with as many digits of 4/π as matter.
    private static func hugeOctant(_ x: Double) -> (octant: UInt64, rest: Double) {
        let exponent = Int(x.bitPattern >> 52 & 0x7FF) - 1023 - 52
        let mantissa = x.bitPattern & 0x000F_FFFF_FFFF_FFFF | 0x0010_0000_0000_0000
        let word = (exponent + 61) / 64
        let shift = UInt64((exponent + 61) % 64)
        func digits(_ index: Int) -> UInt64 {
            (fourOverPi[index] << shift) | (fourOverPi[index + 1] >> (64 - shift))
        }
        let lowest = digits(word + 2).multipliedFullWidth(by: mantissa).high
        let middle = digits(word + 1).multipliedFullWidth(by: mantissa)
        let highest = digits(word) &* mantissa
        let (low, carry) = middle.low.addingReportingOverflow(lowest)
        let high = highest &+ middle.high &+ (carry ? 1 : 0)
        var octant = high >> 61
        let fraction = (high << 3) | (low >> 61)
        let zeros = UInt64(fraction.leadingZeroBitCount)
        let bits = (fraction << (zeros + 1)) | (low >> (64 - (zeros + 1)))
        var rest = Double(bitPattern: (bits >> 12) | ((1023 - (zeros + 1)) << 52))
        if octant & 1 == 1 {
            octant = (octant + 1) & 7
            rest -= 1
        }
        return (octant, rest * (.pi / 4))
    }

    /// The binary digits of 4/π: a one, the point, and 19 words.
    private static let fourOverPi: [UInt64] = [
        0x0000_0000_0000_0001, 0x45f3_06dc_9c88_2a53, 0xf84e_afa3_ea69_bb81,
        0xb6c5_2b32_7887_2083, 0xfca2_c757_bd77_8ac3, 0x6e48_dc74_849b_a5c0,
        0x0c92_5dd4_13a3_2439, 0xfc3b_d639_6253_4e7d, 0xd104_6bea_5d76_8909,
        0xd338_e04d_68be_fc82, 0x7323_ac73_06a6_73e9, 0x3908_bf17_7bf2_5076,
        0x3ff1_2fff_bc0b_301f, 0xde5e_2316_b414_da3e, 0xda6c_fd9e_4f96_136e,
        0x9e8c_7ecd_3cbf_d45a, 0xea4f_758f_d7cb_e2f6, 0x7a0e_73ef_14a5_25d4,
        0xd7f6_bf62_3f1a_ba10, 0xac06_608d_f8f6_d757,
    ]

    /// `math.Atan`.
    package static func atan(_ x: Double) -> Double {
        if x == 0 { return x }
        return x > 0 ? positiveArctangent(x) : -positiveArctangent(-x)
    }

    /// `math.Asin`.
    package static func asin(_ x: Double) -> Double {
        if x == 0 { return x }
        let size = x.magnitude
        if size > 1 || x.isNaN { return .nan }
        let other = (1 - size * size).squareRoot()
        let value =
            size > 0.7
            ? .pi / 2 - positiveArctangent(other / size) : positiveArctangent(size / other)
        return x < 0 ? -value : value
    }

    /// `math.Acos`.
    package static func acos(_ x: Double) -> Double { .pi / 2 - asin(x) }

    /// `math.Atan2`: the angle of a point, `y` first.
    package static func atan2(_ y: Double, _ x: Double) -> Double {
        func signed(_ value: Double) -> Double { y.sign == .minus ? -value : value }
        if x.isNaN || y.isNaN { return .nan }
        if y == 0 { return signed(x.sign == .minus ? .pi : 0) }
        if x == 0 { return signed(.pi / 2) }
        if x.isInfinite {
            if x > 0 { return signed(y.isInfinite ? .pi / 4 : 0) }
            return signed(y.isInfinite ? 2.35619449019234492884698253745962716 : .pi)
        }
        if y.isInfinite { return signed(.pi / 2) }
        let angle = atan(y / x)
        if x > 0 { return angle }
        return angle <= 0 ? angle + .pi : angle - .pi
    }

    /// The arc tangent of a positive number, brought into [0, 0.66] first.
    private static func positiveArctangent(_ x: Double) -> Double {
        let more = 6.123233995736765886130e-17
        if x <= 0.66 { return arctangentSeries(x) }
        if x > 2.41421356237309504880 { return .pi / 2 - arctangentSeries(1 / x) + more }
        return .pi / 4 + arctangentSeries((x - 1) / (x + 1)) + 0.5 * more
    }

    private static func arctangentSeries(_ x: Double) -> Double {
        let square = x * x
        var above = -8.750608600031904122785e-01 * square - 1.615753718733365076637e+01
        above = above * square - 7.500855792314704667340e+01
        above = above * square - 1.228866684490136173410e+02
        above = above * square - 6.485021904942025371773e+01
        var below = square + 2.485846490142306297962e+01
        below = below * square + 1.650270098316988542046e+02
        below = below * square + 4.328810604912902668951e+02
        below = below * square + 4.853903996359136964868e+02
        below = below * square + 1.945506571482613964425e+02
        return x * (square * above / below) + x
    }
}
