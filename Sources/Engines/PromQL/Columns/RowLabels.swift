// SPDX-License-Identifier: Apache-2.0

internal import Model

/// What a row is called.
struct RowLabels {
    var labels: Labels
    /// The metric name goes when the query ends (only with delayed name removal).
    var dropsName = false

    init(_ labels: Labels, dropsName: Bool = false) {
        self.labels = labels
        self.dropsName = dropsName
    }
}

extension Labels {
    /// Without the labels that describe the metric as such: name, type and unit, which no longer
    /// hold for the result of an operation.
    var withoutMetadata: Labels {
        var kept: [UInt8] = []
        kept.reserveCapacity(packed.count)
        LabelNameSet.metadata.appendOthers(of: self, to: &kept)
        return kept.count == packed.count ? self : Labels(packed: kept)
    }
}
