// SPDX-License-Identifier: Apache-2.0

internal import Model
internal import Storage

extension RangeEvaluator {
    /// Replaces what the floats gave at steps whose windows contain histograms.
    mutating func fillHistograms(
        _ columns: SampleColumns, _ floats: WindowIndex, _ histograms: WindowIndex,
        _ row: inout Row, _ labels: Labels
    ) throws(QueryError) {
        throw .execution("native histograms in range vectors are not supported yet")
    }
}
