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

    private static func removing(_ pattern: String, from text: String) -> String {
        text.replacingOccurrences(of: pattern, with: "", options: .regularExpression)
    }
}
