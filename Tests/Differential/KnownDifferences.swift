// SPDX-License-Identifier: Apache-2.0

import Foundation

/// What version 3.14 answers otherwise than the 3.5.3 that stands on the left, on purpose. Each
/// rule takes the difference out of both answers and names its reason in the changes of upstream.
enum KnownDifferences {
    /// An annotation as it is compared, or nil where only newer versions give it.
    static func comparable(annotation: String) -> String? {
        // 3.12: `sort` and its relatives warn in range queries.
        if annotation.contains("is ineffective for range queries") { return nil }
        // 3.8: an empty name is left out ("for metric name \"\""), and a malformed `le` is
        // reported with the name only where names are removed late.
        guard annotation.contains("bucket label \"le\" is missing"),
            let name = annotation.range(of: " for metric name "),
            let position = annotation.range(of: " (", options: .backwards)
        else { return annotation.replacingOccurrences(of: " for metric name \"\"", with: "") }
        return String(annotation[..<name.lowerBound] + annotation[position.lowerBound...])
    }
}
