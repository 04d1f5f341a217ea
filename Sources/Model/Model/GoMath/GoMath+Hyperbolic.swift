// SPDX-License-Identifier: Apache-2.0

extension GoMath {
    /// `math.Sinh`.
    package static func sinh(_ x: Double) -> Double {
        let size = x < 0 ? -x : x
        let value: Double
        if size > 21 {
            value = exp(size) / 2
        } else if size > 0.5 {
            let power = exp(size)
            value = (power - 1 / power) * 0.5
        } else {
            let square = size * size
            var above = -0.2630563213397497062819489e+2 * square - 0.2894211355989563807284660366e+4
            above = above * square - 0.8991272022039509355398013511e+5
            above = above * square - 0.6307673640497716991184787251e+6
            var below = square - 0.173678953558233699533450911e+3
            below = below * square + 0.1521517378790019070696485176e+5
            below = below * square - 0.6307673640497716991212077277e+6
            value = above * size / below
        }
        return x < 0 ? -value : value
    }

    /// `math.Cosh`.
    package static func cosh(_ x: Double) -> Double {
        let size = x.magnitude
        if size > 21 { return exp(size) / 2 }
        let power = exp(size)
        return (power + 1 / power) * 0.5
    }

    /// `math.Tanh`.
    package static func tanh(_ x: Double) -> Double {
        let size = x.magnitude
        if size > 0.5 * 8.8029691931113054295988e+01 { return x < 0 ? -1 : 1 }
        if size >= 0.625 {
            let value = 1 - 2 / (exp(2 * size) + 1)
            return x < 0 ? -value : value
        }
        if x == 0 { return x }
        let square = x * x
        var above = -9.64399179425052238628e-1 * square - 9.92877231001918586564e1
        above = above * square - 1.61468768441708447952e3
        var below = square + 1.12811678491632931402e2
        below = below * square + 2.23548839060100448583e3
        below = below * square + 4.84406305325125486048e3
        return x + x * square * above / below
    }

    /// `math.Asinh`.
    package static func asinh(_ x: Double) -> Double {
        guard x.isFinite else { return x }
        let size = x < 0 ? -x : x
        let value: Double
        if size > 0x1p28 {
            value = log(size) + naturalLogOf2
        } else if size > 2 {
            value = log(2 * size + 1 / ((size * size + 1).squareRoot() + size))
        } else if size < 0x1p-28 {
            value = size
        } else {
            value = log1p(size + size * size / (1 + (1 + size * size).squareRoot()))
        }
        return x < 0 ? -value : value
    }

    /// `math.Acosh`.
    package static func acosh(_ x: Double) -> Double {
        if x < 1 || x.isNaN { return .nan }
        if x == 1 { return 0 }
        if x >= 0x1p28 { return log(x) + naturalLogOf2 }
        if x > 2 { return log(2 * x - 1 / (x + (x * x - 1).squareRoot())) }
        let above = x - 1
        return log1p(above + (2 * above + above * above).squareRoot())
    }

    /// `math.Atanh`.
    package static func atanh(_ x: Double) -> Double {
        if x < -1 || x > 1 || x.isNaN { return .nan }
        if x.magnitude == 1 { return x < 0 ? -.infinity : .infinity }
        let size = x < 0 ? -x : x
        let value: Double
        if size < 0x1p-28 {
            value = size
        } else if size < 0.5 {
            let twice = size + size
            value = 0.5 * log1p(twice + twice * size / (1 - size))
        } else {
            value = 0.5 * log1p((size + size) / (1 - size))
        }
        return x < 0 ? -value : value
    }

    private static let naturalLogOf2 = 6.93147180559945286227e-01
}
