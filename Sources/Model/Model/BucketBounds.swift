// SPDX-License-Identifier: Apache-2.0
//
// The bounds of exponential buckets between 0.5 and 1. Upstream has them as a table whose last
// digits are not rounded well; since they show in every answer with buckets and go into quantiles,
// they are reproduced to the last bit: as geometric means, halving intervals, which IEEE arithmetic
// defines exactly, and the distance of the table from those in units of the last place.
//
// Source: https://github.com/prometheus/prometheus/blob/main/model/histogram/generic.go

enum BucketBounds {
    /// 2^(i/256 - 1) for i in 0..<256: schema 8, and with larger strides the coarser ones.
    static let fractions: [Double] = {
        var bounds = [0.5, 1]
        for _ in 0..<8 {
            var finer: [Double] = []
            for index in 0..<(bounds.count - 1) {
                let middle = (bounds[index] * bounds[index + 1]).squareRoot()
                finer += [bounds[index], middle]
            }
            bounds = finer + [1]
        }
        return zip(bounds, distances).map { bound, digit in
            Double(bitPattern: bound.bitPattern &+ UInt64(digit) &- UInt64(UInt8(ascii: "4")))
        }
    }()

    /// "4" is no distance, "3" one unit less.
    private static let distances = Array(
        """
        4445443444344444443355444433333344344444444444334433454444344433\
        4445454444334433443444344433444444444544342233223323343333223332\
        3333332122112322221222111110120033334334332234222211221212122211\
        2312332223222222232222111211221133333323232234233322342222112211
        """.utf8)
}
