// SPDX-License-Identifier: Apache-2.0

internal import Model

extension Row {
    /// Changes all histograms.
    mutating func mapHistograms(_ change: (FloatHistogram) -> FloatHistogram) {
        for step in histograms.indices {
            if let histogram = histograms[step] { histograms[step] = change(histogram) }
        }
    }
}
