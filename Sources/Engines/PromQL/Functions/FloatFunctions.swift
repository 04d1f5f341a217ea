// SPDX-License-Identifier: Apache-2.0

internal import Model
internal import PromQLSyntax

/// Functions of single floats, applied to whole rows.
enum FloatFunctions {
    /// The change of a row that a function stands for, or nil where it is none of these.
    static func change(_ function: Function) -> ((inout Row) -> Void)? {
        switch function {
        case .abs: { $0.mapFloats { $0.magnitude } }
        case .ceil: { $0.mapFloats { $0.rounded(.up) } }
        case .floor: { $0.mapFloats { $0.rounded(.down) } }
        case .exp: { $0.mapFloats { GoMath.exp($0) } }
        case .sqrt: { $0.mapFloats { $0.squareRoot() } }
        case .ln: { $0.mapFloats { GoMath.log($0) } }
        case .log2: { $0.mapFloats { GoMath.log2($0) } }
        case .log10: { $0.mapFloats { GoMath.log10($0) } }
        case .sin: { $0.mapFloats { GoMath.sin($0) } }
        case .cos: { $0.mapFloats { GoMath.cos($0) } }
        case .tan: { $0.mapFloats { GoMath.tan($0) } }
        case .asin: { $0.mapFloats { GoMath.asin($0) } }
        case .acos: { $0.mapFloats { GoMath.acos($0) } }
        case .atan: { $0.mapFloats { GoMath.atan($0) } }
        case .sinh: { $0.mapFloats { GoMath.sinh($0) } }
        case .cosh: { $0.mapFloats { GoMath.cosh($0) } }
        case .tanh: { $0.mapFloats { GoMath.tanh($0) } }
        case .asinh: { $0.mapFloats { GoMath.asinh($0) } }
        case .acosh: { $0.mapFloats { GoMath.acosh($0) } }
        case .atanh: { $0.mapFloats { GoMath.atanh($0) } }
        case .rad: { $0.mapFloats { $0 * .pi / 180 } }
        case .deg: { $0.mapFloats { $0 * 180 / .pi } }
        case .sgn: { $0.mapFloats { $0 < 0 ? -1 : $0 > 0 ? 1 : $0 } }
        default: nil
        }
    }

    /// `clamp` and its halves. A step at which the bounds are the wrong way round has no result.
    static func clamp(_ minima: [Double], _ maxima: [Double]) -> (inout Row) -> Void {
        { row in
            row.removeHistograms()
            for step in row.values.indices where row.floats.contains(step) {
                if maxima[step] < minima[step] {
                    row.floats.remove(step)
                } else {
                    let capped = goMinimum(maxima[step], row.values[step])
                    row.values[step] = goMaximum(minima[step], capped)
                }
            }
        }
    }

    /// To the nearest multiple, halves upwards. The inverse loses less than a division would.
    static func round(to nearest: [Double]) -> (inout Row) -> Void {
        let inverses = nearest.map { 1.0 / $0 }
        return { row in
            row.removeHistograms()
            for step in row.values.indices {
                let scaled = row.values[step] * inverses[step] + 0.5
                row.values[step] = scaled.rounded(.down) / inverses[step]
            }
        }
    }

    /// A part of the date or time that a value means as seconds since 1970, in UTC.
    static func datePart(_ function: Function) -> ((CivilTime) -> Double)? {
        switch function {
        case .daysInMonth: { Double($0.daysInMonth) }
        case .dayOfMonth: { Double($0.day) }
        case .dayOfWeek: { Double($0.weekday) }
        case .dayOfYear: { Double($0.dayOfYear) }
        case .hour: { Double($0.hour) }
        case .minute: { Double($0.minute) }
        case .month: { Double($0.month) }
        case .year: { Double($0.year) }
        default: nil
        }
    }
}

extension Row {
    /// Changes all floats; histograms go.
    @inline(__always)
    mutating func mapFloats(_ change: (Double) -> Double) {
        histograms.removeAll()
        var values = values.mutableSpan
        for step in values.indices {
            unsafe values[unchecked: step] = change(values[unchecked: step])
        }
    }
}
