// SPDX-License-Identifier: Apache-2.0
//
// Elementary functions with the results of Go's `math` on x86-64, to the last bit. The C library
// rounds differently in the last place, and a query must give the digits that Prometheus gives.
//
// Sources of the methods, which fix every operation and its order:
//   exp                 N. Shibata, "Efficient evaluation methods of elementary functions suitable
//                       for SIMD computation" (2010): Taylor series of r/16, squared four times,
//                       with fused multiply-add
//   log, log1p, asinh,  FDLIBM (Sun Microsystems, 1993): log(1+f) = f - (f²/2 - s(f²/2 + R(s²)))
//   acosh, atanh, exp2  with s = f/(2+f); exp2 by a rational function of the reduced argument
//   sin, cos, tan,      Cephes (S. Moshier, 2000): polynomials after a reduction by π/4 in three
//   atan, tanh          parts; huge arguments by Payne and Hanek (K. C. Ng, 1992)
//   sinh                Hart & Cheney, approximation 2029
//   pow                 powers by squaring, the fraction of the exponent by exp and log

internal import Glibc

/// Namespace; see the head of the file.
package enum GoMath {
    /// ln 2 in two parts, of which the first has trailing zeros so that products are exact.
    static let naturalLogOf2High = 6.93147180369123816490e-01
    static let naturalLogOf2Low = 1.90821492927058770002e-10

    /// A number as fraction in [½, 1) and power of two.
    @inline(__always)
    static func split(_ x: Double) -> (fraction: Double, exponent: Int) {
        guard x != 0, x.isFinite else { return (x, 0) }
        let fraction = Double(sign: x.sign, exponent: -1, significand: x.significand)
        return (fraction, Int(x.exponent) + 1)
    }

    /// `x · 2^exponent`, rounded once.
    @inline(__always)
    static func scale(_ x: Double, _ exponent: Int) -> Double {
        Glibc.scalbn(x, Int32(clamping: exponent))
    }
}
