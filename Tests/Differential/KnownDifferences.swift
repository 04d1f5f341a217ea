// SPDX-License-Identifier: Apache-2.0

import Foundation

/// What version 3.14 answers otherwise than the 3.5.3 that stands on the left, on purpose. Each
/// rule takes the difference out of both answers and names its reason in the changes of upstream.
enum KnownDifferences {
    /// An annotation as it is compared, or nil where only newer versions give it.
    static func comparable(annotation: String) -> String? {
        // 3.12: `sort` and its relatives warn in range queries.
        if annotation.contains("is ineffective for range queries") { return nil }
        var text = annotation
        // 3.8: what is said of classic buckets names the metric only where names are removed late,
        // and never an empty name.
        if text.contains("bucket label \"le\" is missing") || text.contains("for monotonicity") {
            text = removing(#" for metric name "(\\.|[^"\\])*""#, from: text)
        }
        // 3.10: the extent of what was not monotonic is told.
        text = removing(#", from buckets .* over \d+ samples from \S+ to \S+"#, from: text)
        return removing(#" for metric name """#, from: text)
    }

    /// Why newer versions answer this query otherwise; nil where they should not.
    static func reason(_ query: String, _ left: Answer, _ right: Answer) -> String? {
        if query.contains("info(") {
            return "3.6 to 3.14: indices, negated names, @ and labels of `info` were put right"
        }
        if query.contains("mad_over_time(") {
            return "3.14: NaN among the samples makes the deviation NaN"
        }
        if query.contains("histogram_fraction(") {
            return "3.6: the first bucket begins at 0, or has no part in the fraction"
        }
        if query.contains("label_"), left.error.hasPrefix("vector cannot contain metrics"),
            right.outcome == "success"
        {
            return "3.6: series that get the same labels are merged where they do not overlap"
        }
        let isComparison = query.contains { "<>=!".contains($0) }
        if isComparison, left.outcome == "success", right.error.hasPrefix("multiple matches for") {
            return "3.10: pairs that a comparison drops count as matches, too"
        }
        return nil
    }

    private static func removing(_ pattern: String, from text: String) -> String {
        text.replacingOccurrences(of: pattern, with: "", options: .regularExpression)
    }
}
