// SPDX-License-Identifier: Apache-2.0

internal import Model
internal import PromQLSyntax

/// Numbers out of native histograms.
enum NativeHistogram {
    static func value(_ function: Function, _ histogram: FloatHistogram) -> Double {
        switch function {
        case .histogramCount: histogram.count
        case .histogramSum: histogram.sum
        case .histogramAvg: histogram.sum / histogram.count
        default: .nan
        }
    }

    static func quantile(
        _ quantile: Double, _ histogram: FloatHistogram, _ metric: String, _ source: SourceRange,
        _ annotations: Annotations
    ) -> Double { .nan }

    static func fraction(
        from lower: Double, to upper: Double, _ histogram: FloatHistogram, _ metric: String,
        _ source: SourceRange, _ annotations: Annotations
    ) -> Double { .nan }
}
