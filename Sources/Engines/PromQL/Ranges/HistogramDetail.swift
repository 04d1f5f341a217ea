// SPDX-License-Identifier: Apache-2.0

internal import Model
internal import Storage

/// How much of native histograms the expression around a selector looks at. `histogram_count` and
/// the like need count and sum only; then buckets are left out right at the selector, unless
/// something else on the way needs them.
struct HistogramDetail {
    var wantsTotals = false
    var needsBuckets = false

    var isSummary: Bool { wantsTotals && !needsBuckets }
}

extension SampleColumns {
    /// Leaves only count and sum of each histogram. Resets cannot be seen without buckets, so that
    /// they are detected before, and told by the hint.
    mutating func stripBuckets() {
        var previous: FloatHistogram?
        for index in histograms.indices {
            let full = histograms[index]
            var stripped = FloatHistogram()
            stripped.schema = full.schema
            stripped.count = full.count
            stripped.sum = full.sum
            stripped.counterResetHint = full.counterResetHint
            if full.counterResetHint == .unknown, let previous {
                stripped.counterResetHint = full.isReset(since: previous) ? .reset : .notReset
            }
            histograms[index] = stripped
            previous = full
        }
    }
}
