// SPDX-License-Identifier: Apache-2.0

package import Discovery
package import Model
package import Relabeling
package import Settings
internal import YAML

/// A job: where its targets come from and how they are scraped. A value with all defaults filled
/// in; two that are equal scrape alike, so a reload leaves such a job alone.
package struct ScrapeConfiguration: Sendable, Hashable {
    package var jobName: String
    package var timing: Timing
    package var request: Request
    package var samples: Samples
    package var limits: ScrapeLimits
    package var names: NameSettings
    package var histograms: HistogramSettings
    package var discovery: [DiscoveryConfiguration]
    package var relabeling: [RelabelRule]
    package var metricRelabeling: [RelabelRule]
    package var failureLogFile: String

    package struct Timing: Sendable, Hashable {
        package var interval: Milliseconds
        package var timeout: Milliseconds
    }

    /// What is asked of a target.
    package struct Request: Sendable, Hashable {
        package var scheme = "http"
        package var metricsPath = "/metrics"
        /// Query parameters in the order of the file; upstream sends them sorted by name.
        package var parameters: [Parameter] = []
        package var protocols = ScrapeProtocol.defaultOrder
        /// The format of an answer that does not say, or not in a known way.
        package var fallbackProtocol: ScrapeProtocol?
        package var asksForCompression = true
        package var client = ClientOptions()

        package struct Parameter: Sendable, Hashable {
            package var name: String
            package var values: [String]
        }
    }

    /// What becomes of the samples.
    package struct Samples: Sendable, Hashable {
        package var honorsLabels = false
        package var honorsTimestamps = true
        package var tracksTimestampsStaleness = false
        package var histogramBucketLimit = 0
        package var histogramMinBucketFactor = 0.0
    }
}
