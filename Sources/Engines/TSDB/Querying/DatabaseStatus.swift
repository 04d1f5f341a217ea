// SPDX-License-Identifier: Apache-2.0

package import Model

/// What `status/tsdb` shows of the head: totals, and the largest in each respect.
package struct DatabaseStatus: Sendable, Hashable {
    package struct Entry: Sendable, Hashable {
        package var name: String
        package var value: UInt64

        package init(_ name: String, _ value: UInt64) {
            self.name = name
            self.value = value
        }
    }

    package var seriesCount = 0
    package var labelPairCount = 0
    package var chunkCount = 0
    /// Closed; nil for an empty head.
    package var timeRange: TimeRange?

    // Each sorted by value, the largest first, and cut at the limit.
    package var seriesCountByMetricName: [Entry] = []
    package var labelValueCountByLabelName: [Entry] = []
    package var memoryInBytesByLabelName: [Entry] = []
    /// Names are `label=value`.
    package var seriesCountByLabelValuePair: [Entry] = []

    package init() {}
}
