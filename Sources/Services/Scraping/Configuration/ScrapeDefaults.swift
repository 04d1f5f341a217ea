// SPDX-License-Identifier: Apache-2.0

package import Model
internal import Settings
package import YAML

/// What the global section says about scraping: the defaults of every job.
package struct ScrapeDefaults: Sendable, Hashable {
    package var interval: Milliseconds = 60_000
    package var timeout: Milliseconds = 10_000
    package var protocols: [ScrapeProtocol]?
    package var limits = ScrapeLimits()
    package var names = NameSettings.standard
    package var failureLogFile = ""
    package var histograms = HistogramSettings()

    package init() {}

    /// Takes the settings from among the fields of the global section of a file in `directory`.
    package init(_ fields: inout YAMLMapping, in directory: String) throws(YAMLError) {
        if let own = try fields.duration("scrape_interval"), own != 0 { interval = own }
        let ownTimeout = try fields.duration("scrape_timeout") ?? 0
        guard ownTimeout <= interval else {
            throw YAMLError(
                .value, "global scrape timeout greater than scrape interval",
                at: fields.position(of: "scrape_timeout"))
        }
        timeout = ownTimeout != 0 ? ownTimeout : min(timeout, interval)
        protocols = try ScrapeProtocol.list(fields.take("scrape_protocols"), .global)
        limits = try ScrapeLimits(&fields, inherited: ScrapeLimits())
        names = try NameSettings(global: &fields)
        failureLogFile = try fields.path("scrape_failure_log_file", in: directory) ?? ""
        histograms = try HistogramSettings(&fields, inherited: histograms)
    }
}

/// What becomes of histograms. Until native histograms can be stored these settings change nothing
/// but the configuration's dump; the server warns of those that ask for something.
package struct HistogramSettings: Sendable, Hashable {
    package var scrapesNative = false
    package var alwaysScrapesClassic = false
    package var convertsClassic = false
    /// Adds `scrape_timeout_seconds` and its like to each scrape.
    package var hasExtraMetrics = false

    package init() {}

    init(_ fields: inout YAMLMapping, inherited: HistogramSettings) throws(YAMLError) {
        self = inherited
        scrapesNative = try fields.bool("scrape_native_histograms") ?? scrapesNative
        alwaysScrapesClassic =
            try fields.bool("always_scrape_classic_histograms") ?? alwaysScrapesClassic
        convertsClassic = try fields.bool("convert_classic_histograms_to_nhcb") ?? convertsClassic
        hasExtraMetrics = try fields.bool("extra_scrape_metrics") ?? hasExtraMetrics
    }

    package var yaml: [(String, YAMLNode?)] {
        [
            ("scrape_native_histograms", .bool(scrapesNative)),
            ("always_scrape_classic_histograms", .bool(alwaysScrapesClassic)),
            ("convert_classic_histograms_to_nhcb", .bool(convertsClassic)),
            ("extra_scrape_metrics", .bool(hasExtraMetrics)),
        ]
    }
}
