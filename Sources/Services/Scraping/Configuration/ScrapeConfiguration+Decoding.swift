// SPDX-License-Identifier: Apache-2.0

internal import Discovery
internal import Model
internal import Relabeling
internal import Settings
package import YAML

extension ScrapeConfiguration {
    /// Decodes an element of `scrape_configs` in a file of `directory`.
    package init(
        _ node: YAMLNode, _ defaults: ScrapeDefaults, in directory: String
    ) throws(YAMLError) {
        guard !node.isNull else { throw node.invalid("empty or null scrape config section") }
        var fields = try YAMLMapping(node, "config.ScrapeConfig")
        jobName = try fields.string("job_name") ?? ""
        let context = ScrapeContext.job(jobName)
        timing = try Timing(&fields, defaults, context)
        limits = try ScrapeLimits(&fields, inherited: defaults.limits)
        names = try NameSettings(job: &fields, global: defaults.names)
        histograms = try HistogramSettings(&fields, inherited: defaults.histograms)
        request = try Request(&fields, defaults, context, in: directory)
        samples = try Samples(&fields)
        discovery = try DiscoveryConfiguration.list(&fields, in: directory)
        relabeling = try RelabelRule.list(
            fields.take("relabel_configs"), names.validation,
            nullElement: "empty or null target relabeling rule in scrape config")
        metricRelabeling = try RelabelRule.list(
            fields.take("metric_relabel_configs"), names.validation,
            nullElement: "empty or null metric relabeling rule in scrape config")
        let ownLog = try fields.path("scrape_failure_log_file", in: directory) ?? ""
        failureLogFile = ownLog.isEmpty ? defaults.failureLogFile : ownLog
        try fields.finish()
        guard !jobName.isEmpty else { throw node.invalid("job_name is empty") }
        if relabeling.isEmpty { try checkFixedTargets(node) }
    }

    /// Without relabelling an address is taken as it is, so it must not be a URL.
    private func checkFixedTargets(_ node: YAMLNode) throws(YAMLError) {
        for case .fixed(let groups) in discovery {
            for target in groups.flatMap(\.targets) {
                let address = target["__address__"] ?? ""
                guard !address.contains("/") else {
                    throw node.invalid("\(quoted(address)) is not a valid hostname")
                }
            }
        }
    }
}

extension ScrapeConfiguration.Timing {
    init(
        _ fields: inout YAMLMapping, _ defaults: ScrapeDefaults, _ context: ScrapeContext
    ) throws(YAMLError) {
        let ownInterval = try fields.duration("scrape_interval") ?? 0
        let ownTimeout = try fields.duration("scrape_timeout") ?? 0
        interval = ownInterval != 0 ? ownInterval : defaults.interval
        guard ownTimeout <= interval else {
            throw YAMLError(
                .value, "scrape timeout greater than scrape interval\(context.suffix)",
                at: fields.position(of: "scrape_timeout"))
        }
        timeout = ownTimeout != 0 ? ownTimeout : min(defaults.timeout, interval)
    }
}

extension ScrapeConfiguration.Request {
    init(
        _ fields: inout YAMLMapping, _ defaults: ScrapeDefaults, _ context: ScrapeContext,
        in directory: String
    ) throws(YAMLError) {
        scheme = try fields.string("scheme") ?? scheme
        metricsPath = try fields.string("metrics_path") ?? metricsPath
        if let written = fields.take("params") {
            for (key, value) in try written.entries("url.Values") {
                parameters.append(
                    Parameter(name: try key.string(), values: try value.strings()))
            }
        }
        protocols =
            try ScrapeProtocol.list(fields.take("scrape_protocols"), context)
            ?? defaults.protocols ?? protocols
        if let node = fields.take("fallback_scrape_protocol") {
            fallbackProtocol = try Self.fallback(node, context)
        }
        asksForCompression = try fields.bool("enable_compression") ?? asksForCompression
        client = try ClientOptions(&fields, in: directory)
    }

    private static func fallback(
        _ node: YAMLNode, _ context: ScrapeContext
    ) throws(YAMLError) -> ScrapeProtocol? {
        if case .scalar(let scalar) = node.content, scalar.text.isEmpty { return nil }
        guard let known = ScrapeProtocol(rawValue: try node.string()) else {
            throw node.invalid(
                "invalid fallback_scrape_protocol\(context.suffix): unknown scrape protocol "
                    + "\(try node.string()), supported: "
                    + "[\(ScrapeProtocol.names.joined(separator: " "))]")
        }
        return known
    }
}

extension ScrapeConfiguration.Samples {
    init(_ fields: inout YAMLMapping) throws(YAMLError) {
        honorsLabels = try fields.bool("honor_labels") ?? honorsLabels
        honorsTimestamps = try fields.bool("honor_timestamps") ?? honorsTimestamps
        tracksTimestampsStaleness =
            try fields.bool("track_timestamps_staleness") ?? tracksTimestampsStaleness
        histogramBucketLimit = try fields.limit("native_histogram_bucket_limit") ?? 0
        histogramMinBucketFactor = try fields.double("native_histogram_min_bucket_factor") ?? 0
    }
}
